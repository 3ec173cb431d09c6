// A chat relay on Socket.IO, as its documentation says to write one: a room for
// each conversation, every message acknowledged to its sender. Holds nothing and
// stores nothing. Prints one line of JSON when it is ready and ends on SIGTERM.
//
//   node server.mjs                          one node
//   node server.mjs --redis PORT ADAPTER     one of several; ADAPTER: classic, sharded
import { createServer } from "node:http";
import { createAdapter, createShardedAdapter } from "@socket.io/redis-adapter";
import { Redis } from "ioredis";
import { Server } from "socket.io";

const ADAPTERS = { classic: createAdapter, sharded: createShardedAdapter };

function redisAdapter(port, name) {
  const publisher = new Redis(port);
  const subscriber = publisher.duplicate();
  for (const client of [publisher, subscriber]) {
    client.on("error", (error) => {
      console.error(`redis: ${error.message}`);
      process.exit(1);
    });
  }
  return ADAPTERS[name](publisher, subscriber);
}

function join(socket, conversations, acknowledge) {
  socket.join(conversations);
  acknowledge();
}

function relay(socket, conversation, text, acknowledge) {
  socket.to(conversation).emit("message", conversation, text);
  acknowledge();
}

const [flag, redisPort, adapterName] = process.argv.slice(2);
const http = createServer();
const io = new Server(http, {
  transports: ["websocket"],
  serveClient: false,
  perMessageDeflate: false,
  httpCompression: false,
  ...(flag === "--redis" && { adapter: redisAdapter(Number(redisPort), adapterName) }),
});
io.on("connection", (socket) => {
  socket.on("join", (conversations, acknowledge) => join(socket, conversations, acknowledge));
  socket.on("message", (conversation, text, acknowledge) =>
    relay(socket, conversation, text, acknowledge),
  );
});

http.listen(0, "127.0.0.1", () => {
  const { port } = http.address();
  console.log(JSON.stringify({ port }));
});
process.on("SIGTERM", () => process.exit(0));
