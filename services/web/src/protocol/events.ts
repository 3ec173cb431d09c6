// The durable events of `proto/frontdesk/v1/event.proto` in the canonical proto3 JSON
// mapping. The server omits default values, so a number that is absent is 0 and a
// text that is absent is "".
//
// Only types: nothing here runs. Documentation and limits are in the `.proto`.

/** RFC 3339. */
export type Timestamp = string;

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
  consent?: Consent;
}

/** What the visitor has agreed to, and when. */
export interface Consent {
  version?: string;
  acceptedAt?: Timestamp;
}

export interface Message {
  clientMsgId?: string;
  text?: string;
  attachments?: Attachment[];
}

export interface Note {
  clientMsgId?: string;
  text?: string;
  mentions?: Participant[];
}

/** A supervisor's word to the staff. */
export interface Whisper {
  clientMsgId?: string;
  text?: string;
}

export interface Invited {
  agent?: Participant;
  note?: string;
}

export interface Joined {
  agent?: Participant;
}

export interface Left {
  agent?: Participant;
  /** Somebody else ended it for this guest. */
  byOther?: boolean;
}

export interface PriorityChanged {
  extraMinutes?: number;
}

export type AlarmKind =
  | "ALARM_KIND_LATE"
  | "ALARM_KIND_LONG_WAIT"
  | "ALARM_KIND_UNANSWERED"
  | "ALARM_KIND_ABANDONED"
  | "ALARM_KIND_VISITOR_LOST";

export interface AlarmRaised {
  kind?: AlarmKind;
  actions?: string[];
}

export interface TransferReturned {
  toAgent?: Participant;
}

export type QueuedReason =
  | "QUEUED_REASON_STARTED"
  | "QUEUED_REASON_REOPENED"
  | "QUEUED_REASON_TRANSFERRED"
  | "QUEUED_REASON_AGENT_LOST"
  | "QUEUED_REASON_OUT_OF_HOURS"
  | "QUEUED_REASON_QUEUE_FULL"
  | "QUEUED_REASON_WAITED_TOO_LONG"
  | "QUEUED_REASON_CONTACT_LEFT"
  | "QUEUED_REASON_RELEASED"
  | "QUEUED_REASON_TRANSFER_RETURNED"
  | "QUEUED_REASON_ALARM";

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

export type ReleasedReason =
  | "RELEASED_REASON_TRANSFERRED"
  | "RELEASED_REASON_AGENT_LOST"
  | "RELEASED_REASON_TAKEN_OVER"
  | "RELEASED_REASON_FORCED";

export interface Released {
  agent?: Participant;
  reason?: ReleasedReason;
}

export interface Transferred {
  toQueue?: string;
  toAgent?: Participant;
  note?: string;
  toSkills?: Record<string, number>;
  warm?: boolean;
}

export interface TagsChanged {
  tags?: string[];
}

export type ClosedReason =
  | "CLOSED_REASON_BY_VISITOR"
  | "CLOSED_REASON_BY_AGENT"
  | "CLOSED_REASON_OUT_OF_HOURS"
  | "CLOSED_REASON_QUEUE_FULL"
  | "CLOSED_REASON_WAITED_TOO_LONG"
  | "CLOSED_REASON_VISITOR_LOST"
  | "CLOSED_REASON_ERASED";

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
  /** What was said before is gone. */
  erased?: { reason?: string };
  reopened?: Record<string, never>;
  rated?: Rated;
  contactAsked?: ContactAsked;
  contactLeft?: ContactLeft;
  whisper?: Whisper;
  invited?: Invited;
  joined?: Joined;
  left?: Left;
  priorityChanged?: PriorityChanged;
  alarmRaised?: AlarmRaised;
  transferReturned?: TransferReturned;
}
