// How the events of `events.ts` are read.

import type {
  AlarmRaised,
  Attachment,
  Closed,
  Consent,
  ContactAsked,
  ContactLeft,
  Event,
  Invited,
  Left,
  Message,
  Note,
  OfferEnded,
  Offered,
  Participant,
  PriorityChanged,
  Queued,
  Rated,
  Released,
  Started,
  TagsChanged,
  Transferred,
  Whisper,
} from "./events";
import {
  count,
  flag,
  id,
  instant,
  list,
  map,
  message,
  nothing,
  orElse,
  signed,
  text,
  whole,
  word,
} from "./shape";

/** The first event is 1. */
const place = whole(1, 2 ** 32 - 1);

/** When something was of which nobody says when. */
const LONG_AGO = "1970-01-01T00:00:00Z";

export const participant = message<Participant>({ party: word, id: text, name: text });

export const attachment = message<Attachment>(
  { id, name: text, mediaType: text, size: count },
  "id",
);

export const consent = message<Consent>({ version: text, acceptedAt: instant });

/** An event about one of the staff alone. */
const ofAgent = message<{ agent?: Participant }>({ agent: participant });

const bodies = {
  started: message<Started>({
    attributes: map(text),
    page: text,
    language: text,
    site: text,
    consent,
  }),
  message: message<Message>({ clientMsgId: text, text, attachments: list(attachment) }),
  note: message<Note>({ clientMsgId: text, text, mentions: list(participant) }),
  whisper: message<Whisper>({ clientMsgId: text, text }),
  queued: message<Queued>({ queue: text, reason: word }),
  offered: message<Offered>({ offerId: text, agent: participant, expiresAt: instant }),
  offerEnded: message<OfferEnded>({
    offerId: text,
    agent: participant,
    outcome: word,
    reason: text,
  }),
  assigned: ofAgent,
  released: message<Released>({ agent: participant, reason: word }),
  transferred: message<Transferred>({
    toQueue: text,
    toAgent: participant,
    note: text,
    toSkills: map(count),
    warm: flag,
  }),
  transferReturned: message<{ toAgent?: Participant }>({ toAgent: participant }),
  tagsChanged: message<TagsChanged>({ tags: list(text) }),
  closed: message<Closed>({ reason: word }),
  erased: message<{ reason?: string }>({ reason: text }),
  reopened: nothing,
  rated: message<Rated>({ score: count, comment: text }),
  contactAsked: message<ContactAsked>({ reason: word, opensAt: instant }),
  contactLeft: message<ContactLeft>({ email: text, phone: text, text }),
  invited: message<Invited>({ agent: participant, note: text }),
  joined: ofAgent,
  left: message<Left>({ agent: participant, byOther: flag }),
  priorityChanged: message<PriorityChanged>({ extraMinutes: signed }),
  alarmRaised: message<AlarmRaised>({ kind: word, actions: list(text) }),
};

/** An event of which only the place must be known: what it says may be new. */
export const event = message<Event>(
  {
    conversationId: id,
    seq: place,
    at: orElse(instant, LONG_AGO),
    audience: word,
    by: participant,
    ...bodies,
  },
  "conversationId",
  "seq",
);
