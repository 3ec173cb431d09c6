import { beforeEach, describe, expect, it, vi } from "vitest";
import { type FakeServer, settle } from "../protocol/fake-server";
import type { ConversationState, Participant } from "../protocol/messages";
import {
  ada,
  alex,
  answer,
  connected,
  eventsOf,
  fakePage,
  fakeSession,
  leavePage,
  sam,
} from "../staff/fake-page";
import { Desk } from "./desk";

const MINE: ConversationState = {
  conversationId: "c1",
  phase: "PHASE_ASSIGNED",
  visitor: ada,
  agent: alex,
};

let server: FakeServer;

async function open(you: Participant = alex, conversations: ConversationState[] = []) {
  const desk = new Desk(fakeSession(), () => {});
  await connected(server, you);
  const list = server.last.take("listConversations");
  server.last.reply(list, { conversationList: { conversations } });
  await settle();
  return desk;
}

beforeEach(() => {
  server = fakePage();
  return leavePage;
});

describe("the list of one's chats", () => {
  const busy = { error: { code: "ERROR_CODE_UNAVAILABLE", retryable: true } } as const;

  it("is asked for until the server has it", async () => {
    const desk = new Desk(fakeSession(), () => {});
    await connected(server, alex);
    await answer(server, "listConversations", busy);
    expect(desk.loaded).toBe(false);
    await vi.advanceTimersByTimeAsync(1_000);
    await answer(server, "listConversations", { conversationList: { conversations: [MINE] } });
    expect(desk.loaded).toBe(true);
    expect(desk.open.map((chat) => chat.id)).toEqual(["c1"]);
  });

  it("is asked for once by a connection, whatever the one before waited for", async () => {
    const desk = new Desk(fakeSession(), () => {});
    await connected(server, alex);
    await answer(server, "listConversations", {
      error: { ...busy.error, retryAfter: "20s" },
    });
    server.last.hangUp(4000);
    await vi.advanceTimersByTimeAsync(2_000);
    await connected(server, alex);
    await answer(server, "listConversations", { conversationList: {} });
    expect(desk.loaded).toBe(true);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(server.last.has("listConversations")).toBe(false);
  });

  it("is given up when it is refused for good, which is said", async () => {
    const desk = new Desk(fakeSession(), () => {});
    await connected(server, alex);
    await answer(server, "listConversations", { error: { code: "ERROR_CODE_INTERNAL" } });
    expect(desk.notice).toBeDefined();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.last.has("listConversations")).toBe(false);
    expect(desk.loaded).toBe(false);
  });
});

describe("taking part in a colleague's chat", () => {
  it("joins when invited, speaks as a guest, and leaves", async () => {
    const desk = await open();
    server.last.push({
      invitation: { conversationId: "c2", by: sam, note: "Please help", visitor: ada },
    });
    expect(desk.knocks).toMatchObject([{ kind: "invitation", by: "Sam", text: "Please help" }]);

    void desk.join("c2");
    await settle();
    const state = { ...MINE, conversationId: "c2", agent: sam, guests: [alex] };
    await answer(server, "join", { conversation: state });
    expect(desk.knocks).toEqual([]);
    expect(desk.selected).toMatchObject({ id: "c2", part: "guest", modes: ["reply", "note"] });
    expect(server.last.take("subscribe").subscribe.cursor).toEqual({
      conversationId: "c2",
      seq: 0,
    });

    const { selected } = desk;
    if (!selected) throw new Error("nothing is selected");
    void desk.leave(selected);
    await settle();
    expect(server.last.take("leave").leave).toEqual({ conversationId: "c2" });
  });

  it("keeps an invitation that could not be taken, and says why", async () => {
    const desk = await open();
    server.last.push({ invitation: { conversationId: "c2", by: sam } });
    void desk.join("c2");
    await settle();
    await answer(server, "join", { error: { code: "ERROR_CODE_FAILED_PRECONDITION" } });
    expect(desk.knocks).toHaveLength(1);
    expect(desk.notice).toMatch(/as many guests/);
  });

  it("reads along where a note names them, and may only write notes", async () => {
    const desk = await open();
    server.last.push({ mention: { conversationId: "c3", by: sam, seq: 7, text: "@Alex?" } });
    const [knock] = desk.knocks;
    if (!knock) throw new Error("no mention");
    desk.look(knock);
    await settle();
    await answer(server, "subscribe", {
      conversation: { ...MINE, conversationId: "c3", agent: sam },
    });
    expect(desk.selected).toMatchObject({ part: "reader", modes: ["note"], writes: "note" });
    expect(desk.open.map((chat) => chat.id)).toEqual(["c3"]);
  });

  it("finds the chats again where it is a guest, after a reload", async () => {
    const first = await open();
    first.attend("c4", 0);
    await settle();
    await answer(server, "subscribe", {
      conversation: { ...MINE, conversationId: "c4", agent: sam },
    });

    await open();
    expect(server.last.take("subscribe").subscribe.cursor.conversationId).toBe("c4");
  });

  it("hears no more of a chat that it left, and has all of it when it comes back", async () => {
    const desk = await open();
    const state = { ...MINE, conversationId: "c2", agent: sam, guests: [alex] };
    desk.attend("c2", 0);
    await settle();
    await answer(server, "subscribe", { conversation: state });
    server.last.push(...eventsOf("c2", [{ message: {} }, { left: { agent: alex } }]));
    await settle();
    expect(server.last.take("unsubscribe").unsubscribe.conversationId).toBe("c2");
    expect(desk.done.map((chat) => chat.id)).toEqual(["c2"]);

    void desk.join("c2");
    await settle();
    await answer(server, "join", { conversation: { ...state, headSeq: 3 } });
    await answer(server, "subscribe", { conversation: { ...state, headSeq: 3 } });
    server.last.push(
      ...eventsOf("c2", [{ message: {} }, { left: { agent: alex } }, { joined: { agent: alex } }]),
    );
    expect(desk.selected).toMatchObject({ part: "guest", open: true });
    expect(desk.selected?.events).toHaveLength(3);
  });

  it("reads along in a chat that it had left before, all of it", async () => {
    const desk = await open();
    server.last.push({ mention: { conversationId: "c2", by: sam, seq: 3, text: "@Alex?" } });
    const [knock] = desk.knocks;
    if (!knock) throw new Error("no mention");
    desk.look(knock);
    await settle();
    const state = { ...MINE, conversationId: "c2", agent: sam, headSeq: 3 };
    await answer(server, "subscribe", { conversation: state });
    const past = [{ joined: { agent: alex } }, { left: { agent: alex } }];
    server.last.push(...eventsOf("c2", [...past, { note: { mentions: [alex] } }]));
    await settle();
    expect(server.last.has("unsubscribe")).toBe(false);
    expect(desk.selected?.part).toBe("reader");
    expect(desk.selected?.events).toHaveLength(3);
  });

  it("forgets a chat that is no longer shown to it", async () => {
    const desk = await open();
    desk.attend("c5", 0);
    await settle();
    await answer(server, "subscribe", { error: { code: "ERROR_CODE_NOT_FOUND" } });
    expect([...desk.open, ...desk.done]).toEqual([]);
  });
});

describe("one's own chats", () => {
  it("are handed on at once, or with the agent staying for the introduction", async () => {
    const desk = await open(alex, [MINE]);
    const [chat] = desk.open;
    if (!chat) throw new Error("no chat");
    void desk.transfer(chat, { skill: { skills: { tax: 3 } } }, "Hard one", true);
    await settle();
    const frame = server.last.take("transfer");
    expect(frame.transfer).toEqual({
      conversationId: "c1",
      skill: { skills: { tax: 3 } },
      note: "Hard one",
      warm: true,
    });
    server.last.reply(frame, { done: {} });
    await settle();
    expect(chat).toMatchObject({ part: "reader", handingOn: true });
    desk.typed(chat, "Mind her temper");

    await answer(server, "subscribe", {
      conversation: { ...MINE, phase: "PHASE_WAITING", headSeq: 0 },
    });
    server.last.push(
      ...eventsOf("c1", [{ assigned: { agent: sam } }, { joined: { agent: alex } }]),
    );
    expect(chat).toMatchObject({ part: "guest", handingOn: false, agent: sam });
    // What was begun among the staff does not turn into a word to the visitor.
    expect(chat.writes).toBe("note");
  });

  it("are no longer theirs once a supervisor has taken them over", async () => {
    const desk = await open(alex, [MINE]);
    await answer(server, "subscribe", { conversation: MINE });
    server.last.push(
      ...eventsOf("c1", [
        { released: { agent: alex, reason: "RELEASED_REASON_TAKEN_OVER" }, by: sam },
        { assigned: { agent: sam }, by: sam },
      ]),
    );
    expect(desk.open).toEqual([]);
    expect(desk.done.map((chat) => chat.part)).toEqual(["none"]);
  });

  it("name those mentioned in a note, as far as they are still named", async () => {
    const desk = await open(alex, [MINE]);
    const [chat] = desk.open;
    if (!chat) throw new Error("no chat");
    desk.setMode(chat, "note");
    chat.mentions = [
      { id: "sam", name: "Sam" },
      { id: "kim", name: "Kim" },
    ];
    desk.typed(chat, "See this, @Sam");
    desk.send(chat);
    await settle();
    expect(server.last.take("addNote").addNote).toMatchObject({
      text: "See this, @Sam",
      mentionAgentIds: ["sam"],
    });
    expect(chat.mentions).toEqual([]);
  });

  it("are not offered what the server does not know, until it is another one", async () => {
    const desk = await open(alex, [MINE]);
    void desk.verbs.invite("c1", "kim", "");
    await settle();
    await answer(server, "invite", { error: { code: "ERROR_CODE_UNIMPLEMENTED" } });
    expect(desk.verbs.can("invite")).toBe(false);
    expect(desk.verbs.can("join")).toBe(true);
    expect(desk.notice).toMatch(/cannot do that yet/);

    server.last.hangUp(4000);
    await vi.advanceTimersByTimeAsync(2_000);
    await connected(server, alex);
    expect(desk.verbs.can("invite")).toBe(true);
  });
});

describe("the agent's status", () => {
  const agent = alex;

  it("says when the server has put them away, and stays so after a reload", async () => {
    const desk = await open();
    void desk.setStatus("AGENT_STATUS_ONLINE", "");
    await settle();
    await answer(server, "setStatus", { agentState: { agent, status: "AGENT_STATUS_ONLINE" } });
    const aside = { agent, status: "AGENT_STATUS_AWAY", missedOffers: 3 } as const;
    server.last.push({ agentState: aside });
    expect(desk.setAside).toBe(true);

    const again = new Desk(fakeSession(), () => {});
    await connected(server, alex, { agentState: aside });
    expect(again.setAside).toBe(true);
    expect(server.last.has("setStatus")).toBe(false);

    server.last.push({ agentState: { ...aside, missedOffers: 4 } });
    expect(again.setAside).toBe(true);

    void again.setStatus("AGENT_STATUS_ONLINE", "");
    await settle();
    await answer(server, "setStatus", { agentState: { agent, status: "AGENT_STATUS_ONLINE" } });
    expect(again.setAside).toBe(false);
  });

  it("is nothing to tell of when they went away themselves, an offer still being open", async () => {
    const desk = await open();
    void desk.setStatus("AGENT_STATUS_AWAY", "Lunch");
    await settle();
    const away = { agent, status: "AGENT_STATUS_AWAY", reason: "Lunch" } as const;
    await answer(server, "setStatus", { agentState: away });
    server.last.push({ agentState: { ...away, missedOffers: 1 } });
    expect(desk.setAside).toBe(false);
  });
});
