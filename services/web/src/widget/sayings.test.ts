import { describe, expect, it } from "vitest";
import type { Event, QueuePush } from "../protocol";
import { noticeText, placeText } from "./sayings";
import en from "./texts/en.json";

const notice = (body: Partial<Event>) =>
  noticeText({ conversationId: "c", seq: 1, at: "2026-01-01T00:00:00Z", ...body }, en);
const agent = { party: "PARTY_AGENT", id: "a", name: "Alex" } as const;

describe("noticeText", () => {
  it("says who comes and who goes", () => {
    expect(notice({ assigned: { agent } })).toBe("Alex joined the chat");
    expect(notice({ joined: { agent } })).toBe("Alex joined the chat");
    expect(notice({ left: { agent } })).toBe("Alex left the chat");
    expect(notice({ released: { agent, reason: "RELEASED_REASON_AGENT_LOST" } })).toMatch(
      /finding someone else/,
    );
    expect(notice({ released: { agent, reason: "RELEASED_REASON_TAKEN_OVER" } })).toBe(
      "Alex left the chat",
    );
  });

  it("says how it ended, and nothing where a form does", () => {
    expect(notice({ closed: { reason: "CLOSED_REASON_VISITOR_LOST" } })).toMatch(/you were away/);
    expect(notice({ closed: { reason: "CLOSED_REASON_BY_AGENT" }, by: agent })).toBe(
      "Alex ended the chat",
    );
    expect(notice({ closed: { reason: "CLOSED_REASON_QUEUE_FULL" } })).toBeUndefined();
    expect(notice({ closed: { reason: "CLOSED_REASON_NEW" as never } })).toBe("The chat ended");
  });
});

describe("placeText", () => {
  const place = (of: Partial<QueuePush>) =>
    placeText({ conversationId: "c", agentsOnline: true, ...of }, en, "en", 0);

  it("gives the wait as an interval where one is known", () => {
    expect(place({ estimatedWait: "120s", estimatedWaitUpper: "400s" })).toBe(
      "about 2 to 7 min to go",
    );
    expect(place({ estimatedWait: "10s", estimatedWaitUpper: "200s" })).toBe(
      "about 1 to 3 min to go",
    );
    expect(place({ estimatedWait: "120s", estimatedWaitUpper: "130s" })).toBe("about 2 min to go");
    expect(place({ estimatedWait: "120s" })).toBe("about 2 min to go");
    expect(place({ estimatedWait: "5s", estimatedWaitUpper: "20s" })).toBe(
      "less than a minute to go",
    );
  });

  it("says so when nothing is known, or nobody is there", () => {
    expect(place({})).toBe("Connecting you…");
    expect(place({ agentsOnline: false, estimatedWait: "5s" })).toMatch(/Nobody is here/);
  });
});
