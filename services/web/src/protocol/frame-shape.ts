// How the messages of `messages.ts` that a server sends are read.

import type { BoardAgent, BoardPush, BoardQueue, QueueState } from "./board";
import { attachment, consent, event, participant } from "./event-shape";
import type {
  AgentState,
  AlarmKind,
  Bye,
  ConsentText,
  ConversationState,
  EventPush,
  History,
  InvitationPush,
  MentionPush,
  Move,
  OfferClosedPush,
  OfferPush,
  QueuePush,
  ReadPush,
  Sent,
  ServerBatch,
  ServerError,
  ServerFrame,
  Team,
  Token,
  TypingPush,
  Welcome,
} from "./messages";
import {
  count,
  flag,
  id,
  instant,
  list,
  map,
  message,
  nothing,
  type Shape,
  share,
  signed,
  text,
  word,
} from "./shape";

export { attachment };

/** The board of a large site is some megabytes; everything else is far smaller. */
export const MOST_OF_A_BATCH = 16 * 1024 * 1024;
/** Tokens and what is said of a file. */
export const MOST_OF_AN_ANSWER = 256 * 1024;

/** Not empty: it is of no use else. */
const secret: Shape<string> = (value) => text(value) || undefined;

export const token = message<Token>(
  { token: secret, expiresAt: instant, subject: participant, site: text },
  "token",
  "expiresAt",
);

const serverError = message<ServerError>({
  code: word,
  message: text,
  retryable: flag,
  retryAfter: text,
  conversationId: text,
});

const queue = message<QueuePush>(
  {
    conversationId: id,
    position: count,
    estimatedWait: text,
    estimatedWaitUpper: text,
    agentsOnline: flag,
    opensAt: instant,
  },
  "conversationId",
);

const offer = message<OfferPush>(
  {
    offerId: id,
    conversationId: id,
    queue: text,
    visitor: participant,
    expiresAt: instant,
    waitingSince: instant,
    preview: text,
    language: text,
    note: text,
  },
  "offerId",
  "conversationId",
  "expiresAt",
);

const conversation = message<ConversationState>(
  {
    conversationId: id,
    phase: word,
    queue: text,
    visitor: participant,
    agent: participant,
    headSeq: count,
    startedAt: instant,
    lastEventAt: instant,
    visitorReadSeq: count,
    agentReadSeq: count,
    tags: list(text),
    attributes: map(text),
    language: text,
    queuePosition: queue,
    offer,
    guests: list(participant),
    extraPriorityMinutes: signed,
    channel: text,
    alarms: list<AlarmKind>(word),
    waitingSince: instant,
    consent,
    erased: flag,
  },
  "conversationId",
);

const agentState = message<AgentState>({
  agent: participant,
  status: word,
  reason: text,
  since: instant,
  capacity: count,
  load: count,
  connections: count,
  languages: list(text),
  missedOffers: count,
});

const consentText = message<ConsentText>({ version: text, text: map(text), link: text }, "version");

const welcome = message<Welcome>({
  sessionId: text,
  you: participant,
  site: text,
  serverTime: instant,
  pingInterval: text,
  maxBatchBytes: count,
  maxBatchFrames: count,
  maxTextBytes: count,
  tokenExpiresAt: instant,
  resumed: list(conversation),
  agentState,
  consent: consentText,
});

const eventPush = message<EventPush>({ event, prev: count }, "event");

const boardQueue = message<BoardQueue>({
  state: message<QueueState>({
    queue: text,
    waiting: count,
    offered: count,
    oldestSince: instant,
    estimatedWait: text,
    agentsOnline: count,
  }),
  assigned: count,
  agentsOnline: count,
  agentsBusy: count,
  agentsAway: count,
  freeSlots: count,
  open: flag,
  serviceLevel: share,
  arrivals: count,
  served: count,
  abandoned: count,
});

const board = message<BoardPush>({
  at: instant,
  queues: list(boardQueue),
  agents: list(message<BoardAgent>({ state: agentState, conversations: count })),
  conversations: list(conversation),
  moreConversations: flag,
});

const serverFrame = message<ServerFrame>({
  id: count,

  welcome,
  done: nothing,
  // A refusal that cannot be read must not be taken for an answer.
  error: (value) => serverError(value) ?? (value == null ? undefined : {}),
  sent: message<Sent>({
    conversationId: text,
    clientMsgId: text,
    seq: count,
    at: instant,
    duplicate: flag,
  }),
  conversation,
  history: message<History>({ conversationId: text, events: list(eventPush), more: flag }),
  conversationList: message<{ conversations?: ConversationState[] }>({
    conversations: list(conversation),
  }),
  tokenRefreshed: message<{ token: string; expiresAt: string }>(
    { token: secret, expiresAt: instant },
    "token",
    "expiresAt",
  ),
  team: message<Team>({ agents: list(agentState), queues: list(text), skills: map(count) }),

  event: eventPush,
  typing: message<TypingPush>(
    { conversationId: id, by: participant, typing: flag },
    "conversationId",
  ),
  read: message<ReadPush>({ conversationId: id, by: participant, seq: count }, "conversationId"),
  queue,
  offer,
  offerClosed: message<OfferClosedPush>(
    { offerId: id, conversationId: text, outcome: word },
    "offerId",
  ),
  agentState,
  ping: nothing,
  move: message<Move>({ reason: text, delay: text }),
  bye: message<Bye>({ code: count, reason: text }),
  invitation: message<InvitationPush>(
    {
      conversationId: id,
      by: participant,
      note: text,
      visitor: participant,
      queue: text,
      preview: text,
      language: text,
      seq: count,
      again: flag,
    },
    "conversationId",
  ),
  mention: message<MentionPush>(
    { conversationId: id, by: participant, seq: count, text, again: flag },
    "conversationId",
  ),
  board,
});

export const serverBatch = message<ServerBatch>({ frames: list(serverFrame) });
