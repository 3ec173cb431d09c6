// One conversation as the console knows it. Changed only by the desk.

import type {
  Attachment,
  ContactLeft,
  ConversationState,
  Event,
  Participant,
  Phase,
  ReadPush,
} from "../protocol";
import { timestampMs } from "../protocol";
import { TypingIn, TypingOut } from "../ui/typing";
import { Uploads } from "../ui/uploads";

/** What a chat needs of the desk. */
export interface ChatPorts {
  changed(): void;
  typing(writes: boolean): void;
  upload(file: File): Promise<Attachment>;
}

export class AgentChat {
  readonly id: string;
  readonly typingIn: TypingIn;
  readonly typingOut: TypingOut;
  readonly uploads: Uploads;
  events: Event[] = [];
  phase: Phase | undefined;
  queue = "";
  visitor: Participant = { party: "PARTY_VISITOR" };
  agent: Participant | undefined;
  tags: string[] = [];
  attributes: Record<string, string> = {};
  language = "";
  /** Where the visitor said to be reached. */
  contact: ContactLeft | undefined;
  page = "";
  /** Milliseconds since 1970; 0 when not known. */
  startedAt = 0;
  visitorReadSeq = 0;
  readSeq = 0;
  /** Older events than the first one here are still on the server. */
  hasEarlier = false;
  /** Handed on or lost: it can be read here but is no longer this agent's. */
  left = false;
  /** What is being written, kept while other chats are looked at. */
  draft = "";
  noteMode = false;

  constructor(id: string, ports: ChatPorts) {
    this.id = id;
    this.typingIn = new TypingIn(ports.changed);
    this.typingOut = new TypingOut(ports.typing);
    this.uploads = new Uploads(ports.upload, ports.changed);
  }

  get name(): string {
    return this.visitor.name || `Visitor ${(this.visitor.id ?? this.id).slice(-4)}`;
  }

  get closed(): boolean {
    return this.phase === "PHASE_CLOSED";
  }

  /** Whether this agent can still act on it. */
  get open(): boolean {
    return !this.closed && !this.left;
  }

  get unread(): number {
    return this.events.filter((event) => event.seq > this.readSeq && fromVisitor(event)).length;
  }

  get lastMessage(): Event | undefined {
    return this.events.findLast((event) => event.message ?? event.note);
  }

  /** Since when the visitor waits for an answer; undefined while nobody does. */
  get waitingSince(): number | undefined {
    if (!this.open) return undefined;
    let since: number | undefined;
    for (const event of this.events) {
      if (!event.message) continue;
      if (!fromVisitor(event)) since = undefined;
      else since ??= Date.parse(event.at);
    }
    return since;
  }

  /** Milliseconds since 1970 of what happened last. */
  get lastAt(): number {
    return timestampMs(this.events.at(-1)?.at, this.startedAt);
  }

  takeState(state: ConversationState): void {
    this.phase = state.phase;
    this.queue = state.queue ?? "";
    this.visitor = state.visitor ?? this.visitor;
    this.agent = state.agent;
    this.tags = state.tags ?? [];
    this.attributes = state.attributes ?? {};
    this.language = state.language ?? "";
    this.startedAt = timestampMs(state.startedAt, this.startedAt);
    this.visitorReadSeq = Math.max(this.visitorReadSeq, state.visitorReadSeq ?? 0);
    this.readSeq = Math.max(this.readSeq, state.agentReadSeq ?? 0);
  }

  takeRead(push: ReadPush): void {
    const seq = push.seq ?? 0;
    if (push.by?.party === "PARTY_VISITOR")
      this.visitorReadSeq = Math.max(this.visitorReadSeq, seq);
    else this.readSeq = Math.max(this.readSeq, seq);
  }

  takeEvent(event: Event, me: Participant): void {
    this.events.push(event);
    if (fromVisitor(event)) this.typingIn.set(false);
    if (event.started) {
      this.page = event.started.page ?? "";
      this.visitor = event.by ?? this.visitor;
    } else if (event.queued) {
      this.phase = "PHASE_WAITING";
      this.queue = event.queued.queue ?? this.queue;
    } else if (event.assigned) {
      this.phase = "PHASE_ASSIGNED";
      this.agent = event.assigned.agent;
      this.left = this.agent?.id !== me.id;
    } else if (event.released) this.left ||= event.released.agent?.id === me.id;
    else if (event.closed) this.phase = "PHASE_CLOSED";
    else if (event.tagsChanged) this.tags = event.tagsChanged.tags ?? [];
    else if (event.contactLeft) this.contact = event.contactLeft;
  }

  /** Puts a page of older events before the first one. */
  takeEarlier(events: Event[], more: boolean): void {
    const first = this.events[0]?.seq ?? Number.POSITIVE_INFINITY;
    this.events = [...events.filter((event) => event.seq < first), ...this.events];
    this.hasEarlier = more;
    const started = events.find((event) => event.started)?.started;
    if (started) this.page = started.page ?? "";
    this.contact ??= events.findLast((event) => event.contactLeft)?.contactLeft;
  }
}

export function fromVisitor(event: Event): boolean {
  return event.message !== undefined && event.by?.party === "PARTY_VISITOR";
}
