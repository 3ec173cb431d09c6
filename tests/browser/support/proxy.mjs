// An HTTP proxy on loopback through which a browser reaches the server, and
// which can cut that browser off: every connection breaks and no new one opens.

import http from "node:http";
import net from "node:net";

export async function startProxy() {
  const sockets = new Set();
  let cut = false;
  const keep = (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // Broken connections are what this proxy is for.
    socket.on("error", () => socket.destroy());
  };

  const server = http.createServer((request, response) => {
    const { hostname, port, pathname, search } = new URL(request.url);
    const { method, headers } = request;
    const path = pathname + search;
    const forward = http.request({ hostname, port, path, method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    forward.on("error", () => response.destroy());
    request.pipe(forward);
  });
  server.on("connection", (socket) => {
    keep(socket);
    if (cut) socket.destroy();
  });
  server.on("connect", (request, socket, head) => {
    const { hostname, port } = new URL(`http://${request.url}`);
    const onward = net.connect(Number(port), hostname, () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    keep(onward);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

  const breakAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    cutOff() {
      cut = true;
      breakAll();
    },
    restore() {
      cut = false;
    },
    async stop() {
      breakAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
