import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Link, LiveClient, type TokenSource } from "./client";
import { FakeServer, settle, welcome } from "./fake-server";
import { HttpError } from "./http";
import type { EventPush, Welcome } from "./messages";
import type { OutboxRequest } from "./outbox";
import { storedEntry } from "./outbox-shape";
import { BrowserStore } from "./storage";

const pushOf = (seq: number, prev: number, clientMsgId?: string): { event: EventPush } => ({
  event: {
    event: {
      conversationId: "c",
      seq,
      at: "2026-01-01T00:00:00Z",
      message: { text: `text ${seq}`, ...(clientMsgId && { clientMsgId }) },
    },
    ...(prev > 0 && { prev }),
  },
});

const message = (id: string): OutboxRequest => ({
  send: { conversationId: "c", clientMsgId: id, text: id },
});

interface Options {
  followUnknown?: boolean;
  tokens?: Partial<TokenSource>;
}

function setUp(options: Options = {}) {
  const server = new FakeServer();
  const links: Link[] = [];
  const seen: number[] = [];
  const lost: string[] = [];
  const restarted: string[] = [];
  const tokens = {
    current: vi.fn(async () => "token"),
    renewed: vi.fn(async () => "new token"),
    keep: vi.fn(),
    ...options.tokens,
  };
  const client = new LiveClient({
    url: "ws://host/v1/ws",
    program: "test/1",
    tokens,
    store: new BrowserStore(undefined, "test", storedEntry),
    handlers: {
      linkChanged: (link) => links.push(link),
      welcome: () => {},
      event: (event) => seen.push(event.seq),
      conversation: () => {},
      lost: (id) => lost.push(id),
      restarted: (id) => restarted.push(id),
      push: () => {},
      outboxChanged: () => {},
      refused: () => {},
    },
    followUnknown: options.followUnknown ?? false,
    openSocket: server.openSocket,
    random: () => 0.5,
  });
  return { server, client, links, seen, lost, restarted, tokens };
}

/** Welcomed, and following the conversation `c` from the start if that is said. */
async function online(greeting: Welcome = {}, options: Options & { follow?: boolean } = {}) {
  const setup = setUp(options);
  if (options.follow) setup.client.follow("c");
  setup.client.start();
  await settle();
  await welcome(setup.server.last, greeting);
  return setup;
}

/** Welcomed, following the conversation `c` as far as the server has it. */
const following = (headSeq?: number) =>
  online({ resumed: [{ conversationId: "c", ...(headSeq && { headSeq }) }] }, { follow: true });

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("connecting", () => {
  it("says hello with the token and goes online with the welcome", async () => {
    const { server, client, links } = setUp();
    client.start();
    await settle();
    const hello = await welcome(server.last);
    expect(hello).toEqual({ token: "token", client: "test/1" });
    expect(links.map((link) => link.state)).toEqual(["connecting", "online"]);
  });

  it("gives up on a server that does not welcome it, and tries again", async () => {
    const { server, client } = setUp();
    client.start();
    await settle();
    server.last.open();
    await pass(10_000);
    expect(server.sockets[0]?.closedByClient).toBe(true);
    await pass(500);
    expect(server.sockets).toHaveLength(2);
  });

  it("answers a ping, and takes long silence for a lost connection", async () => {
    const { server, links } = await online();
    await pass(49_000);
    server.last.push({ ping: {} });
    await settle();
    server.last.take("pong");
    await pass(49_000);
    expect(links.at(-1)?.state).toBe("online");
    await pass(1_000);
    expect(links.at(-1)?.state).toBe("waiting");
  });

  it("waits as long as the token's server asks", async () => {
    const { server, client } = setUp({
      tokens: {
        current: vi.fn().mockRejectedValueOnce(new HttpError(429, 7_000)).mockResolvedValue("t"),
      },
    });
    client.start();
    await pass(6_999);
    client.hurry();
    expect(server.sockets).toHaveLength(0);
    await pass(2_000);
    expect(server.sockets).toHaveLength(1);
  });

  it("stops when the token is refused", async () => {
    const { client, links } = setUp({
      tokens: { current: vi.fn().mockRejectedValue(new HttpError(403)) },
    });
    client.start();
    await pass(0);
    expect(links.at(-1)).toEqual({ state: "stopped", reason: "token-refused" });
  });
});

describe("after a close", () => {
  async function closedWith(code: number) {
    const setup = await online();
    setup.server.last.hangUp(code);
    return setup;
  }

  it("4000: reconnects within a second", async () => {
    const { server } = await closedWith(4000);
    await pass(499);
    expect(server.sockets).toHaveLength(1);
    await pass(1);
    expect(server.sockets).toHaveLength(2);
  });

  it("4101: waits at least 5 s, even when the network comes back", async () => {
    const { server, client } = await closedWith(4101);
    client.hurry();
    await pass(5_000);
    expect(server.sockets).toHaveLength(1);
    await pass(2_500);
    expect(server.sockets).toHaveLength(2);
  });

  it("4200: never", async () => {
    const { server, client, links } = await closedWith(4200);
    await pass(3_600_000);
    client.hurry();
    expect(server.sockets).toHaveLength(1);
    expect(links.at(-1)).toEqual({ state: "stopped", reason: "token-refused" });
  });

  it("4201: fetches a new token first", async () => {
    const { server, tokens } = await closedWith(4201);
    await pass(0);
    expect(tokens.renewed).toHaveBeenCalledOnce();
    expect((await welcome(server.last)).token).toBe("new token");
  });

  it("1006: at once when the network comes back", async () => {
    const { server, client } = await closedWith(1006);
    client.hurry();
    await pass(0);
    expect(server.sockets).toHaveLength(2);
  });

  it("believes Bye where a proxy swallowed the close code", async () => {
    const { server, links } = await online();
    server.last.push({ bye: { code: 4205 } });
    server.last.hangUp(1006);
    expect(links.at(-1)).toEqual({ state: "stopped", reason: "signed-out" });
  });

  it("goes elsewhere when told to move, without waiting", async () => {
    const { server, links } = await online();
    server.last.push({ move: { reason: "draining", delay: "2s" } });
    await pass(1_999);
    expect(server.sockets).toHaveLength(1);
    await pass(1);
    expect(server.sockets).toHaveLength(2);
    expect(server.sockets[0]?.closedByClient).toBe(true);
    await welcome(server.last);
    expect(links.map((link) => link.state)).not.toContain("waiting");
  });
});

describe("following", () => {
  it("resumes from the last event seen and drops what it has", async () => {
    const { server, seen } = await following(2);
    server.last.push(pushOf(1, 0), pushOf(2, 1));
    server.last.hangUp(4001);
    await pass(500);
    const hello = await welcome(server.last, { resumed: [{ conversationId: "c", headSeq: 3 }] });
    expect(hello.resume).toEqual([{ conversationId: "c", seq: 2 }]);
    server.last.push(pushOf(2, 1), pushOf(3, 2));
    expect(seen).toEqual([1, 2, 3]);
  });

  it("subscribes again, once, from its cursor when it has missed something", async () => {
    const { server, seen } = await following();
    server.last.push(pushOf(1, 0), pushOf(4, 3), pushOf(5, 4));
    await settle();
    const subscribe = server.last.take("subscribe");
    expect(subscribe.subscribe.cursor).toEqual({ conversationId: "c", seq: 1 });
    expect(server.last.has("subscribe")).toBe(false);
    server.last.reply(subscribe, { conversation: { conversationId: "c", headSeq: 5 } });
    server.last.push(pushOf(3, 1), pushOf(4, 3), pushOf(5, 4));
    expect(seen).toEqual([1, 3, 4, 5]);
  });

  it("heals when the events before the named head do not come", async () => {
    const { server } = await following(2);
    await pass(3_000);
    server.last.take("subscribe");
  });

  it("says which conversations the server no longer knows", async () => {
    const { server, lost } = await online({}, { follow: true });
    server.last.push({ error: { code: "ERROR_CODE_NOT_FOUND", conversationId: "c" } });
    expect(lost).toEqual(["c"]);
  });

  it("starts from nothing when its cursor is beyond the head", async () => {
    const { server, client, restarted } = setUp();
    client.follow("c", 9);
    client.start();
    await settle();
    await welcome(server.last);
    server.last.push({ error: { code: "ERROR_CODE_INVALID_ARGUMENT", conversationId: "c" } });
    await settle();
    expect(restarted).toEqual(["c"]);
    const { cursor } = server.last.take("subscribe").subscribe;
    expect(cursor).toEqual({ conversationId: "c", seq: 0 });
  });

  it("subscribes to unknown conversations only where that is wanted", async () => {
    for (const followUnknown of [true, false]) {
      const { server, seen } = await online({}, { followUnknown });
      server.last.push(pushOf(7, 6));
      await settle();
      expect(seen).toEqual([]);
      expect(server.last.has("subscribe")).toBe(followUnknown);
    }
  });
});

describe("sending", () => {
  it("keeps what was written while away and sends it in order, once", async () => {
    const { server, client } = setUp();
    client.follow("c");
    client.submit("m1", "c", message("m1"));
    client.submit("m2", "c", message("m2"));
    client.start();
    await settle();
    await welcome(server.last, { resumed: [{ conversationId: "c" }] });
    const first = server.last.take("send");
    expect(first.send.clientMsgId).toBe("m1");
    expect(server.last.has("send")).toBe(false);
    server.last.reply(first, { sent: { clientMsgId: "m1", seq: 1 } });
    await settle();
    expect(server.last.take("send").send.clientMsgId).toBe("m2");
  });

  it("sends under the same id when the answer was lost", async () => {
    const { server, client } = await following();
    client.submit("m1", "c", message("m1"));
    await settle();
    server.last.take("send");
    server.last.hangUp(1006);
    await pass(500);
    await welcome(server.last, { resumed: [{ conversationId: "c" }] });
    expect(server.last.take("send").send.clientMsgId).toBe("m1");
  });

  it("does not send again what the resumed events show as done", async () => {
    const { server, client } = await following();
    client.submit("m1", "c", message("m1"));
    await settle();
    server.last.push(pushOf(1, 0, "m1"));
    expect(client.outbox.of("c")).toEqual([]);
  });

  it("drops a connection on which a request is not answered", async () => {
    const { server, client } = await following();
    client.submit("m1", "c", message("m1"));
    await pass(10_000);
    expect(server.sockets[0]?.closedByClient).toBe(true);
  });

  it("puts the requests of one moment into one batch, within the limits", async () => {
    const { server, client } = await online({ maxBatchFrames: 2 });
    for (let index = 0; index < 3; index += 1) {
      client.request({ listTeam: {} }).catch(() => {});
    }
    await settle();
    expect(server.last.batches).toEqual([1, 2, 1]);
  });

  it("refuses what fits in no batch instead of breaking the connection", async () => {
    const { server, client } = await online({ maxBatchBytes: 1_000 });
    const text = "字".repeat(400);
    const request = client.request({ addNote: { conversationId: "c", clientMsgId: "n", text } });
    await expect(request).rejects.toMatchObject({ code: "ERROR_CODE_INVALID_ARGUMENT" });
    expect(server.last.has("addNote")).toBe(false);
  });

  it("tells again after a reconnect how far was read", async () => {
    const { server, client } = await online();
    server.last.hangUp(1006);
    client.markRead("c", 4);
    client.markRead("c", 3);
    await pass(500);
    await welcome(server.last);
    expect(server.last.take("markRead").markRead.seq).toBe(4);
    expect(server.last.has("markRead")).toBe(false);
  });
});

describe("the token", () => {
  it("is refreshed in band before it ends, and kept", async () => {
    const { server, client, tokens } = setUp();
    client.start();
    await settle();
    const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
    await welcome(server.last, { tokenExpiresAt: inAnHour, pingInterval: "36000s" });
    await pass(3_539_000);
    expect(server.last.has("refreshToken")).toBe(false);
    await pass(1_000);
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    server.last.reply(server.last.take("refreshToken"), {
      tokenRefreshed: { token: "newer", expiresAt },
    });
    await settle();
    expect(tokens.keep).toHaveBeenCalledWith("newer", expiresAt);
  });
});
