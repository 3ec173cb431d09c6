// For the tests: a WebSocket whose other end is the test.

import type { SocketLike } from "./connection";
import type { ClientBatch, ClientFrame, ServerFrame, Welcome } from "./messages";

type Handler = ((event: never) => void) | null;

export class FakeSocket {
  onopen: Handler = null;
  onmessage: Handler = null;
  onclose: Handler = null;
  onerror: Handler = null;
  closedByClient = false;
  /** What the client sent and the test has not yet taken. */
  readonly received: ClientFrame[] = [];
  /** How many frames each batch held. */
  readonly batches: number[] = [];

  send(data: string): void {
    const batch = JSON.parse(data) as ClientBatch;
    this.batches.push(batch.frames.length);
    this.received.push(...batch.frames);
  }

  close(): void {
    this.closedByClient = true;
  }

  // ---- The test's end -----------------------------------------------------

  open(): void {
    this.onopen?.({} as never);
  }

  push(...frames: ServerFrame[]): void {
    this.onmessage?.({ data: JSON.stringify({ frames }) } as never);
  }

  hangUp(code: number): void {
    this.onclose?.({ code, reason: "" } as never);
  }

  /** Takes the oldest frame of this kind that the client sent. */
  take<K extends string>(kind: K): Extract<ClientFrame, Record<K, unknown>> {
    const index = this.received.findIndex((frame) => kind in frame);
    const [frame] = index < 0 ? [] : this.received.splice(index, 1);
    if (!frame) throw new Error(`no ${kind} among ${JSON.stringify(this.received)}`);
    return frame as Extract<ClientFrame, Record<K, unknown>>;
  }

  has(kind: string): boolean {
    return this.received.some((frame) => kind in frame);
  }

  reply(frame: ClientFrame, answer: ServerFrame): void {
    this.push({ id: frame.id ?? 0, ...answer });
  }
}

export class FakeServer {
  readonly sockets: FakeSocket[] = [];

  readonly openSocket = (): SocketLike => {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket as unknown as SocketLike;
  };

  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("the client has not connected");
    return socket;
  }
}

/** Lets everything that is due run, without moving the clock. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 20; round += 1) await Promise.resolve();
}

/** Opens a socket and welcomes the client; resolves with its Hello. */
export async function welcome(socket: FakeSocket, extra: Welcome = {}) {
  socket.open();
  await settle();
  const hello = socket.take("hello");
  socket.reply(hello, { welcome: { pingInterval: "25s", ...extra } });
  await settle();
  return hello.hello;
}
