import { describe, expect, it } from "vitest";
import type { BoardPush, ConversationState } from "../protocol";
import { ada, alex, sam } from "../staff/fake-page";
import { ANY, agentRows, conversationRows, percent, totals, waitClock } from "./rows";

const conversations: ConversationState[] = [
  {
    conversationId: "1",
    phase: "PHASE_WAITING",
    queue: "tax",
    visitor: ada,
    alarms: ["ALARM_KIND_LATE"],
  },
  { conversationId: "2", phase: "PHASE_OFFERED", queue: "general", tags: ["urgent"] },
  { conversationId: "3", phase: "PHASE_ASSIGNED", queue: "tax", agent: alex, guests: [sam] },
];

const board: BoardPush = {
  conversations,
  queues: [
    {
      state: { queue: "tax", waiting: 2, oldestSince: "2026-01-01T00:00:05Z" },
      assigned: 1,
      arrivals: 7,
      abandoned: 1,
    },
    { state: { queue: "general", waiting: 1, oldestSince: "2026-01-01T00:00:01Z" } },
  ],
  agents: [
    { state: { agent: { id: "z", name: "Zoe" }, status: "AGENT_STATUS_AWAY" } },
    { state: { agent: sam, status: "AGENT_STATUS_ONLINE" } },
    { state: { agent: alex, status: "AGENT_STATUS_ONLINE" } },
    { state: { agent: { id: "k", name: "Kim" } } },
  ],
};

describe("totals", () => {
  it("sum the queues, and count an agent once", () => {
    expect(totals(board)).toEqual({
      waiting: 3,
      assigned: 1,
      oldestSince: Date.parse("2026-01-01T00:00:01Z"),
      online: 2,
      arrivals: 7,
      abandoned: 1,
    });
  });

  it("are nothing on an empty site", () => {
    expect(totals({})).toMatchObject({ waiting: 0, oldestSince: undefined, online: 0 });
  });
});

it("lists those at work first, then by name", () => {
  const names = agentRows(board).map((agent) => agent.state?.agent?.name);
  expect(names).toEqual(["Alex", "Sam", "Zoe", "Kim"]);
});

describe("conversationRows", () => {
  const ids = (filter: Partial<typeof ANY>) =>
    conversationRows(board, { ...ANY, ...filter }).map((one) => one.conversationId);

  it("lets all through without a filter, in the server's order", () => {
    expect(ids({})).toEqual(["1", "2", "3"]);
  });

  it("goes by queue, agent or guest, state and words", () => {
    expect(ids({ queue: "tax" })).toEqual(["1", "3"]);
    expect(ids({ agentId: "alex" })).toEqual(["3"]);
    expect(ids({ agentId: "sam" })).toEqual(["3"]);
    expect(ids({ state: "waiting" })).toEqual(["1", "2"]);
    expect(ids({ state: "assigned" })).toEqual(["3"]);
    expect(ids({ state: "alarmed" })).toEqual(["1"]);
    expect(ids({ text: "URG" })).toEqual(["2"]);
    expect(ids({ text: "ada", queue: "tax" })).toEqual(["1"]);
    expect(ids({ text: "ada", queue: "general" })).toEqual([]);
  });
});

it("shows shares and waits in words", () => {
  expect(percent(0.934, "en")).toBe("93%");
  expect(percent(undefined, "en")).toBe("–");
  const waits = [-5, 59_999, 185_000, 3_900_000, 49 * 3_600_000];
  expect(waits.map(waitClock)).toEqual(["0 s", "59 s", "3 m 05 s", "1 h 05 m", "2 d"]);
});
