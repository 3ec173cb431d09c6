// The live client, whatever the other end of its connection says, in whatever order.

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LiveClient } from "../protocol/client";
import { ConnectionLost, RequestError } from "../protocol/errors";
import { FakeServer, type FakeSocket, settle, welcome } from "../protocol/fake-server";
import type { Event, EventPush, ServerFrame } from "../protocol/messages";
import { storedEntry } from "../protocol/outbox-shape";
import { BrowserStore } from "../protocol/storage";
import { corpus } from "./corpus";
import { anyMessage } from "./schema";
import { anyJson, anyText, damaged, FEWER_RUNS, jsonText } from "./values";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function setUp(followUnknown: boolean) {
  const server = new FakeServer();
  const seen = new Map<string, number[]>();
  const pushed: ServerFrame[] = [];
  const client = new LiveClient({
    url: "ws://host/v1/ws",
    program: "test/1",
    tokens: { current: async () => "token", renewed: async () => "token", keep: () => {} },
    store: new BrowserStore(undefined, "test", storedEntry),
    handlers: {
      linkChanged: () => {},
      welcome: () => {},
      event: (event) => seen.set(event.conversationId, [...seenOf(event), event.seq]),
      conversation: () => {},
      lost: () => {},
      restarted: (id) => seen.delete(id),
      push: (frame) => pushed.push(frame),
      outboxChanged: () => {},
      refused: () => {},
    },
    followUnknown,
    openSocket: server.openSocket,
    random: () => 0.5,
  });
  const seenOf = (event: Pick<Event, "conversationId">) => seen.get(event.conversationId) ?? [];
  return { client, server, seen };
}

describe("what a server says", () => {
  const texts = jsonText(fc.oneof(damaged(anyMessage("ServerBatch")), anyJson));
  const kept = corpus("hostile-frames").map((one) => JSON.stringify(one));

  it("breaks neither the client nor the order of what it hands on", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(texts, { maxLength: 12 }), fc.boolean(), async (said, unknown) => {
        const { client, server, seen } = setUp(unknown);
        client.start();
        client.follow("c1");
        await settle();
        await welcome(server.last);
        for (const text of said) server.last.onmessage?.({ data: text } as never);
        await settle();
        for (const seqs of seen.values()) {
          expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
        }
        await expectUsable(client, server);
        client.stop();
        vi.clearAllTimers();
      }),
      {
        numRuns: FEWER_RUNS * 3,
        examples: [
          [kept, true],
          [kept, false],
          ...kept.map((one): [string[], boolean] => [[one], false]),
        ],
      },
    );
  });

  /** It answers or reconnects, and does not ask in a tight loop. */
  async function expectUsable(client: LiveClient, server: FakeServer): Promise<void> {
    const before = server.sockets.length;
    await vi.advanceTimersByTimeAsync(120_000);
    expect(server.sockets.length - before).toBeLessThan(60);
    if (client.link.state === "stopped") return;
    while (client.link.state !== "online") {
      await vi.advanceTimersByTimeAsync(1_000);
      if (client.link.state === "connecting") await greet(server.last);
    }
    const outcome = client.request({ listTeam: {} }).then(
      () => "answered",
      (error: unknown) => {
        expect(error instanceof RequestError || error instanceof ConnectionLost).toBe(true);
        return "refused";
      },
    );
    await settle();
    const { last } = server;
    if (last.has("listTeam")) last.reply(last.take("listTeam"), { team: {} });
    expect(["answered", "refused"]).toContain(await outcome);
  }

  async function greet(socket: FakeSocket): Promise<void> {
    socket.onopen?.({} as never);
    await settle();
    if (socket.has("hello")) socket.reply(socket.take("hello"), { welcome: {} });
    await settle();
  }
});

describe("a welcome", () => {
  it("of any kind is not followed by an end at once", async () => {
    const pingInterval = fc.constantFrom("0s", "-3s", "0.000001s", "315576000000s", "x", "25s");
    const greetings = fc.oneof(anyMessage("Welcome"), fc.record({ pingInterval }));
    await fc.assert(
      fc.asyncProperty(greetings, async (greeting) => {
        const { client, server } = setUp(false);
        client.start();
        await settle();
        await welcome(server.last, greeting);
        await vi.advanceTimersByTimeAsync(900);
        expect(client.link.state).toBe("online");
        expect(server.last.received.length).toBeLessThan(40);
        client.stop();
        vi.clearAllTimers();
      }),
      { numRuns: FEWER_RUNS, examples: [[{ pingInterval: "0s" }], [{ tokenExpiresAt: LONG_AGO }]] },
    );
  });

  const LONG_AGO = "1970-01-01T00:00:00Z";

  it("with a token that is over again and again is not asked in a tight loop", async () => {
    const { client, server } = setUp(false);
    client.start();
    await settle();
    await welcome(server.last, { tokenExpiresAt: LONG_AGO });
    let asked = 0;
    for (let step = 0; step < 50; step += 1) {
      await vi.advanceTimersByTimeAsync(100);
      if (!server.last.has("refreshToken")) continue;
      asked += 1;
      const tokenRefreshed = { token: "t", expiresAt: LONG_AGO };
      server.last.reply(server.last.take("refreshToken"), { tokenRefreshed });
    }
    expect(asked).toBeGreaterThan(1);
    expect(asked).toBeLessThan(7);
    client.stop();
  });
});

describe("what a client says", () => {
  it("is text to any server, whatever was typed", async () => {
    const { client, server } = setUp(false);
    client.start();
    await settle();
    await welcome(server.last);
    await fc.assert(
      fc.asyncProperty(anyText, anyJson, async (text, rest) => {
        const send = { conversationId: "c1", clientMsgId: "m", text, rest };
        client.request({ send }).catch(() => {});
        await settle();
        const sent = JSON.stringify(server.last.take("send"));
        // Written as JSON, half a character is an escape.
        expect(sent).not.toMatch(/(?<!\\)(\\\\)*\\u[dD][89a-fA-F]/);
        if (!/\p{Surrogate}/u.test(text)) expect(JSON.parse(sent).send.text).toBe(text);
      }),
      { numRuns: FEWER_RUNS * 3, examples: [["half of 👍: \ud83d", null]] },
    );
    client.stop();
  });
});

/** One conversation at its server, of which this reader may not see everything. */
class Conversation {
  /** Of what is visible; the others are gaps in the numbers. */
  readonly seqs: number[];
  /** How many of them have happened. */
  length = 0;

  constructor(gaps: readonly number[]) {
    let seq = 0;
    this.seqs = gaps.map((gap) => {
      seq += 1 + gap;
      return seq;
    });
  }

  get visible(): number[] {
    return this.seqs.slice(0, this.length);
  }

  get state() {
    return { conversationId: "c1", headSeq: this.visible.at(-1) ?? 0 };
  }

  push(index: number): { event: EventPush } {
    const seq = this.seqs[index] ?? 0;
    const prev = this.seqs[index - 1];
    const event = { conversationId: "c1", seq, at: "2026-01-01T00:00:00Z", message: { text: "x" } };
    return { event: { event, ...(prev !== undefined && { prev }) } };
  }

  after(seq: number): { event: EventPush }[] {
    return this.visible.flatMap((one, index) => (one > seq ? [this.push(index)] : []));
  }
}

type Step =
  | { do: "happen"; heard: boolean }
  | { do: "repeat"; at: number }
  | { do: "answer" }
  | { do: "state" }
  | { do: "reconnect" }
  | { do: "wait"; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("happen"), heard: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("repeat"), at: fc.nat(30) }) },
  { weight: 3, arbitrary: fc.constant<Step>({ do: "answer" }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: "state" }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: "reconnect" }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait"), ms: fc.nat(9_000) }) },
);

describe("events that are lost, repeated and out of order", () => {
  it("are handed on once and in order, and what is missing is asked for", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(2), { minLength: 1, maxLength: 12 }),
        fc.array(step, { maxLength: 40 }),
        async (gaps, steps) => {
          const { client, server, seen } = setUp(false);
          const conversation = new Conversation(gaps);
          const seqs = () => seen.get("c1") ?? [];
          client.start();
          client.follow("c1");
          await settle();
          await connected(server, conversation);
          for (const one of steps) {
            const before = conversation.length;
            await take(one, server, conversation);
            expect(seqs()).toEqual(conversation.seqs.slice(0, seqs().length));
            const heard = one.do === "happen" && one.heard && conversation.length > before;
            const behind = seqs().length < conversation.length;
            if (heard && behind) expect(server.last.has("subscribe")).toBe(true);
          }
          // However much was lost, a word of the head is enough.
          for (let round = 0; round < 3; round += 1) {
            server.last.push({ conversation: conversation.state });
            await answer(server, conversation);
            await vi.advanceTimersByTimeAsync(4_000);
            await answer(server, conversation);
          }
          expect(seqs()).toEqual(conversation.visible);
          client.stop();
          vi.clearAllTimers();
        },
      ),
      { numRuns: FEWER_RUNS * 4 },
    );
  });

  async function take(one: Step, server: FakeServer, conversation: Conversation): Promise<void> {
    const { last } = server;
    if (one.do === "happen" && conversation.length < conversation.seqs.length) {
      conversation.length += 1;
      if (one.heard) last.push(conversation.push(conversation.length - 1));
    } else if (one.do === "repeat" && conversation.length > 0) {
      last.push(conversation.push(one.at % conversation.length));
    } else if (one.do === "state") last.push({ conversation: conversation.state });
    else if (one.do === "answer") await answer(server, conversation);
    else if (one.do === "wait") {
      // Short of what the client takes for silence of the server.
      last.push({ ping: {} });
      await answer(server, conversation);
      await vi.advanceTimersByTimeAsync(one.ms);
    } else if (one.do === "reconnect") {
      last.hangUp(1006);
      while (server.last === last) await vi.advanceTimersByTimeAsync(1_000);
      await connected(server, conversation);
    }
    await settle();
  }

  /** Greets the client, with the events that it goes on from. */
  async function connected(server: FakeServer, conversation: Conversation): Promise<void> {
    const { last } = server;
    last.open();
    await settle();
    const hello = last.take("hello");
    const resumed = (hello.hello.resume ?? []).map(() => conversation.state);
    last.reply(hello, { welcome: { resumed } });
    for (const { seq } of hello.hello.resume ?? []) last.push(...conversation.after(seq));
    await settle();
  }

  /** Answers what was subscribed to: the events first. */
  async function answer(server: FakeServer, conversation: Conversation): Promise<void> {
    const { last } = server;
    while (last.has("subscribe")) {
      const frame = last.take("subscribe");
      last.push(...conversation.after(frame.subscribe.cursor.seq));
      last.reply(frame, { conversation: conversation.state });
      await settle();
    }
  }
});
