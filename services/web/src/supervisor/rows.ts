// The board's numbers and lists as its tables show them. Pure.

import {
  type AgentStatus,
  type BoardAgent,
  type BoardPush,
  type BoardQueue,
  type ConversationState,
  timestampMs,
} from "../protocol";
import { visitorName } from "../staff/chat";

/** Which conversations are to be listed. */
export interface Filter {
  /** Words that the visitor's name, the agent's, a tag or the queue have in them. */
  text: string;
  queue: string;
  agentId: string;
  state: "any" | "waiting" | "assigned" | "alarmed";
}

export const ANY: Filter = { text: "", queue: "", agentId: "", state: "any" };

/** The site in one line. */
export interface Totals {
  waiting: number;
  assigned: number;
  /** Since when the first one waits; milliseconds since 1970. */
  oldestSince: number | undefined;
  online: number;
  arrivals: number;
  abandoned: number;
}

export function totals(board: BoardPush): Totals {
  const queues = board.queues ?? [];
  const sum = (of: (queue: BoardQueue) => number | undefined) =>
    queues.reduce((total, queue) => total + (of(queue) ?? 0), 0);
  const oldest = queues.flatMap((queue) => oldestSince(queue) ?? []);
  return {
    waiting: sum((queue) => queue.state?.waiting),
    assigned: sum((queue) => queue.assigned),
    oldestSince: oldest.length > 0 ? Math.min(...oldest) : undefined,
    // An agent serves several queues, so queues cannot be summed for this.
    online: (board.agents ?? []).filter((one) => statusOf(one) === "AGENT_STATUS_ONLINE").length,
    arrivals: sum((queue) => queue.arrivals),
    abandoned: sum((queue) => queue.abandoned),
  };
}

/** Since when a queue's first one waits; milliseconds since 1970. */
export function oldestSince({ state }: BoardQueue): number | undefined {
  return state?.oldestSince === undefined ? undefined : timestampMs(state.oldestSince, 0);
}

function statusOf(agent: BoardAgent): AgentStatus {
  return agent.state?.status ?? "AGENT_STATUS_OFFLINE";
}

const STATUS_ORDER: Record<AgentStatus, number> = {
  AGENT_STATUS_ONLINE: 0,
  AGENT_STATUS_BUSY: 1,
  AGENT_STATUS_AWAY: 2,
  AGENT_STATUS_OFFLINE: 3,
};

/** Those at work first, then by name. */
export function agentRows(board: BoardPush): BoardAgent[] {
  const nameOf = (agent: BoardAgent) => agent.state?.agent?.name ?? "";
  // Whatever a newer server has besides comes last.
  const orderOf = (agent: BoardAgent) => STATUS_ORDER[statusOf(agent)] ?? 4;
  return [...(board.agents ?? [])].sort(
    (a, b) => orderOf(a) - orderOf(b) || nameOf(a).localeCompare(nameOf(b)),
  );
}

/** The conversations that the filter lets through, in the server's order. */
export function conversationRows(board: BoardPush, filter: Filter): ConversationState[] {
  const wanted = filter.text.trim().toLocaleLowerCase();
  return (board.conversations ?? []).filter(
    (one) =>
      (!filter.queue || one.queue === filter.queue) &&
      (!filter.agentId || involves(one, filter.agentId)) &&
      isIn(one, filter.state) &&
      (!wanted || wordsOf(one).some((word) => word.toLocaleLowerCase().includes(wanted))),
  );
}

function involves(state: ConversationState, agentId: string): boolean {
  return [state.agent, ...(state.guests ?? [])].some((one) => one?.id === agentId);
}

function isIn(one: ConversationState, state: Filter["state"]): boolean {
  const assigned = one.phase === "PHASE_ASSIGNED";
  if (state === "assigned") return assigned;
  if (state === "waiting") return !assigned;
  return state === "any" || (one.alarms?.length ?? 0) > 0;
}

function wordsOf(one: ConversationState): string[] {
  const { visitor, agent, queue = "", tags = [], language = "" } = one;
  return [visitorName(visitor, one.conversationId), agent?.name ?? "", queue, language, ...tags];
}

/** A share as per cent: "93 %". */
export function percent(share: number | undefined, language: string): string {
  if (share === undefined) return "–";
  const format = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });
  return format.format(share);
}

/** A wait that runs: "45 s", "3 m 05 s", "1 h 04 m". */
export function waitClock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, "0");
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${two(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${two(minutes % 60)} m` : `${Math.floor(hours / 24)} d`;
}
