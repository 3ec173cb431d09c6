// Turns the events of a conversation and what waits in the outbox into the lines
// of a page: days, messages grouped by their writer, notices between them. Pure.

import type { Attachment, Event, OutboxEntry, Participant } from "../protocol";

/** How far a message of one's own has come. */
export type Mark = "waiting" | "sent" | "read" | "failed";

/** To everybody, among the staff, or from a supervisor to the staff. */
export type Tone = "said" | "note" | "whisper";

export interface MessageLine {
  kind: "message";
  key: string;
  /** Milliseconds since 1970. */
  at: number;
  by: Participant;
  /** Written by the reader's side. */
  ours: boolean;
  tone: Tone;
  text: string;
  attachments: Attachment[];
  /** What was said is gone: nobody says nothing at all. */
  erased: boolean;
  /** Only on lines of one's own. */
  mark: Mark | undefined;
  /** Whether it opens, and whether it ends, a group by one writer. */
  first: boolean;
  last: boolean;
  /** The entry to retry or remove, while it is not confirmed. */
  entryId: string | undefined;
}

export interface NoticeLine {
  kind: "notice";
  key: string;
  at: number;
  event: Event;
}

export interface DayLine {
  kind: "day";
  key: string;
  at: number;
}

export type Line = MessageLine | NoticeLine | DayLine;

export interface ThreadView {
  events: readonly Event[];
  entries: readonly OutboxEntry[];
  me: Participant;
  /** How far the other side has read. */
  peerReadSeq: number;
  isOurs(by: Participant): boolean;
  /** Whether an event without a text is worth a line. */
  isNotice(event: Event): boolean;
}

const GROUP_GAP_MS = 5 * 60_000;

/** The lines of a conversation in order. */
export function threadLines(view: ThreadView): Line[] {
  const lines: Line[] = [];
  for (const event of view.events) {
    const line = eventLine(event, view);
    if (line) lines.push(line);
  }
  const seen = new Set(view.events.map((event) => clientMsgId(event)));
  for (const entry of view.entries) {
    const line = seen.has(entry.id) ? undefined : entryLine(entry, view.me);
    if (line) lines.push(line);
  }
  return withDays(grouped(lines));
}

/** The sender's own id of a message or note. */
export function clientMsgId(event: Event): string | undefined {
  return bodyOf(event)?.clientMsgId;
}

function bodyOf(event: Event) {
  return event.message ?? event.note ?? event.whisper;
}

function eventLine(event: Event, view: ThreadView): Line | undefined {
  const at = Date.parse(event.at);
  const key = `e${event.seq}`;
  const body = bodyOf(event);
  if (!body) return view.isNotice(event) ? { kind: "notice", key, at, event } : undefined;
  const by = event.by ?? {};
  const own = by.party === view.me.party && by.id === view.me.id;
  return {
    kind: "message",
    // The same key as while it waited, so that the line stays in place.
    key: own && body.clientMsgId ? `m${body.clientMsgId}` : key,
    at,
    by,
    ours: view.isOurs(by),
    tone: event.note ? "note" : event.whisper ? "whisper" : "said",
    text: body.text ?? "",
    attachments: event.message?.attachments ?? [],
    erased: !body.text && !event.message?.attachments?.length,
    mark: own ? (event.seq <= view.peerReadSeq ? "read" : "sent") : undefined,
    first: true,
    last: true,
    entryId: undefined,
  };
}

function entryLine(entry: OutboxEntry, me: Participant): MessageLine | undefined {
  const { request } = entry;
  let text: string | undefined;
  let files = 0;
  if ("send" in request) {
    text = request.send.text ?? "";
    files = request.send.attachmentIds?.length ?? 0;
  } else if ("addNote" in request) text = request.addNote.text;
  else if ("whisper" in request) text = request.whisper.text;
  else if ("start" in request) text = request.start.firstMessage?.text;
  if (text === undefined) return undefined;
  return {
    kind: "message",
    key: `m${"start" in request ? request.start.firstMessage?.clientMsgId : entry.id}`,
    at: entry.createdAt,
    by: me,
    ours: true,
    tone: "addNote" in request ? "note" : "whisper" in request ? "whisper" : "said",
    text: text || "📎".repeat(files),
    attachments: [],
    erased: false,
    mark: entry.status === "failed" ? "failed" : entry.status === "sent" ? "sent" : "waiting",
    first: true,
    last: true,
    entryId: entry.id,
  };
}

function grouped(lines: Line[]): Line[] {
  for (let index = 1; index < lines.length; index += 1) {
    const before = lines[index - 1];
    const line = lines[index];
    if (before?.kind !== "message" || line?.kind !== "message") continue;
    const together =
      before.by.party === line.by.party &&
      before.by.id === line.by.id &&
      before.tone === line.tone &&
      line.at - before.at < GROUP_GAP_MS &&
      dayOf(before.at) === dayOf(line.at);
    line.first = !together;
    before.last = !together;
  }
  return lines;
}

function withDays(lines: Line[]): Line[] {
  const result: Line[] = [];
  let day: string | undefined;
  for (const line of lines) {
    const of = dayOf(line.at);
    if (of !== day) result.push({ kind: "day", key: `d${of}`, at: line.at });
    day = of;
    result.push(line);
  }
  return result;
}

function dayOf(at: number): string {
  return new Date(at).toDateString();
}
