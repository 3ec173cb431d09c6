// One WebSocket from opening to closing: Hello and Welcome, request ids with
// their time-outs, batching, Ping and the watch for silence.
//
// It never reconnects and knows nothing of conversations: that is `client.ts`.

import { ConnectionLost, RequestError } from "./errors";
import { MOST_OF_A_BATCH, serverBatch } from "./frame-shape";
import type { Bye, ClientFrame, ClientRequest, Hello, ServerFrame, Welcome } from "./messages";
import { readJsonText } from "./shape";
import { durationMs, timerMs } from "./times";

export const SUBPROTOCOL = "frontdesk.v1.json";

/** What is used of a browser's WebSocket. */
export type SocketLike = Pick<
  WebSocket,
  "onopen" | "onmessage" | "onclose" | "onerror" | "send" | "close"
>;

export interface ConnectionHandlers {
  welcome(welcome: Welcome): void;
  push(frame: ServerFrame): void;
  /** Called exactly once, with a code of the bands in chat.proto or 1006. */
  closed(code: number): void;
}

interface Pending {
  resolve(frame: ServerFrame): void;
  reject(error: Error): void;
  timer: ReturnType<typeof setTimeout>;
}

const OPENING_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 10_000;
const DEFAULT_PING_MS = 25_000;
/** Whoever pings more often is heard all the same; none at all would end it at once. */
const LEAST_PING_MS = 1_000;
const DEFAULT_BATCH_BYTES = 64 * 1024;
const DEFAULT_BATCH_FRAMES = 64;
/** `{"frames":[]}` and one comma for each frame. */
const BATCH_OVERHEAD_BYTES = 16;
const ABNORMAL = 1006;
/**
 * An escape in JSON; that of half a character is apart. It is no text to the server, which
 * would refuse all of the batch for it, again and again.
 */
const ESCAPE = /\\(?:(ud[89a-f][\da-f]{2})|.)/g;

export class Connection {
  readonly #socket: SocketLike;
  readonly #handlers: ConnectionHandlers;
  readonly #pending = new Map<number, Pending>();
  #outgoing: string[] = [];
  #nextId = 1;
  #maxBytes = DEFAULT_BATCH_BYTES;
  #maxFrames = DEFAULT_BATCH_FRAMES;
  #silenceMs = OPENING_TIMEOUT_MS;
  #watch: ReturnType<typeof setTimeout>;
  #welcomed = false;
  #ended = false;
  #bye: Bye | undefined;

  constructor(socket: SocketLike, hello: Hello, handlers: ConnectionHandlers) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.#watch = setTimeout(() => this.drop(), OPENING_TIMEOUT_MS);
    socket.onopen = () => this.#greet(hello);
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = (event) => this.#end(event.code);
    // A close event always follows an error event, and carries the code.
    socket.onerror = () => {};
  }

  /** Sends a request; rejects with `RequestError` or `ConnectionLost`. */
  request(request: ClientRequest, timeoutMs = REQUEST_TIMEOUT_MS): Promise<ServerFrame> {
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(new ConnectionLost());
        return;
      }
      const id = this.#nextId;
      this.#nextId += 1;
      // No answer in time means that the connection is not to be trusted.
      const timer = setTimeout(() => this.drop(), timeoutMs);
      this.#pending.set(id, { resolve, reject, timer });
      if (!this.#write({ id, ...request })) {
        this.#settle(id)?.reject(
          new RequestError({ code: "ERROR_CODE_INVALID_ARGUMENT", message: "too large a frame" }),
        );
      }
    });
  }

  /** Sends what needs no answer. */
  post(request: ClientRequest): void {
    if (!this.#ended) this.#write(request);
  }

  /** Ends the connection as one that was lost. */
  drop(): void {
    this.#shut(ABNORMAL);
  }

  /** Ends the connection for good reason, telling the server. */
  close(): void {
    this.#shut(1000);
  }

  #shut(code: number): void {
    if (this.#ended) return;
    // A half-open socket may never report its closing, so it is not awaited.
    this.#socket.close(1000);
    this.#end(code);
  }

  #greet(hello: Hello): void {
    void this.request({ hello }, OPENING_TIMEOUT_MS).then(
      (frame) => {
        if (!frame.welcome) this.drop();
      },
      // A refusal is followed by Bye and the closing, which carry the code.
      () => {},
    );
  }

  #begin(welcome: Welcome): void {
    this.#welcomed = true;
    this.#maxBytes = welcome.maxBatchBytes || DEFAULT_BATCH_BYTES;
    this.#maxFrames = welcome.maxBatchFrames || DEFAULT_BATCH_FRAMES;
    const ping = durationMs(welcome.pingInterval, DEFAULT_PING_MS);
    this.#silenceMs = timerMs(2 * Math.max(LEAST_PING_MS, ping));
    this.#heard();
  }

  #receive(data: unknown): void {
    if (this.#ended || typeof data !== "string") return;
    const batch = readJsonText(data, serverBatch, MOST_OF_A_BATCH);
    if (!batch) {
      this.drop();
      return;
    }
    this.#heard();
    for (const frame of batch.frames ?? []) this.#dispatch(frame);
  }

  #dispatch(frame: ServerFrame): void {
    if (frame.bye) this.#bye = frame.bye;
    if (frame.ping) this.post({ pong: {} });
    if (frame.id) {
      this.#answer(frame.id, frame);
      return;
    }
    if (!frame.ping && !frame.bye) this.#handlers.push(frame);
  }

  #answer(id: number, frame: ServerFrame): void {
    const waiting = this.#settle(id);
    if (frame.welcome && !this.#welcomed) {
      // At once rather than through the promise: events of this same batch follow.
      this.#begin(frame.welcome);
      this.#handlers.welcome(frame.welcome);
    }
    if (frame.error) waiting?.reject(new RequestError(frame.error));
    else waiting?.resolve(frame);
  }

  #settle(id: number): Pending | undefined {
    const waiting = this.#pending.get(id);
    if (waiting) {
      this.#pending.delete(id);
      clearTimeout(waiting.timer);
    }
    return waiting;
  }

  #heard(): void {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.drop(), this.#silenceMs);
  }

  /** Queues a frame for the next batch; false when it fits in no batch. */
  #write(frame: ClientFrame): boolean {
    const text = JSON.stringify(frame).replace(ESCAPE, (all, half) => (half ? "\ufffd" : all));
    if (byteLength(text) + BATCH_OVERHEAD_BYTES > this.#maxBytes) return false;
    this.#outgoing.push(text);
    if (this.#outgoing.length === 1) queueMicrotask(() => this.#flush());
    return true;
  }

  #flush(): void {
    const waiting = this.#outgoing;
    this.#outgoing = [];
    if (this.#ended) return;
    let batch: string[] = [];
    let bytes = BATCH_OVERHEAD_BYTES;
    for (const frame of waiting) {
      const size = byteLength(frame) + 1;
      if (batch.length === this.#maxFrames || (batch.length && bytes + size > this.#maxBytes)) {
        this.#socket.send(`{"frames":[${batch.join(",")}]}`);
        batch = [];
        bytes = BATCH_OVERHEAD_BYTES;
      }
      batch.push(frame);
      bytes += size;
    }
    this.#socket.send(`{"frames":[${batch.join(",")}]}`);
  }

  #end(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#watch);
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(new ConnectionLost());
    // Proxies may swallow the close code; Bye says the same in band.
    this.#handlers.closed(this.#bye?.code ?? code);
  }
}

const encoder = new TextEncoder();

function byteLength(text: string): number {
  return encoder.encode(text).length;
}
