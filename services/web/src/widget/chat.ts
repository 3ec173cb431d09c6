// The visitor's side of one conversation: what the panel shows and what its
// buttons do. It draws nothing.

import {
  type Attachment,
  BrowserStore,
  browserStorage,
  type ConsentText,
  type ContactAsked,
  type ContactLeft,
  type ConversationState,
  downloadAttachment,
  dropKey,
  type Event,
  hurryWithBrowser,
  type Link,
  LiveClient,
  liveUrl,
  type OutboxEntry,
  type Participant,
  type Phase,
  type QueuePush,
  type RequestError,
  randomId,
  readJson,
  type ServerFrame,
  type StartConversation,
  storedEntry,
  type TypingPush,
  text as textShape,
  uploadAttachment,
  uuidV7,
  uuidV7Ms,
  type Welcome,
  writeJson,
} from "../protocol";
import { usableLanguage } from "../ui/format";
import { Model } from "../ui/model";
import { type Line, threadLines } from "../ui/thread";
import { Trouble } from "../ui/trouble";
import { TypingIn, TypingOut } from "../ui/typing";
import { Uploads } from "../ui/uploads";
import { storageKeys, type WidgetConfig } from "./contract";
import { VisitorSession } from "./session";

const PROGRAM = "frontdesk-widget/0.1.0";
const TROUBLE_AFTER_MS = 3_000;
/** 80 characters are what the server takes. */
const MAX_NAME = 80;
const MAX_PAGE = 2_048;
/** The server takes ids of conversations that are at most a day old. */
const MAX_AGE_MS = 23 * 3_600_000;

export class Chat extends Model {
  readonly config: WidgetConfig;
  readonly uploads: Uploads;
  readonly #session: VisitorSession;
  readonly #live: LiveClient;
  readonly #keys: ReturnType<typeof storageKeys>;
  readonly #typingIn = new TypingIn(() => this.changed());
  readonly #typingOut: TypingOut;
  readonly #trouble = new Trouble(TROUBLE_AFTER_MS, () => this.changed());
  #typist: Participant = {};
  #open = false;

  conversationId: string | undefined;
  events: Event[] = [];
  phase: Phase | undefined;
  place: QueuePush | undefined;
  agent: Participant | undefined;
  me: Participant = { party: "PARTY_VISITOR" };
  agentReadSeq = 0;
  readSeq = 0;
  stopped = false;
  /** Why, when the visitor is asked where to be reached. */
  asked: ContactAsked | undefined;
  /** Where the visitor said to be reached. */
  contact: ContactLeft | undefined;
  /** What the site asks the visitor to agree to, once it is known. */
  consent: ConsentText | undefined;
  /** The score given in this conversation, 0 for none. */
  rated = 0;

  constructor(config: WidgetConfig) {
    super();
    this.config = config;
    this.#keys = storageKeys(config.siteKey);
    this.#session = new VisitorSession(config);
    this.#live = new LiveClient({
      url: liveUrl(config.origin),
      program: PROGRAM,
      tokens: this.#session,
      store: new BrowserStore(browserStorage("localStorage"), this.#keys.outbox, storedEntry),
      handlers: {
        linkChanged: (link) => this.#linkChanged(link),
        welcome: (welcome) => this.#welcomed(welcome),
        event: (event) => this.#event(event),
        conversation: (state) => this.#state(state),
        lost: (id) => this.#lost(id),
        restarted: () => this.#restarted(),
        push: (frame) => this.#push(frame),
        outboxChanged: () => this.changed(),
        refused: (entry, error) => this.#refused(entry, error),
      },
    });
    this.#typingOut = new TypingOut((typing) => {
      if (this.conversationId) this.#live.typing(this.conversationId, typing);
    });
    this.uploads = new Uploads(
      (file) => this.#upload(file),
      () => this.changed(),
    );
    hurryWithBrowser(this.#live);
    document.addEventListener("visibilitychange", () => this.#markRead());
    this.#takeUp();
  }

  /** Goes on with the conversation of an earlier page. */
  #takeUp(): void {
    const stored = this.#session.conversation;
    if (!stored) return;
    this.conversationId = stored.id;
    const starting = this.#entries().some((entry) => "start" in entry.request);
    if (starting) this.#live.expect(stored.id);
    else this.#live.follow(stored.id);
    this.#live.start();
  }

  // ---- What the panel shows -----------------------------------------------

  get lines(): Line[] {
    return threadLines({
      events: this.events,
      entries: this.#entries(),
      me: this.me,
      peerReadSeq: this.agentReadSeq,
      isOurs: (by) => by.party === "PARTY_VISITOR",
      isNotice: (event) => this.#isNotice(event),
    });
  }

  /** Messages to the visitor that were not yet on a visible panel. */
  get unread(): number {
    return this.events.filter((event) => event.seq > this.readSeq && isFromUs(event)).length;
  }

  /** The connection has been away for long enough to say so. */
  get trouble(): boolean {
    return this.#trouble.shown;
  }

  /** Who of the staff is writing, if anybody. */
  get typist(): Participant | undefined {
    return this.#typingIn.typing ? this.#typist : undefined;
  }

  get closed(): boolean {
    return this.phase === "PHASE_CLOSED";
  }

  /** Whether any agent has had the conversation. */
  get served(): boolean {
    return this.events.some((event) => event.assigned);
  }

  get draft(): string {
    return readJson(browserStorage("sessionStorage"), this.#keys.draft, textShape) ?? "";
  }

  #entries(): OutboxEntry[] {
    return this.conversationId ? this.#live.outbox.of(this.conversationId) : [];
  }

  /** The first queueing goes without saying. */
  #isNotice(event: Event): boolean {
    if (event.released || event.assigned || event.closed || event.reopened) return true;
    if (event.joined || event.left) return true;
    return event.rated !== undefined || event.contactLeft !== undefined;
  }

  // ---- What the visitor does ----------------------------------------------

  /** Before the form: connects, to learn what has to be agreed to. */
  greet(): void {
    this.#live.start();
  }

  /** Opens a conversation with a first message; the visitor has agreed to `consent`. */
  begin(name: string, text: string): void {
    const { queue, language, attributes } = this.config;
    this.#start({
      ...(queue && { queue }),
      channel: "web",
      attributes,
      page: location.href.slice(0, MAX_PAGE),
      language: usableLanguage(navigator.language, language),
      visitorName: Array.from(name.trim()).slice(0, MAX_NAME).join(""),
      ...(this.consent && { consentVersion: this.consent.version }),
      firstMessage: { clientMsgId: randomId(), text },
    });
  }

  #start(wish: Omit<StartConversation, "conversationId">): void {
    const id = uuidV7(this.#live.serverNow());
    this.#forgetConversation();
    this.conversationId = id;
    this.#session.conversation = { id, closed: false };
    this.#live.expect(id);
    this.#live.submit(`start-${id}`, id, { start: { ...wish, conversationId: id } });
    this.#live.start();
    this.changed();
  }

  send(text: string): void {
    const conversationId = this.conversationId;
    const attachmentIds = this.uploads.done.map((attachment) => attachment.id);
    if (!conversationId || (!text.trim() && attachmentIds.length === 0)) return;
    const clientMsgId = randomId();
    this.uploads.clear();
    this.keepDraft("");
    this.#typingOut.stopped();
    this.#live.submit(clientMsgId, conversationId, {
      send: { conversationId, clientMsgId, text, ...(attachmentIds.length && { attachmentIds }) },
    });
  }

  typed(text: string): void {
    this.keepDraft(text);
    this.#typingOut.typed(text);
  }

  keepDraft(text: string): void {
    const storage = browserStorage("sessionStorage");
    if (text) writeJson(storage, this.#keys.draft, text);
    else dropKey(storage, this.#keys.draft);
  }

  retry(entryId: string): void {
    this.#live.outbox.retry(entryId);
  }

  discard(entryId: string): void {
    const entry = this.#entries().find((candidate) => candidate.id === entryId);
    this.#live.outbox.remove(entryId);
    // Without its start there is no conversation: back to the form, words and all.
    if (!entry || !("start" in entry.request)) return;
    this.keepDraft(entry.request.start.firstMessage?.text ?? "");
    this.startAnew();
  }

  end(): void {
    const conversationId = this.conversationId;
    if (conversationId)
      this.#live.submit(randomId(), conversationId, { close: { conversationId } });
  }

  reopen(): void {
    const conversationId = this.conversationId;
    if (!conversationId) return;
    this.#live.submit(randomId(), conversationId, { reopen: { conversationId } });
  }

  /** Says where to be reached; one of the two may be empty. */
  leaveContact(email: string, phone: string, text: string): void {
    const conversationId = this.conversationId;
    if (!conversationId) return;
    const contact = { ...(email && { email }), ...(phone && { phone }), ...(text && { text }) };
    this.asked = undefined;
    this.#live.submit(randomId(), conversationId, { leaveContact: { conversationId, ...contact } });
    this.changed();
  }

  rate(score: number, comment: string): void {
    const conversationId = this.conversationId;
    if (!conversationId) return;
    this.rated = score;
    this.#live.submit(randomId(), conversationId, {
      rate: { conversationId, score, ...(comment.trim() && { comment: comment.trim() }) },
    });
  }

  /** Leaves a finished conversation for the form of a new one. */
  startAnew(): void {
    this.#forgetConversation();
    this.#session.conversation = undefined;
    this.changed();
  }

  /** After the server refused this visitor for good: begin as a new one. */
  startOver(): void {
    this.#live.stop();
    this.#session.forget();
    this.stopped = false;
    this.startAnew();
  }

  /** The panel was opened or closed. */
  shown(open: boolean): void {
    this.#open = open;
    this.#markRead();
  }

  readonly fetchBytes = async (attachmentId: string): Promise<Blob> =>
    downloadAttachment(this.config.origin, await this.#session.current(), attachmentId);

  async #upload(file: File): Promise<Attachment> {
    const token = await this.#session.current();
    return uploadAttachment(this.config.origin, token, this.conversationId ?? "", file);
  }

  // ---- What the server says -----------------------------------------------

  #linkChanged(link: Link): void {
    this.stopped = link.state === "stopped";
    if (link.state === "online" || this.stopped) this.#trouble.clear();
    else this.#trouble.begin();
    this.changed();
  }

  #welcomed(welcome: Welcome): void {
    if (welcome.you) this.me = welcome.you;
    this.consent = welcome.consent;
    this.changed();
  }

  #event(event: Event): void {
    if (event.conversationId !== this.conversationId) return;
    this.events.push(event);
    if (event.queued) {
      if (this.closed) this.#setClosed(false);
      this.phase = "PHASE_WAITING";
      this.agent = undefined;
    } else if (event.assigned) {
      this.phase = "PHASE_ASSIGNED";
      this.agent = event.assigned.agent;
      this.place = this.asked = undefined;
    } else if (event.released) this.agent = undefined;
    else if (event.closed) this.#setClosed(true);
    else if (event.reopened) this.#setClosed(false);
    else if (event.rated) this.rated = event.rated.score ?? 0;
    else if (event.contactAsked) this.asked = event.contactAsked;
    else if (event.contactLeft) {
      this.asked = undefined;
      this.contact = event.contactLeft;
    }
    if (isFromUs(event) && event.by?.id === this.#typist.id) this.#typingIn.set(false);
    this.#markRead();
    this.changed();
  }

  #setClosed(closed: boolean): void {
    this.phase = closed ? "PHASE_CLOSED" : "PHASE_WAITING";
    this.rated = closed ? this.rated : 0;
    if (!closed) this.asked = undefined;
    if (this.conversationId) this.#session.conversation = { id: this.conversationId, closed };
  }

  #state(state: ConversationState): void {
    if (state.conversationId !== this.conversationId) return;
    this.phase = state.phase;
    this.agent = state.agent ?? this.agent;
    this.place = state.queuePosition;
    this.agentReadSeq = Math.max(this.agentReadSeq, state.agentReadSeq ?? 0);
    this.readSeq = Math.max(this.readSeq, state.visitorReadSeq ?? 0);
    this.changed();
  }

  #push(frame: ServerFrame): void {
    const id = (frame.typing ?? frame.read ?? frame.queue)?.conversationId;
    if (id === undefined || id !== this.conversationId) return;
    if (frame.typing) this.#typing(frame.typing);
    if (frame.queue) this.place = frame.queue;
    if (frame.read) {
      const seq = frame.read.seq ?? 0;
      if (frame.read.by?.party === "PARTY_VISITOR") this.readSeq = Math.max(this.readSeq, seq);
      else this.agentReadSeq = Math.max(this.agentReadSeq, seq);
    }
    this.changed();
  }

  #typing({ by = {}, typing = false }: TypingPush): void {
    // That somebody stopped says nothing of the one who still writes.
    if (!typing && by.id !== this.#typist.id) return;
    this.#typist = by;
    this.#typingIn.set(typing);
  }

  #lost(conversationId: string): void {
    if (conversationId === this.conversationId) this.startAnew();
  }

  #restarted(): void {
    this.events = [];
    this.changed();
  }

  #refused(entry: OutboxEntry, error: RequestError): void {
    const { request } = entry;
    if ("start" in request) {
      // The id says when; one made by a clock that is far off is not taken.
      const { conversationId, ...wish } = request.start;
      const age = Math.abs(this.#live.serverNow() - uuidV7Ms(conversationId));
      if (error.code === "ERROR_CODE_INVALID_ARGUMENT" && age > MAX_AGE_MS) this.#start(wish);
    } else if (!("send" in request)) {
      // A refused close, reopening or rating has nothing to keep.
      this.#live.outbox.remove(entry.id);
    }
  }

  #forgetConversation(): void {
    if (this.conversationId) {
      this.#live.outbox.forget(this.conversationId);
      this.#live.unfollow(this.conversationId);
    }
    this.conversationId = undefined;
    this.events = [];
    this.phase = this.place = this.agent = this.asked = this.contact = undefined;
    this.agentReadSeq = this.readSeq = this.rated = 0;
    this.uploads.clear();
  }

  #markRead(): void {
    const last = this.events.at(-1);
    if (!last || !this.#open || document.visibilityState !== "visible") return;
    if (last.seq <= this.readSeq) return;
    this.readSeq = last.seq;
    this.#live.markRead(last.conversationId, last.seq);
    this.changed();
  }
}

/** Whether the staff said it, or Frontdesk for them. */
function isFromUs(event: Event): boolean {
  return event.message !== undefined && event.by?.party !== "PARTY_VISITOR";
}
