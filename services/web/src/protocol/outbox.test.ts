import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ConnectionLost, RequestError } from "./errors";
import type { ClientRequest, ErrorCode, ServerFrame } from "./messages";
import { Outbox, type StoredEntry } from "./outbox";
import type { EntryStore } from "./storage";

class MemoryStore implements EntryStore<StoredEntry> {
  readonly entries = new Map<string, StoredEntry>();
  load = () => [...this.entries.values()].reverse();
  put = (id: string, entry: StoredEntry) => void this.entries.set(id, entry);
  delete = (id: string) => void this.entries.delete(id);
}

interface Delivery {
  request: ClientRequest;
  resolve(frame: ServerFrame): void;
  reject(error: Error): void;
}

function setUp(store = new MemoryStore()) {
  const deliveries: Delivery[] = [];
  const refused: string[] = [];
  const outbox = new Outbox({
    store,
    deliver: (request) =>
      new Promise((resolve, reject) => deliveries.push({ request, resolve, reject })),
    changed: () => {},
    answered: () => {},
    refused: (entry) => refused.push(entry.id),
    random: () => 0,
  });
  const send = (id: string, conversationId = "c") =>
    outbox.add(id, conversationId, { send: { conversationId, clientMsgId: id, text: id } });
  const sent = () => deliveries.map((delivery) => delivery.request.send?.clientMsgId);
  const statuses = (conversationId = "c") =>
    outbox.of(conversationId).map((entry) => `${entry.id} ${entry.status}`);
  return { store, outbox, deliveries, refused, send, sent, statuses };
}

function failure(code: ErrorCode, retryable: boolean, retryAfter?: string): RequestError {
  return new RequestError({ code, retryable, ...(retryAfter && { retryAfter }) });
}

const tick = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("Outbox", () => {
  it("sends one at a time and in order within a conversation", async () => {
    const { outbox, deliveries, send, sent } = setUp();
    outbox.resume();
    for (const id of ["a", "b", "c"]) send(id);
    send("other", "d");
    expect(sent()).toEqual(["a", "other"]);
    deliveries[0]?.resolve({ sent: { seq: 1 } });
    await tick();
    expect(sent()).toEqual(["a", "other", "b"]);
  });

  it("keeps everything while paused and starts again with the oldest", async () => {
    const { outbox, deliveries, send, sent, statuses } = setUp();
    send("a");
    send("b");
    expect(sent()).toEqual([]);
    outbox.resume();
    outbox.pause();
    deliveries[0]?.reject(new ConnectionLost());
    await tick();
    expect(statuses()).toEqual(["a queued", "b queued"]);
    outbox.resume();
    expect(sent()).toEqual(["a", "a"]);
  });

  it("retries under the same id, after what the server asked for", async () => {
    const { outbox, deliveries, send, sent } = setUp();
    outbox.resume();
    send("a");
    send("b");
    deliveries[0]?.reject(failure("ERROR_CODE_RATE_LIMITED", true, "2s"));
    await vi.advanceTimersByTimeAsync(1_999);
    expect(sent()).toEqual(["a"]);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent()).toEqual(["a", "a"]);
  });

  it("never retries more often than twice a second", async () => {
    const { outbox, deliveries, send, sent } = setUp();
    outbox.resume();
    send("a");
    deliveries[0]?.reject(failure("ERROR_CODE_UNAVAILABLE", true));
    await vi.advanceTimersByTimeAsync(499);
    expect(sent()).toEqual(["a"]);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent()).toEqual(["a", "a"]);
  });

  it("keeps a refused message for the person and goes on with the next", async () => {
    const { outbox, deliveries, refused, send, sent, statuses } = setUp();
    outbox.resume();
    send("a");
    send("b");
    deliveries[0]?.reject(failure("ERROR_CODE_FAILED_PRECONDITION", false));
    await tick();
    expect(refused).toEqual(["a"]);
    expect(statuses()).toEqual(["a failed", "b sending"]);
    deliveries[1]?.resolve({ sent: { seq: 2 } });
    await tick();
    outbox.retry("a");
    expect(sent()).toEqual(["a", "b", "a"]);
  });

  it("retries an internal error once", async () => {
    const { outbox, deliveries, send, statuses } = setUp();
    outbox.resume();
    send("a");
    deliveries[0]?.reject(failure("ERROR_CODE_INTERNAL", true));
    await vi.advanceTimersByTimeAsync(1_000);
    deliveries[1]?.reject(failure("ERROR_CODE_INTERNAL", true));
    await tick();
    expect(statuses()).toEqual(["a failed"]);
  });

  it("sends again what met an expired token", async () => {
    const { outbox, deliveries, send, statuses } = setUp();
    outbox.resume();
    send("a");
    deliveries[0]?.reject(failure("ERROR_CODE_UNAUTHENTICATED", false));
    await tick();
    expect(statuses()).toEqual(["a queued"]);
  });

  it("shows a durable message until its event has come", async () => {
    const { store, outbox, deliveries, send, statuses } = setUp();
    outbox.resume();
    send("a");
    deliveries[0]?.resolve({ sent: { seq: 1 } });
    await tick();
    expect(statuses()).toEqual(["a sent"]);
    expect(store.entries.size).toBe(0);
    outbox.remove("a");
    expect(statuses()).toEqual([]);
  });

  it("takes up after a reload, in the order of writing", () => {
    const before = setUp();
    for (const id of ["a", "b", "c"]) before.send(id);
    const after = setUp(before.store);
    expect(after.statuses()).toEqual(["a queued", "b queued", "c queued"]);
    after.send("d");
    after.outbox.resume();
    expect(after.sent()).toEqual(["a"]);
    expect(after.statuses().at(-1)).toBe("d queued");
  });
});
