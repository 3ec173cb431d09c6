import { describe, expect, it } from "vitest";
import type { Event, OutboxEntry, Participant } from "../protocol";
import { type MessageLine, type ThreadView, threadLines } from "./thread";

const me: Participant = { party: "PARTY_VISITOR", id: "v" };
const agent: Participant = { party: "PARTY_AGENT", id: "a" };

function said(seq: number, by: Participant, text: string, minute = seq): Event {
  const at = new Date(2026, 0, 5, 12, minute).toISOString();
  return { conversationId: "c", seq, at, by, message: { clientMsgId: `id${seq}`, text } };
}

function waiting(id: string, text: string, status: OutboxEntry["status"] = "queued"): OutboxEntry {
  const createdAt = new Date(2026, 0, 5, 12, 30).getTime();
  const request = { send: { conversationId: "c", clientMsgId: id, text } };
  return { id, conversationId: "c", order: 1, createdAt, request, status, attempts: 0 };
}

function messages(view: Partial<ThreadView>): MessageLine[] {
  const lines = threadLines({
    events: [],
    entries: [],
    me,
    peerReadSeq: 0,
    isOurs: (by) => by.party === "PARTY_VISITOR",
    isNotice: () => false,
    ...view,
  });
  return lines.filter((line) => line.kind === "message");
}

describe("threadLines", () => {
  it("marks own messages as sent, read, waiting or failed", () => {
    const lines = messages({
      events: [said(1, me, "one"), said(2, agent, "two"), said(3, me, "three")],
      entries: [waiting("x", "four"), waiting("y", "five", "failed")],
      peerReadSeq: 2,
    });
    const marks = lines.map((line) => [line.text, line.mark]);
    expect(marks).toEqual([
      ["one", "read"],
      ["two", undefined],
      ["three", "sent"],
      ["four", "waiting"],
      ["five", "failed"],
    ]);
  });

  it("keeps notes and whispers apart from what is said to everybody", () => {
    const at = new Date(2026, 0, 5, 12, 2).toISOString();
    const body = { clientMsgId: "n", text: "aside" };
    const lines = messages({
      events: [
        said(1, agent, "one"),
        { conversationId: "c", seq: 2, at, by: agent, note: body },
        { conversationId: "c", seq: 3, at, by: agent, whisper: { ...body, clientMsgId: "w" } },
      ],
    });
    expect(lines.map((line) => [line.tone, line.first, line.last])).toEqual([
      ["said", true, true],
      ["note", true, true],
      ["whisper", true, true],
    ]);
  });

  it("shows a message once while both its entry and its event are there", () => {
    const lines = messages({
      events: [said(1, me, "hi")],
      entries: [waiting("id1", "hi", "sent")],
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.key).toBe("mid1");
  });

  it("groups by writer until somebody else writes or time passes", () => {
    const lines = messages({
      events: [said(1, me, "a"), said(2, me, "b"), said(3, agent, "c"), said(4, me, "d", 40)],
    });
    expect(lines.map((line) => [line.first, line.last])).toEqual([
      [true, false],
      [false, true],
      [true, true],
      [true, true],
    ]);
  });

  it("puts a day line before the first message of each day", () => {
    const later: Event = { ...said(2, me, "b"), at: new Date(2026, 0, 6, 9).toISOString() };
    const kinds = threadLines({
      events: [said(1, me, "a"), later],
      entries: [],
      me,
      peerReadSeq: 0,
      isOurs: () => true,
      isNotice: () => false,
    }).map((line) => line.kind);
    expect(kinds).toEqual(["day", "message", "day", "message"]);
  });
});
