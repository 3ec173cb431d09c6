// What supervisors see of their site, as `chat.proto` pushes it in the canonical
// proto3 JSON mapping. Only types: nothing here runs.

import type { Timestamp } from "./events";
import type { AgentState, ConversationState, Duration } from "./messages";

/** A queue at this moment; of `admin.proto`. */
export interface QueueState {
  queue?: string;
  waiting?: number;
  offered?: number;
  /** Since when the first one waits. */
  oldestSince?: Timestamp;
  estimatedWait?: Duration;
  agentsOnline?: number;
}

export interface BoardQueue {
  state?: QueueState;
  assigned?: number;
  agentsOnline?: number;
  agentsBusy?: number;
  agentsAway?: number;
  freeSlots?: number;
  open?: boolean;
  /** 0 to 1; absent while nothing was counted today. */
  serviceLevel?: number;
  arrivals?: number;
  served?: number;
  abandoned?: number;
}

export interface BoardAgent {
  state?: AgentState;
  conversations?: number;
}

export interface BoardPush {
  at?: Timestamp;
  queues?: BoardQueue[];
  agents?: BoardAgent[];
  /** Those that wait or are with an agent, the longest waiting first. */
  conversations?: ConversationState[];
  /** There are more conversations than are listed. */
  moreConversations?: boolean;
}
