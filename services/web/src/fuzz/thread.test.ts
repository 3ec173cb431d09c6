// A conversation as the pages show it, from any events in any company.

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { serverBatch } from "../protocol/frame-shape";
import type { ConversationState, Event, Participant } from "../protocol/messages";
import type { OutboxEntry } from "../protocol/outbox";
import { AgentChat } from "../staff/chat";
import { alex } from "../staff/fake-page";
import { noticeText } from "../staff/notices";
import { ANY, agentRows, conversationRows, percent, totals, waitClock } from "../supervisor/rows";
import { threadLines } from "../ui/thread";
import { placeText, noticeText as visitorsNoticeText } from "../widget/sayings";
import en from "../widget/texts/en.json";
import { corpus } from "./corpus";
import { anyMessage } from "./schema";
import { anyText, damaged, RUNS } from "./values";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** As they come out of the connection. */
const read = (frame: unknown) => serverBatch({ frames: [frame] })?.frames?.[0] ?? {};
const eventsRead = damaged(anyMessage("Event")).map((event) => read({ event: { event } }).event);
const kept = [...corpus("frames"), ...corpus("hostile-frames")]
  .flatMap((batch) => serverBatch(batch)?.frames ?? [])
  .flatMap((frame) => frame.event?.event ?? []);

/** The events of one conversation in order, with gaps in the numbers. */
const threads = fc.array(fc.tuple(eventsRead, fc.nat(2)), { maxLength: 12 }).map((read) => {
  let seq = 0;
  return read.flatMap(([push, gap]): Event[] => {
    if (!push) return [];
    seq += 1 + gap;
    return [{ ...push.event, conversationId: "c1", seq }];
  });
});
const states = damaged(anyMessage("ConversationState")).map(
  (conversation) => read({ conversation }).conversation,
);

function chatOf(me: Participant = alex): AgentChat {
  return new AgentChat("c1", {
    me: () => me,
    changed: () => {},
    typing: () => {},
    upload: () => Promise.reject(new Error("none here")),
  });
}

/** What is to be seen of a chat. */
function shown(chat: AgentChat) {
  const { events, phase, queue, agent, guests, tags, alarms, extraMinutes, part, unread } = chat;
  const { page, contact, visitor, reading, waitingSince, lastAt } = chat;
  const rest = { page, contact, visitor, reading, waitingSince, lastAt, part, unread };
  return { events, phase, queue, agent, guests, tags, alarms, extraMinutes, ...rest };
}

describe("a chat of the staff", () => {
  it("is the same however its events are repeated", () => {
    fc.assert(
      fc.property(threads, fc.infiniteStream(fc.nat(3)), (events, repeats) => {
        const once = chatOf();
        for (const event of events) once.takeEvent(event);
        const often = chatOf();
        events.forEach((event, index) => {
          often.takeEvent(event);
          const [back = 0] = [...repeats.take(1)];
          for (const again of events.slice(Math.max(0, index - back), index + 1)) {
            often.takeEvent(again);
          }
        });
        expect(shown(often)).toEqual(shown(once));
        expect(once.events).toEqual(events);
      }),
      { numRuns: RUNS },
    );
  });

  it("is as the server says, whenever the events before that come", () => {
    fc.assert(
      fc.property(threads, states, (events, state) => {
        if (!state) return;
        const chat = chatOf();
        chat.takeState({ ...state, headSeq: 1_000_000 });
        for (const event of events) chat.takeEvent(event);
        expect(chat).toMatchObject({
          phase: state.phase,
          queue: state.queue ?? "",
          agent: state.agent,
          guests: state.guests ?? [],
          tags: state.tags ?? [],
          alarms: state.alarms ?? [],
          extraMinutes: state.extraPriorityMinutes ?? 0,
        });
      }),
      { numRuns: RUNS },
    );
  });

  it("is whole and in order when earlier pages come, however they overlap", () => {
    fc.assert(
      fc.property(threads, fc.nat(12), fc.array(fc.nat(12)), (events, from, pages) => {
        const chat = chatOf();
        for (const event of events.slice(from)) chat.takeEvent(event);
        for (const page of pages) chat.takeEarlier(events.slice(Math.max(0, from - page)), true);
        chat.takeEarlier(events, false);
        expect(chat.events).toEqual(events);
      }),
      { numRuns: RUNS },
    );
  });
});

const outboxEntries = fc.array(
  fc.record({ id: fc.uuid(), status: fc.constantFrom("queued", "sent", "failed"), text: anyText }),
  { maxLength: 3 },
);

describe("the lines of a thread", () => {
  it("have keys of their own, times that can be shown, and every word once", () => {
    fc.assert(
      fc.property(threads, outboxEntries, fc.nat(5), (events, waiting, seen) => {
        const entries = waiting.map(({ id, status, text }, order): OutboxEntry => {
          const send = { conversationId: "c1", clientMsgId: id, text };
          const stored = { id, conversationId: "c1", order, createdAt: 1, request: { send } };
          return { ...stored, status: status as OutboxEntry["status"], attempts: 0 };
        });
        const confirmed = entries.slice(0, seen).map(({ id }, index): Event => {
          const message = { clientMsgId: id, text: "x" };
          const seq = 1_000 + index;
          return { conversationId: "c1", seq, at: "2026-01-01T00:00:00Z", by: alex, message };
        });
        const all = [...unique(events), ...confirmed];
        const lines = threadLines({
          events: all,
          entries,
          me: alex,
          peerReadSeq: 3,
          isOurs: (by) => by.party !== "PARTY_VISITOR",
          isNotice: () => true,
        });
        const others = lines.filter((line) => line.kind !== "day");
        expect(new Set(others.map((line) => line.key)).size).toBe(others.length);
        expect(others).toHaveLength(all.length + entries.length - confirmed.length);
        for (const line of lines) expect(new Date(line.at).toISOString()).not.toBe("");
      }),
      { numRuns: RUNS },
    );
  });

  /** The server takes an id of a message once. */
  function unique(events: Event[]): Event[] {
    return events.map((event) => {
      const { clientMsgId: _, ...message } = event.message ?? {};
      return event.message ? { ...event, message } : event;
    });
  }
});

/** What is drawn where something is missing. */
const BROKEN = /undefined|\[object|NaN|function|native code/;

describe("what has happened", () => {
  const events = eventsRead.map((push) => push?.event ?? kept[0]);

  it("has words for the staff and for the visitor", () => {
    const plain = anyMessage("Event").map((event) => read({ event: { event } }).event?.event);
    const soundly = fc.oneof(plain, events);
    fc.assert(
      fc.property(soundly, (event) => {
        if (!event) return;
        // Words of people stand in it, too, and may be any.
        const own = JSON.stringify(event).match(BROKEN)?.[0];
        for (const text of [noticeText(event), visitorsNoticeText(event, en) ?? "-"]) {
          expect(typeof text).toBe("string");
          expect(text).not.toBe("");
          if (!own) expect(text).not.toMatch(BROKEN);
          expect(text.length).toBeLessThan(JSON.stringify(event).length + 200);
        }
      }),
      { numRuns: 3 * RUNS, examples: kept.map((event): [Event] => [event]) },
    );
  });

  it("has words for any place in a queue", () => {
    const places = damaged(anyMessage("QueuePush")).map((queue) => read({ queue }).queue);
    fc.assert(
      fc.property(places, fc.date({ noInvalidDate: true }), (place, now) => {
        const text = placeText(place, en, "en", now.getTime());
        expect(text).not.toMatch(/undefined|NaN|\{/);
        expect(text).not.toBe("");
      }),
      { numRuns: RUNS },
    );
  });
});

describe("the board", () => {
  const boards = damaged(anyMessage("BoardPush")).map((board) => read({ board }).board ?? {});

  it("adds up", () => {
    fc.assert(
      fc.property(boards, (board) => {
        for (const one of Object.values(totals(board))) {
          expect(one === undefined || Number.isFinite(one)).toBe(true);
        }
        for (const queue of board.queues ?? []) {
          expect(percent(queue.serviceLevel, "en")).not.toMatch(/NaN/);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it("has those at work first, then by name, and at the end what a newer server has", () => {
    const ranks = ["ONLINE", "BUSY", "AWAY", "OFFLINE", "NEW"].map((one) => `AGENT_STATUS_${one}`);
    const agent = fc.record({
      status: fc.constantFrom(...ranks),
      agent: fc.record({ name: anyText }),
    });
    fc.assert(
      fc.property(fc.array(agent, { maxLength: 12 }), (states) => {
        const board = read({ board: { agents: states.map((state) => ({ state })) } }).board ?? {};
        const rows = agentRows(board);
        expect(rows).toHaveLength(states.length);
        const rank = (row: number) => ranks.indexOf(rows[row]?.state?.status ?? "");
        const name = (row: number) => rows[row]?.state?.agent?.name ?? "";
        for (let later = 1; later < rows.length; later += 1) {
          for (let row = 0; row < later; row += 1) {
            expect(rank(row)).toBeLessThanOrEqual(rank(later));
            if (rank(row) === rank(later)) {
              expect(name(row).localeCompare(name(later))).toBeLessThanOrEqual(0);
            }
          }
        }
      }),
      { numRuns: RUNS },
    );
  });

  it("lists what the filter names, in the server's order", () => {
    fc.assert(
      fc.property(boards, anyText, (board, text) => {
        const all: ConversationState[] = board.conversations ?? [];
        expect(conversationRows(board, ANY)).toEqual(all);
        const some = conversationRows(board, { ...ANY, text });
        expect(some).toEqual(all.filter((one) => some.includes(one)));
      }),
      { numRuns: RUNS },
    );
  });

  it("has a clock for any wait", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (ms) => {
        expect(waitClock(ms)).not.toMatch(/NaN|-/);
      }),
      { numRuns: RUNS, examples: [[0], [59_999], [60_000]] },
    );
  });
});
