// The messages of `proto/frontdesk/v1` in the canonical proto3 JSON mapping, as
// the subprotocol `frontdesk.v1.json` carries them. The server omits default
// values, so a number that is absent is 0 and a text that is absent is "".
//
// Only types: nothing here runs. Documentation and limits are in the `.proto`.

/** RFC 3339. */
export type Timestamp = string;
/** Seconds with an `s`, such as `"1.5s"`. */
export type Duration = string;

// ---- event.proto ----------------------------------------------------------

export type Audience = "AUDIENCE_PUBLIC" | "AUDIENCE_INTERNAL";

export type Party = "PARTY_VISITOR" | "PARTY_AGENT" | "PARTY_SUPERVISOR" | "PARTY_SYSTEM";

export interface Participant {
  party?: Party;
  id?: string;
  name?: string;
}

export interface Attachment {
  id: string;
  name?: string;
  mediaType?: string;
  size?: number;
}

export interface Started {
  attributes?: Record<string, string>;
  page?: string;
  language?: string;
  site?: string;
}

export interface Message {
  clientMsgId?: string;
  text?: string;
  attachments?: Attachment[];
}

export interface Note {
  clientMsgId?: string;
  text?: string;
}

export type QueuedReason =
  | "QUEUED_REASON_STARTED"
  | "QUEUED_REASON_REOPENED"
  | "QUEUED_REASON_TRANSFERRED"
  | "QUEUED_REASON_AGENT_LOST"
  | "QUEUED_REASON_OUT_OF_HOURS"
  | "QUEUED_REASON_QUEUE_FULL"
  | "QUEUED_REASON_WAITED_TOO_LONG"
  | "QUEUED_REASON_CONTACT_LEFT";

export interface Queued {
  queue?: string;
  reason?: QueuedReason;
}

export interface Offered {
  offerId?: string;
  agent?: Participant;
  expiresAt?: Timestamp;
}

export type OfferOutcome =
  | "OFFER_OUTCOME_DECLINED"
  | "OFFER_OUTCOME_EXPIRED"
  | "OFFER_OUTCOME_WITHDRAWN";

export interface OfferEnded {
  offerId?: string;
  agent?: Participant;
  outcome?: OfferOutcome;
  reason?: string;
}

export interface Assigned {
  agent?: Participant;
}

export type ReleasedReason = "RELEASED_REASON_TRANSFERRED" | "RELEASED_REASON_AGENT_LOST";

export interface Released {
  agent?: Participant;
  reason?: ReleasedReason;
}

export interface Transferred {
  toQueue?: string;
  toAgent?: Participant;
  note?: string;
}

export interface TagsChanged {
  tags?: string[];
}

export type ClosedReason =
  | "CLOSED_REASON_BY_VISITOR"
  | "CLOSED_REASON_BY_AGENT"
  | "CLOSED_REASON_OUT_OF_HOURS"
  | "CLOSED_REASON_QUEUE_FULL"
  | "CLOSED_REASON_WAITED_TOO_LONG";

export interface Closed {
  reason?: ClosedReason;
}

export interface Rated {
  score?: number;
  comment?: string;
}

export type UnservedReason =
  | "UNSERVED_REASON_OUT_OF_HOURS"
  | "UNSERVED_REASON_QUEUE_FULL"
  | "UNSERVED_REASON_WAITED_TOO_LONG";

export interface ContactAsked {
  reason?: UnservedReason;
  opensAt?: Timestamp;
}

export interface ContactLeft {
  email?: string;
  phone?: string;
  text?: string;
}

/** One durable event; exactly one of the bodies is present. */
export interface Event {
  conversationId: string;
  seq: number;
  at: Timestamp;
  audience?: Audience;
  by?: Participant;

  started?: Started;
  message?: Message;
  note?: Note;
  queued?: Queued;
  offered?: Offered;
  offerEnded?: OfferEnded;
  assigned?: Assigned;
  released?: Released;
  transferred?: Transferred;
  tagsChanged?: TagsChanged;
  closed?: Closed;
  reopened?: Record<string, never>;
  rated?: Rated;
  contactAsked?: ContactAsked;
  contactLeft?: ContactLeft;
}

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
  channel?: string;
  firstMessage?: SendMessage;
}

export interface AddNote {
  conversationId: string;
  clientMsgId: string;
  text: string;
}

export interface TransferConversation {
  conversationId: string;
  queue?: string;
  agentId?: string;
  note?: string;
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
}

export interface AgentState {
  agent?: Participant;
  status?: AgentStatus;
  reason?: string;
  since?: Timestamp;
  capacity?: number;
  load?: number;
  connections?: number;
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
}

export interface ServerBatch {
  frames?: ServerFrame[];
}
