// The messages of `proto/frontdesk/v1` in the canonical proto3 JSON mapping, as
// the subprotocol `frontdesk.v1.json` carries them. The server omits default
// values, so a number that is absent is 0 and a text that is absent is "".
//
// Only types: nothing here runs. Documentation and limits are in the `.proto`; the
// events are in `events.ts`, the supervisors' board in `board.ts`.

import type { BoardPush } from "./board";
import type {
  AlarmKind,
  Consent,
  ContactLeft,
  Event,
  OfferOutcome,
  Participant,
  Timestamp,
} from "./events";

export type * from "./board";
export type * from "./events";

/** Seconds with an `s`, such as `"1.5s"`. */
export type Duration = string;

// ---- auth.proto -----------------------------------------------------------

export interface Token {
  token: string;
  expiresAt: Timestamp;
  subject?: Participant;
  site?: string;
}

// ---- chat.proto: requests -------------------------------------------------

export interface Cursor {
  conversationId: string;
  seq: number;
}

export interface Hello {
  token: string;
  resume?: Cursor[];
  client?: string;
}

export interface SendMessage {
  conversationId?: string;
  clientMsgId: string;
  text?: string;
  attachmentIds?: string[];
  afterClientMsgId?: string;
}

export interface StartConversation {
  conversationId: string;
  queue?: string;
  attributes?: Record<string, string>;
  page?: string;
  language?: string;
  visitorName?: string;
  firstMessage?: SendMessage;
  /** By what way it comes, such as "web". */
  channel?: string;
  /** Of `Welcome.consent`, which the visitor has agreed to. */
  consentVersion?: string;
}

/** What visitors have to agree to before they start. */
export interface ConsentText {
  version: string;
  /** By language tag. */
  text?: Record<string, string>;
  link?: string;
}

export interface AddNote {
  conversationId: string;
  clientMsgId: string;
  text: string;
  mentionAgentIds?: string[];
}

/** To whom a conversation is handed: exactly one of them. */
export type TransferTarget =
  | { queue: string }
  | { agentId: string }
  | { skill: { skills: Record<string, number> } };

export type TransferConversation = {
  conversationId: string;
  note?: string;
  /** The agent who hands it on stays with it as a guest. */
  warm?: boolean;
} & TransferTarget;

export interface WhisperRequest {
  conversationId: string;
  clientMsgId: string;
  text: string;
}

export type AgentStatus =
  | "AGENT_STATUS_ONLINE"
  | "AGENT_STATUS_BUSY"
  | "AGENT_STATUS_AWAY"
  | "AGENT_STATUS_OFFLINE";

type Empty = Record<string, never>;

/** The oneof of ClientFrame: the name of a request and its message. */
export interface ClientRequests {
  hello: Hello;
  refreshToken: { token?: string };
  pong: Empty;
  start: StartConversation;
  rate: { conversationId: string; score: number; comment?: string };
  reopen: { conversationId: string };
  leaveContact: { conversationId: string } & ContactLeft;
  send: SendMessage;
  typing: { conversationId: string; typing: boolean };
  markRead: Cursor;
  close: { conversationId: string };
  subscribe: { cursor: Cursor };
  unsubscribe: { conversationId: string };
  getHistory: { conversationId: string; afterSeq?: number; limit?: number; backwards?: boolean };
  listConversations: { limit?: number; includeClosed?: boolean };
  setStatus: { status: AgentStatus; reason?: string };
  acceptOffer: { conversationId: string; offerId: string };
  declineOffer: { conversationId: string; offerId: string; reason?: string };
  addNote: AddNote;
  transfer: TransferConversation;
  setTags: { conversationId: string; tags: string[] };
  listTeam: Empty;
  invite: { conversationId: string; agentId: string; note?: string };
  join: { conversationId: string };
  leave: { conversationId: string; agentId?: string };
  whisper: WhisperRequest;
  takeOver: { conversationId: string };
  forceRelease: { conversationId: string; reason?: string; agentId?: string };
  setPriority: { conversationId: string; extraMinutes: number };
  watchBoard: { on: boolean };
}

/** Exactly one of the members of T. */
type OneOf<T> = {
  [K in keyof T]: { [P in K]: T[P] } & { [P in Exclude<keyof T, K>]?: never };
}[keyof T];

export type ClientRequest = OneOf<ClientRequests>;
export type ClientFrame = { id?: number } & ClientRequest;
export interface ClientBatch {
  frames: ClientFrame[];
}

// ---- chat.proto: replies and pushes ---------------------------------------

export type ErrorCode =
  | "ERROR_CODE_INVALID_ARGUMENT"
  | "ERROR_CODE_UNAUTHENTICATED"
  | "ERROR_CODE_PERMISSION_DENIED"
  | "ERROR_CODE_NOT_FOUND"
  | "ERROR_CODE_FAILED_PRECONDITION"
  | "ERROR_CODE_RATE_LIMITED"
  | "ERROR_CODE_UNAVAILABLE"
  | "ERROR_CODE_UNIMPLEMENTED"
  | "ERROR_CODE_INTERNAL";

export interface ServerError {
  code?: ErrorCode;
  message?: string;
  retryable?: boolean;
  retryAfter?: Duration;
  conversationId?: string;
}

export type Phase = "PHASE_WAITING" | "PHASE_OFFERED" | "PHASE_ASSIGNED" | "PHASE_CLOSED";

export interface QueuePush {
  conversationId: string;
  position?: number;
  estimatedWait?: Duration;
  /** The wait will hardly be longer than this. */
  estimatedWaitUpper?: Duration;
  agentsOnline?: boolean;
  opensAt?: Timestamp;
}

export interface OfferPush {
  offerId: string;
  conversationId: string;
  queue?: string;
  visitor?: Participant;
  expiresAt: Timestamp;
  waitingSince?: Timestamp;
  preview?: string;
  language?: string;
  note?: string;
}

export interface OfferClosedPush {
  offerId: string;
  conversationId: string;
  outcome?: OfferOutcome;
}

export interface InvitationPush {
  conversationId: string;
  by?: Participant;
  note?: string;
  visitor?: Participant;
  queue?: string;
  preview?: string;
  language?: string;
  seq?: number;
  /** It was sent before; the connection is new. */
  again?: boolean;
}

export interface MentionPush {
  conversationId: string;
  by?: Participant;
  seq?: number;
  text?: string;
  /** It was sent before; the connection is new. */
  again?: boolean;
}

export interface ConversationState {
  conversationId: string;
  phase?: Phase;
  queue?: string;
  visitor?: Participant;
  agent?: Participant;
  headSeq?: number;
  startedAt?: Timestamp;
  lastEventAt?: Timestamp;
  visitorReadSeq?: number;
  agentReadSeq?: number;
  tags?: string[];
  attributes?: Record<string, string>;
  language?: string;
  queuePosition?: QueuePush;
  offer?: OfferPush;
  guests?: Participant[];
  extraPriorityMinutes?: number;
  channel?: string;
  alarms?: AlarmKind[];
  /** On the board, while it waits or is offered. */
  waitingSince?: Timestamp;
  consent?: Consent;
  erased?: boolean;
}

export interface AgentState {
  agent?: Participant;
  status?: AgentStatus;
  reason?: string;
  since?: Timestamp;
  capacity?: number;
  load?: number;
  connections?: number;
  languages?: string[];
  /** Offers in a row that were not answered. */
  missedOffers?: number;
}

export interface Welcome {
  sessionId?: string;
  you?: Participant;
  site?: string;
  serverTime?: Timestamp;
  pingInterval?: Duration;
  maxBatchBytes?: number;
  maxBatchFrames?: number;
  maxTextBytes?: number;
  tokenExpiresAt?: Timestamp;
  resumed?: ConversationState[];
  agentState?: AgentState;
  consent?: ConsentText;
}

export interface Sent {
  conversationId?: string;
  clientMsgId?: string;
  seq?: number;
  at?: Timestamp;
  duplicate?: boolean;
}

export interface EventPush {
  event: Event;
  prev?: number;
}

export interface History {
  conversationId?: string;
  events?: EventPush[];
  more?: boolean;
}

export interface TypingPush {
  conversationId: string;
  by?: Participant;
  typing?: boolean;
}

export interface ReadPush {
  conversationId: string;
  by?: Participant;
  seq?: number;
}

export interface Team {
  agents?: AgentState[];
  queues?: string[];
  /** Name to the best level that a colleague who is there has. */
  skills?: Record<string, number>;
}

export interface Move {
  reason?: string;
  delay?: Duration;
}

export interface Bye {
  code?: number;
  reason?: string;
}

/** One reply (with `id`) or push (without); exactly one member is present. */
export interface ServerFrame {
  id?: number;

  welcome?: Welcome;
  done?: Empty;
  error?: ServerError;
  sent?: Sent;
  conversation?: ConversationState;
  history?: History;
  conversationList?: { conversations?: ConversationState[] };
  tokenRefreshed?: { token: string; expiresAt: Timestamp };
  team?: Team;

  event?: EventPush;
  typing?: TypingPush;
  read?: ReadPush;
  queue?: QueuePush;
  offer?: OfferPush;
  offerClosed?: OfferClosedPush;
  agentState?: AgentState;
  ping?: Empty;
  move?: Move;
  bye?: Bye;
  invitation?: InvitationPush;
  mention?: MentionPush;
  board?: BoardPush;
}

export interface ServerBatch {
  frames?: ServerFrame[];
}
