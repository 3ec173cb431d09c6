import { expect, it } from "vitest";
import type { Event } from "../protocol";
import { ada, alex, sam } from "./fake-page";
import { minutesText, noticeText } from "./notices";

const text = (body: Partial<Event>) =>
  noticeText({ conversationId: "c", seq: 1, at: "2026-01-01T00:00:00Z", by: sam, ...body });

it("says who did what to whom", () => {
  expect(text({ invited: { agent: alex, note: "tax" } })).toBe("Sam asked Alex to join: tax");
  expect(text({ joined: { agent: alex } })).toBe("Alex joined");
  expect(text({ left: { agent: alex } })).toBe("Alex left");
  expect(text({ left: { agent: alex, byOther: true } })).toBe("Sam let Alex go");
  expect(text({ released: { agent: alex, reason: "RELEASED_REASON_TAKEN_OVER" } })).toBe(
    "Sam took it over from Alex",
  );
  expect(text({ released: { agent: alex, reason: "RELEASED_REASON_FORCED" } })).toBe(
    "Sam took it from Alex",
  );
  expect(
    text({ transferred: { toQueue: "general", toSkills: { tax: 3, german: 1 }, warm: true } }),
  ).toBe("Handed to whoever has tax 3, german 1, who is introduced");
  expect(text({ transferReturned: { toAgent: alex } })).toBe(
    "Nobody took it: it goes back to Alex",
  );
  expect(text({ priorityChanged: { extraMinutes: -5 } })).toBe("Priority −5 min");
  expect(text({ alarmRaised: { kind: "ALARM_KIND_LATE" } })).toMatch(/^Late/);
  expect(text({ closed: { reason: "CLOSED_REASON_VISITOR_LOST" } })).toBe(
    "Ended: the visitor was gone",
  );
  expect(text({ started: {}, by: ada })).toBe("Ada started the chat");
});

it("has a word for what a newer server says", () => {
  expect(text({})).toBe("Something happened");
  expect(text({ queued: { queue: "tax", reason: "QUEUED_REASON_NEW" as never } })).toBe(
    "Waits in tax",
  );
});

it("has a sign before minutes", () => {
  expect([minutesText(10), minutesText(-10)]).toEqual(["+10 min", "−10 min"]);
});
