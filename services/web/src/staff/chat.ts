// One conversation as the staff's pages know it, and what the reader is in it.
// Changed only by the workplace.

import type {
  AlarmKind,
  AlarmRaised,
  Attachment,
  Consent,
  ContactLeft,
  ConversationState,
  Event,
  Participant,
  Phase,
  ReadPush,
  TypingPush,
} from "../protocol";
import { timestampMs } from "../protocol";
import { TypingIn, TypingOut } from "../ui/typing";
import { Uploads } from "../ui/uploads";
import type { Mention } from "./mentions";

/** What a chat needs of the workplace. */
export interface ChatPorts {
  me(): Participant;
  changed(): void;
  typing(writes: boolean): void;
  upload(file: File): Promise<Attachment>;
}

/**
 * What the reader is in a conversation: it is theirs, they joined it, they read
 * along (invited, mentioned, watching, handing it on), or they have no part.
 */
export type Part = "holder" | "guest" | "reader" | "none";

/** What is being written: to everybody, to the staff, or as a supervisor to the staff. */
export type Mode = "reply" | "note" | "whisper";

export class AgentChat {
  readonly id: string;
  readonly typingIn: TypingIn;
  readonly typingOut: TypingOut;
  readonly uploads: Uploads;
  readonly #me: () => Participant;
  events: Event[] = [];
  phase: Phase | undefined;
  queue = "";
  visitor: Participant = { party: "PARTY_VISITOR" };
  /** Who has it, or had it when it ended. */
  agent: Participant | undefined;
  guests: Participant[] = [];
  alarms: AlarmKind[] = [];
  extraMinutes = 0;
  tags: string[] = [];
  attributes: Record<string, string> = {};
  language = "";
  channel = "";
  consent: Consent | undefined;
  /** Where the visitor said to be reached. */
  contact: ContactLeft | undefined;
  page = "";
  /** Milliseconds since 1970; 0 when not known. */
  startedAt = 0;
  visitorReadSeq = 0;
  readSeq = 0;
  /** Older events than the first one here are still on the server. */
  hasEarlier = false;
  /** Followed without being theirs. */
  reading = false;
  /** A supervisor looks at it, whatever else they are in it. */
  watching = false;
  /** Handed on by the reader, who comes along once somebody has taken it. */
  handingOn = false;
  /** The server no longer shows it to the reader. */
  gone = false;
  /** What is being written, kept while other chats are looked at. */
  draft = "";
  mode: Mode = "reply";
  /** Who was picked for the note that is being written. */
  mentions: Mention[] = [];
  /** Who writes, while `typingIn` says so. */
  typist: Participant | undefined;
  /** Up to here the server's account of the conversation counts, not its events. */
  #stateSeq = 0;

  constructor(id: string, ports: ChatPorts) {
    this.id = id;
    this.#me = ports.me;
    this.typingIn = new TypingIn(ports.changed);
    this.typingOut = new TypingOut(ports.typing);
    this.uploads = new Uploads(ports.upload, ports.changed);
  }

  get name(): string {
    return visitorName(this.visitor, this.id);
  }

  get closed(): boolean {
    return this.phase === "PHASE_CLOSED";
  }

  get part(): Part {
    const { id } = this.#me();
    if (this.gone || id === undefined) return "none";
    if (this.phase === "PHASE_ASSIGNED" && this.agent?.id === id) return "holder";
    if (this.guests.some((guest) => guest.id === id)) return "guest";
    return this.reading || this.watching ? "reader" : "none";
  }

  /** Whether the reader still has to do with it. */
  get open(): boolean {
    return !this.closed && this.part !== "none";
  }

  /** Whether what the reader writes may reach the visitor. */
  get speaks(): boolean {
    return this.open && this.part !== "reader";
  }

  /** What the reader may write; the first one is what they most likely want. */
  get modes(): Mode[] {
    if (!this.open) return [];
    const supervises = this.#me().party === "PARTY_SUPERVISOR" && this.part !== "holder";
    const modes: Mode[] = this.speaks ? ["reply", "note"] : ["note"];
    if (!supervises) return modes;
    return this.speaks ? [...modes, "whisper"] : ["whisper", ...modes];
  }

  /** The mode that is chosen, as far as it is allowed. */
  get writes(): Mode {
    const { modes } = this;
    return modes.includes(this.mode) ? this.mode : (modes[0] ?? "note");
  }

  get unread(): number {
    return this.events.filter((event) => event.seq > this.readSeq && fromVisitor(event)).length;
  }

  get lastMessage(): Event | undefined {
    return this.events.findLast((event) => event.message ?? event.note ?? event.whisper);
  }

  /** Since when the visitor waits for an answer; undefined while nobody does. */
  get waitingSince(): number | undefined {
    if (!this.open) return undefined;
    let since: number | undefined;
    for (const event of this.events) {
      if (!event.message) continue;
      if (fromVisitor(event)) since ??= Date.parse(event.at);
      else if (isStaff(event.by)) since = undefined;
    }
    return since;
  }

  /** Milliseconds since 1970 of what happened last. */
  get lastAt(): number {
    return timestampMs(this.events.at(-1)?.at, this.startedAt);
  }

  takeState(state: ConversationState): void {
    this.#stateSeq = Math.max(this.#stateSeq, state.headSeq ?? 0);
    this.gone = false;
    this.phase = state.phase;
    this.queue = state.queue ?? "";
    this.visitor = state.visitor ?? this.visitor;
    this.agent = state.agent;
    this.guests = state.guests ?? [];
    this.alarms = state.alarms ?? [];
    this.extraMinutes = state.extraPriorityMinutes ?? 0;
    this.tags = state.tags ?? [];
    this.attributes = state.attributes ?? {};
    this.language = state.language ?? "";
    this.channel = state.channel ?? "";
    this.consent = state.consent;
    this.startedAt = timestampMs(state.startedAt, this.startedAt);
    this.visitorReadSeq = Math.max(this.visitorReadSeq, state.visitorReadSeq ?? 0);
    this.readSeq = Math.max(this.readSeq, state.agentReadSeq ?? 0);
  }

  takeRead(push: ReadPush): void {
    const seq = push.seq ?? 0;
    if (push.by?.party === "PARTY_VISITOR")
      this.visitorReadSeq = Math.max(this.visitorReadSeq, seq);
    else if (push.by?.id === this.#me().id) this.readSeq = Math.max(this.readSeq, seq);
  }

  takeTyping({ by, typing = false }: TypingPush): void {
    if (by?.id === this.#me().id && by?.party !== "PARTY_VISITOR") return;
    // That somebody stopped says nothing of the one who still writes.
    if (!typing && this.typingIn.typing && by?.id !== this.typist?.id) return;
    this.typist = by;
    this.typingIn.set(typing);
  }

  takeEvent(event: Event): void {
    if (event.seq <= (this.events.at(-1)?.seq ?? 0)) return;
    this.events.push(event);
    if (event.message && event.by?.id === this.typist?.id) this.typingIn.set(false);
    this.#learn(event);
    if (!this.covers(event)) this.#follow(event);
  }

  /** Whether the server's account of the conversation already tells of it. */
  covers(event: Event): boolean {
    return event.seq <= this.#stateSeq;
  }

  /** What no state tells, whenever it happened. */
  #learn(event: Event): void {
    const { id } = this.#me();
    if (event.started) {
      this.page = event.started.page ?? "";
      this.visitor = event.by ?? this.visitor;
    } else if (event.contactLeft) this.contact = event.contactLeft;
    else if (event.invited?.agent?.id === id) this.reading = true;
    else if (event.note?.mentions?.some((agent) => agent.id === id)) this.reading = true;
    else if (event.transferred && event.by?.id === id) {
      this.handingOn = event.transferred.warm ?? false;
      this.reading ||= this.handingOn;
    } else if (event.assigned && event.assigned.agent?.id !== id && this.handingOn) {
      // From here on they are a guest, or have no part.
      this.handingOn = this.reading = false;
    } else if (event.left?.agent?.id === id) this.reading = false;
  }

  /** What a state would tell, too. */
  #follow(event: Event): void {
    if (event.queued) {
      this.phase = "PHASE_WAITING";
      this.queue = event.queued.queue ?? this.queue;
    } else if (event.offered) this.phase = "PHASE_OFFERED";
    else if (event.offerEnded) this.phase = "PHASE_WAITING";
    else if (event.assigned) {
      this.phase = "PHASE_ASSIGNED";
      this.agent = event.assigned.agent;
      this.dropGuest(this.agent?.id);
    } else if (event.released) this.agent = undefined;
    else if (event.joined) {
      this.dropGuest(event.joined.agent?.id);
      this.guests = [...this.guests, event.joined.agent ?? {}];
    } else if (event.left) this.dropGuest(event.left.agent?.id);
    else if (event.closed) {
      this.phase = "PHASE_CLOSED";
      this.guests = [];
    } else if (event.tagsChanged) this.tags = event.tagsChanged.tags ?? [];
    else if (event.priorityChanged) this.extraMinutes = event.priorityChanged.extraMinutes ?? 0;
    else if (event.alarmRaised) this.#alarm(event.alarmRaised);
    else if (event.message && isStaff(event.by)) this.#calm("ALARM_KIND_UNANSWERED");
  }

  /** Only those that are to be noticed. */
  #alarm({ kind, actions = [] }: AlarmRaised): void {
    if (!kind || !actions.includes("notify")) return;
    this.#calm(kind);
    this.alarms = [...this.alarms, kind];
  }

  #calm(kind: AlarmKind): void {
    this.alarms = this.alarms.filter((other) => other !== kind);
  }

  dropGuest(id: string | undefined): void {
    this.guests = this.guests.filter((guest) => guest.id !== id);
  }

  /** The reader has handed it on or left it; events may say so later. */
  letGo(handingOn: boolean): void {
    const { id } = this.#me();
    if (this.agent?.id === id) this.agent = undefined;
    this.dropGuest(id);
    this.reading = this.handingOn = handingOn;
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

/** The name to show for a visitor, who need not have given one. */
export function visitorName(visitor: Participant | undefined, conversationId: string): string {
  return visitor?.name || `Visitor ${(visitor?.id ?? conversationId).slice(-4)}`;
}

export function fromVisitor(event: Event): boolean {
  return event.message !== undefined && event.by?.party === "PARTY_VISITOR";
}

/** Whether a person of the staff did it, not Frontdesk itself. */
export function isStaff(by: Participant | undefined): boolean {
  return by?.party === "PARTY_AGENT" || by?.party === "PARTY_SUPERVISOR";
}
