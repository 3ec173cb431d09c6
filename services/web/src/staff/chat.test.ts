import { describe, expect, it } from "vitest";
import type { Event, Participant } from "../protocol";
import { AgentChat } from "./chat";
import { ada, alex, sam } from "./fake-page";

const chatOf = (me: Participant) =>
  new AgentChat("c", {
    me: () => me,
    changed: () => {},
    typing: () => {},
    upload: async () => ({ id: "file" }),
  });

function happens(chat: AgentChat, ...bodies: Partial<Event>[]): void {
  for (const body of bodies) {
    const seq = (chat.events.at(-1)?.seq ?? 0) + 1;
    chat.takeEvent({ conversationId: "c", seq, at: "2026-01-01T00:00:00Z", ...body });
  }
}

describe("what one is in a chat", () => {
  it("follows the events: holder, nobody, invited, guest, nobody", () => {
    const chat = chatOf(alex);
    happens(chat, { started: {}, by: ada }, { queued: {} }, { assigned: { agent: alex } });
    expect(chat.part).toBe("holder");
    happens(chat, { released: { agent: alex } }, { queued: {} }, { assigned: { agent: sam } });
    expect(chat).toMatchObject({ part: "none", open: false, modes: [] });
    happens(chat, { invited: { agent: alex }, by: sam });
    expect(chat).toMatchObject({ part: "reader", speaks: false });
    happens(chat, { joined: { agent: alex } });
    expect(chat).toMatchObject({ part: "guest", speaks: true });
    happens(chat, { left: { agent: alex, byOther: true }, by: sam });
    expect(chat.part).toBe("none");
  });

  it("ends with the chat, for guests too", () => {
    const chat = chatOf(alex);
    happens(chat, { assigned: { agent: sam } }, { joined: { agent: alex } }, { closed: {} });
    expect(chat).toMatchObject({ part: "none", open: false, guests: [] });
  });

  it("lets a watching supervisor whisper first of all, and a holder not at all", () => {
    const chat = chatOf(sam);
    chat.reading = true;
    happens(chat, { assigned: { agent: alex } });
    expect(chat.modes).toEqual(["whisper", "note"]);
    happens(chat, { joined: { agent: sam } });
    expect(chat.modes).toEqual(["reply", "note", "whisper"]);
    happens(chat, { released: { agent: alex } }, { assigned: { agent: sam } });
    expect(chat).toMatchObject({ part: "holder", modes: ["reply", "note"], guests: [] });
  });
});

describe("events that a state already tells of", () => {
  it("change nothing of it, but are shown", () => {
    const chat = chatOf(alex);
    chat.takeState({ conversationId: "c", phase: "PHASE_ASSIGNED", agent: alex, headSeq: 3 });
    happens(
      chat,
      { queued: {} },
      { alarmRaised: { kind: "ALARM_KIND_LATE", actions: ["notify"] } },
    );
    expect(chat).toMatchObject({ part: "holder", alarms: [] });
    expect(chat.events).toHaveLength(2);
  });
});

describe("alarms", () => {
  it("are shown once each, and an answer ends the one for no answer", () => {
    const chat = chatOf(alex);
    happens(chat, { alarmRaised: { kind: "ALARM_KIND_UNANSWERED", actions: ["notify"] } });
    happens(chat, { alarmRaised: { kind: "ALARM_KIND_UNANSWERED", actions: ["notify"] } });
    happens(chat, { alarmRaised: { kind: "ALARM_KIND_LATE", actions: ["priority", "notify"] } });
    happens(chat, { alarmRaised: { kind: "ALARM_KIND_LONG_WAIT", actions: ["priority"] } });
    happens(chat, { message: { text: "Please wait" }, by: { party: "PARTY_SYSTEM" } });
    expect(chat.alarms).toEqual(["ALARM_KIND_UNANSWERED", "ALARM_KIND_LATE"]);
    happens(chat, { message: { text: "Here I am" }, by: alex });
    expect(chat.alarms).toEqual(["ALARM_KIND_LATE"]);
  });
});

describe("who writes", () => {
  it("is the one who wrote last, never oneself", () => {
    const chat = chatOf(alex);
    chat.takeTyping({ conversationId: "c", by: alex, typing: true });
    expect(chat.typingIn.typing).toBe(false);
    chat.takeTyping({ conversationId: "c", by: ada, typing: true });
    chat.takeTyping({ conversationId: "c", by: sam, typing: true });
    chat.takeTyping({ conversationId: "c", by: ada });
    expect(chat).toMatchObject({ typist: sam, typingIn: { typing: true } });
    chat.takeTyping({ conversationId: "c", by: sam });
    expect(chat.typingIn.typing).toBe(false);
  });

  it("does not count other people's reading as one's own", () => {
    const chat = chatOf(alex);
    happens(chat, { message: { text: "Hello" }, by: ada });
    chat.takeRead({ conversationId: "c", by: sam, seq: 1 });
    expect(chat.unread).toBe(1);
    chat.takeRead({ conversationId: "c", by: alex, seq: 1 });
    expect(chat.unread).toBe(0);
  });
});
