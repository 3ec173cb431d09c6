// How what an outbox has stored is read: by another version of the page it may have been
// written, or by anything else that runs on the site.

import type { AddNote, SendMessage, StartConversation, WhisperRequest } from "./messages";
import type { OutboxRequest, StoredEntry } from "./outbox";
import { count, id, list, type Members, map, message, type Shape, text, whole } from "./shape";

/** One request of each kind. */
type Requests = {
  [K in OutboxRequest as keyof K]?: K extends Record<keyof K, infer R> ? R : never;
};

/** Milliseconds since 1970 that make a date. */
const moment = whole(0, 8_640_000_000_000_000);

const about = message<{ conversationId: string }>({ conversationId: id }, "conversationId");

const send = message<SendMessage>(
  {
    conversationId: id,
    clientMsgId: id,
    text,
    attachmentIds: list(id),
    afterClientMsgId: text,
  },
  "clientMsgId",
);

const start = message<StartConversation>(
  {
    conversationId: id,
    queue: text,
    attributes: map(text),
    page: text,
    language: text,
    visitorName: text,
    firstMessage: send,
    channel: text,
    consentVersion: text,
  },
  "conversationId",
);

const kinds: Members<Requests> = {
  start,
  send: (value) => withConversation(send(value)),
  addNote: message<AddNote>(
    { conversationId: id, clientMsgId: id, text, mentionAgentIds: list(text) },
    "conversationId",
    "clientMsgId",
    "text",
  ),
  whisper: message<WhisperRequest>(
    { conversationId: id, clientMsgId: id, text },
    "conversationId",
    "clientMsgId",
    "text",
  ),
  rate: message<NonNullable<Requests["rate"]>>(
    { conversationId: id, score: count, comment: text },
    "conversationId",
    "score",
  ),
  reopen: about,
  leaveContact: message<NonNullable<Requests["leaveContact"]>>(
    { conversationId: id, email: text, phone: text, text },
    "conversationId",
  ),
  close: about,
};

/** Only the first message of a conversation goes without. */
function withConversation(read: SendMessage | undefined): SendMessage | undefined {
  return read?.conversationId === undefined ? undefined : read;
}

const requests = message<Requests>(kinds);

/** Exactly one, or it could not be said what was to be sent. */
const request: Shape<OutboxRequest> = (value) => {
  const read = requests(value);
  return read && Object.keys(read).length === 1 ? (read as OutboxRequest) : undefined;
};

export const storedEntry = message<StoredEntry>(
  { id, conversationId: id, order: moment, createdAt: moment, request },
  "id",
  "conversationId",
  "order",
  "createdAt",
  "request",
);
