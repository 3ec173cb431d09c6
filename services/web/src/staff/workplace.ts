// What the staff's pages have in common: the connection, one's own status, offers,
// what colleagues ask, the conversations that are followed, and what is done in them.
// It draws nothing.

import {
  type AgentState,
  type AgentStatus,
  BrowserStore,
  browserStorage,
  type ConversationState,
  type Event,
  hurryWithBrowser,
  isSaid,
  type Link,
  LiveClient,
  liveUrl,
  type OfferPush,
  type OutboxEntry,
  type OutboxRequest,
  type Participant,
  type RequestError,
  randomId,
  type ServerFrame,
  storedEntry,
  type Welcome,
} from "../protocol";
import { Model } from "../ui/model";
import { Trouble } from "../ui/trouble";
import { AgentChat, fromVisitor, type Mode } from "./chat";
import { AgentFiles } from "./files";
import { type Knock, Knocks } from "./knocks";
import { mentionedIds } from "./mentions";
import { Offers } from "./offers";
import { OwnStatus } from "./own-status";
import type { AgentSession } from "./session";
import { Signals } from "./signals";
import type { Choice } from "./status-choice";
import { Verbs, verbOf } from "./verbs";

const TROUBLE_AFTER_MS = 2_000;
const NOTICE_MS = 7_000;
/** Longer conversations are opened at their end; the rest comes on demand. */
const WHOLE_EVENTS = 200;
const TAIL_EVENTS = 100;

export interface WorkplaceOptions {
  session: AgentSession;
  /** Name and version for the server's logs. */
  program: string;
  outboxKey: string;
  /** Whether conversations may begin to be followed by the server's doing. */
  followUnknown: boolean;
  signedOut(reason: string | undefined): void;
}

export abstract class Workplace extends Model {
  readonly signals = new Signals();
  readonly files: AgentFiles;
  readonly verbs: Verbs;
  protected readonly live: LiveClient;
  protected readonly chats = new Map<string, AgentChat>();
  readonly #trouble = new Trouble(TROUBLE_AFTER_MS, () => this.changed());
  readonly #options: WorkplaceOptions;
  readonly #offers = new Offers();
  readonly #knocks = new Knocks();
  readonly #own = new OwnStatus();
  #noticeTimer: ReturnType<typeof setTimeout> | undefined;

  me: Participant = { party: "PARTY_AGENT" };
  site = "";
  selectedId: string | undefined;
  /** What the page lists has arrived at least once. */
  loaded = false;
  /** A short word about something that did not work. */
  notice: string | undefined;

  constructor(options: WorkplaceOptions) {
    super();
    this.#options = options;
    this.files = new AgentFiles(options.session);
    this.live = new LiveClient({
      url: liveUrl(options.session.origin),
      program: options.program,
      tokens: options.session,
      store: new BrowserStore(browserStorage("sessionStorage"), options.outboxKey, storedEntry),
      followUnknown: options.followUnknown,
      handlers: {
        linkChanged: (link) => this.#linkChanged(link),
        welcome: (welcome) => this.#welcomed(welcome),
        event: (event) => this.#event(event),
        conversation: (state) => this.takeState(state),
        lost: (id) => this.#lost(id),
        restarted: (id) => this.#restarted(id),
        push: (frame) => this.pushed(frame),
        outboxChanged: () => this.changed(),
        refused: (entry, error) => this.#refused(entry, error),
      },
    });
    this.verbs = new Verbs({
      request: (request) => this.live.request(request),
      say: (notice) => this.say(notice),
      changed: () => this.changed(),
    });
    hurryWithBrowser(this.live);
    document.addEventListener("visibilitychange", () => this.markRead());
    window.addEventListener("focus", () => this.markRead());
    this.live.start();
  }

  // ---- What the page shows ------------------------------------------------

  /** Offers that can still be taken, the most urgent first. */
  get offers(): OfferPush[] {
    return this.#offers.open(this.live.serverNow());
  }

  /** What colleagues ask, the newest first. */
  get knocks(): readonly Knock[] {
    return this.#knocks.list;
  }

  get state(): AgentState {
    return this.#own.state;
  }

  /** The server has put the agent away for offers that were not answered. */
  get setAside(): boolean {
    return this.#own.setAside;
  }

  get supervises(): boolean {
    return this.me.party === "PARTY_SUPERVISOR";
  }

  get selected(): AgentChat | undefined {
    return this.selectedId === undefined ? undefined : this.chats.get(this.selectedId);
  }

  /** The connection has been away for long enough to say so. */
  get trouble(): boolean {
    return this.#trouble.shown;
  }

  /** The server's clock, in milliseconds since 1970. */
  serverNow(): number {
    return this.live.serverNow();
  }

  entries(chat: AgentChat): OutboxEntry[] {
    return this.live.outbox.of(chat.id);
  }

  // ---- Status and offers --------------------------------------------------

  /** Sets the status; while not connected it is taken up with the next Welcome. */
  async setStatus(status: AgentStatus, reason: string): Promise<void> {
    if (status === "AGENT_STATUS_ONLINE") this.signals.askOnce();
    this.#own.choose({ status, reason });
    if (this.live.link.state === "online") await this.#sendStatus({ status, reason });
    else this.changed();
  }

  async #sendStatus({ status, reason }: Choice): Promise<void> {
    const reply = await this.verbs.run({ setStatus: { status, ...(reason && { reason }) } });
    this.#own.take(reply?.agentState);
    this.changed();
  }

  async accept(offer: OfferPush): Promise<void> {
    const { conversationId, offerId } = offer;
    const reply = await this.verbs.run({ acceptOffer: { conversationId, offerId } });
    if (reply?.conversation) {
      this.takeUp(reply.conversation);
      this.select(conversationId);
    }
    this.#dropOffer(offerId);
  }

  async decline(offer: OfferPush): Promise<void> {
    const { conversationId, offerId } = offer;
    this.#dropOffer(offerId);
    await this.verbs.run({ declineOffer: { conversationId, offerId } });
  }

  #dropOffer(offerId: string): void {
    this.#offers.remove(offerId);
    this.changed();
  }

  // ---- Taking part --------------------------------------------------------

  select(id: string | undefined): void {
    this.selectedId = id;
    this.markRead();
    this.changed();
  }

  /** Joins a conversation as a guest; false when it failed. */
  async join(conversationId: string): Promise<boolean> {
    const reply = await this.verbs.run({ join: { conversationId } });
    if (!reply) return false;
    this.#knocks.settle(conversationId);
    this.#forgetFormer(conversationId);
    if (reply.conversation) this.takeUp(reply.conversation);
    else this.attend(conversationId, 0);
    this.#speakIn(conversationId);
    this.select(conversationId);
    return true;
  }

  /** Leaves a conversation that one is a guest of. */
  async leave(chat: AgentChat): Promise<void> {
    if (await this.verbs.leave(chat.id)) chat.letGo(false);
    this.changed();
  }

  /** Looks at what a colleague asks about, without taking part. */
  look(knock: Knock): void {
    this.dismiss(knock);
    this.#forgetFormer(knock.conversationId);
    this.attend(knock.conversationId, knock.seq);
    this.select(knock.conversationId);
  }

  dismiss(knock: Knock): void {
    this.#knocks.putAway(knock);
    this.changed();
  }

  /** What was theirs once and is to be again is fetched anew: much may be missing. */
  #forgetFormer(conversationId: string): void {
    const chat = this.chats.get(conversationId);
    if (!chat || chat.open) return;
    this.chats.delete(conversationId);
    this.live.unfollow(conversationId);
  }

  async takeOver(chat: AgentChat): Promise<boolean> {
    const state = await this.verbs.takeOver(chat.id);
    if (!state) return false;
    this.takeUp(state);
    this.#speakIn(chat.id);
    return true;
  }

  /** Whoever comes in wants to speak, unless they are in the middle of something. */
  #speakIn(conversationId: string): void {
    const chat = this.chat(conversationId);
    if (chat.draft === "") chat.mode = "reply";
  }

  /** Reads along in a conversation whose newest event is at least `head`. */
  attend(conversationId: string, head: number): void {
    this.chat(conversationId).reading = true;
    this.follow(conversationId, head);
    this.changed();
  }

  // ---- Saying -------------------------------------------------------------

  /** Sends what is written, in the way that was chosen. */
  send(chat: AgentChat): void {
    const text = chat.draft.trim();
    const { uploads, writes } = chat;
    const attachmentIds = writes === "reply" ? uploads.done.map((file) => file.id) : [];
    if (uploads.busy || (!text && attachmentIds.length === 0) || chat.modes.length === 0) return;
    const clientMsgId = randomId();
    const said = { conversationId: chat.id, clientMsgId, text };
    const mentionAgentIds = mentionedIds(text, chat.mentions);
    chat.draft = "";
    chat.mentions = [];
    if (writes === "reply") uploads.clear();
    chat.typingOut.stopped();
    const requests: Record<Mode, OutboxRequest> = {
      reply: { send: { ...said, ...(attachmentIds.length > 0 && { attachmentIds }) } },
      note: { addNote: { ...said, ...(mentionAgentIds.length > 0 && { mentionAgentIds }) } },
      whisper: { whisper: said },
    };
    this.live.submit(clientMsgId, chat.id, requests[writes]);
  }

  typed(chat: AgentChat, text: string): void {
    chat.draft = text;
    // A note that is begun stays one, even if its writer may soon speak to the visitor.
    chat.mode = chat.writes;
    if (chat.mode === "reply") chat.typingOut.typed(text);
    this.changed();
  }

  setMode(chat: AgentChat, mode: Mode): void {
    chat.mode = mode;
    if (mode !== "reply") chat.typingOut.stopped();
    this.changed();
  }

  retry(entryId: string): void {
    this.live.outbox.retry(entryId);
  }

  discard(entryId: string): void {
    this.live.outbox.remove(entryId);
  }

  async loadEarlier(chat: AgentChat): Promise<void> {
    const afterSeq = chat.events[0]?.seq ?? 0;
    const request = { conversationId: chat.id, afterSeq, limit: 100, backwards: true };
    const reply = await this.verbs.run({ getHistory: request });
    if (!reply) return;
    const events = (reply.history?.events ?? []).map((push) => push.event);
    chat.takeEarlier(events, reply.history?.more ?? false);
    this.changed();
  }

  signOut(): void {
    this.#leave(undefined);
  }

  say(notice: string | undefined): void {
    clearTimeout(this.#noticeTimer);
    this.notice = notice;
    if (notice) this.#noticeTimer = setTimeout(() => this.say(undefined), NOTICE_MS);
    this.changed();
  }

  toggleSignals(): void {
    this.signals.toggle();
    this.changed();
  }

  #leave(reason: string | undefined): void {
    this.live.stop();
    this.#own.forget();
    this.#options.session.signOut();
    this.#options.signedOut(reason);
  }

  // ---- What the server says -----------------------------------------------

  /** The connection is open; to be extended by a page. */
  protected welcomed(): void {}

  #linkChanged(link: Link): void {
    if (link.state === "stopped") {
      const expired = link.reason !== "protocol";
      this.#leave(
        expired ? "Your session has ended. Please sign in again." : "Please sign in again.",
      );
      return;
    }
    if (link.state === "online") this.#trouble.clear();
    else this.#trouble.begin();
    if (link.state !== "online") this.#own.away();
    this.changed();
  }

  #welcomed(welcome: Welcome): void {
    this.me = welcome.you ?? this.me;
    this.site = welcome.site ?? this.site;
    this.#knocks.belongTo(this.me.id ?? "");
    this.verbs.connected();
    const choice = this.#own.back(welcome.agentState);
    if (choice) void this.#sendStatus(choice);
    this.welcomed();
    this.changed();
  }

  /** Takes a conversation's state and follows it from there. */
  protected takeUp(state: ConversationState): void {
    this.takeState(state);
    this.follow(state.conversationId, state.headSeq ?? 0);
  }

  /** Follows a conversation; one that is long from near its end. */
  protected follow(id: string, head: number): void {
    const chat = this.chat(id);
    const seq = head > WHOLE_EVENTS ? head - TAIL_EVENTS : 0;
    if (chat.events.length === 0) chat.hasEarlier = seq > 0;
    this.live.follow(id, seq);
  }

  protected chat(id: string): AgentChat {
    let chat = this.chats.get(id);
    if (!chat) {
      chat = new AgentChat(id, {
        me: () => this.me,
        changed: () => this.changed(),
        typing: (writes) => this.live.typing(id, writes),
        upload: (file) => this.files.upload(id, file),
      });
      this.chats.set(id, chat);
    }
    return chat;
  }

  protected takeState(state: ConversationState): void {
    this.chat(state.conversationId).takeState(state);
    this.changed();
  }

  #event(event: Event): void {
    const chat = this.chat(event.conversationId);
    const isNew = event.seq > chat.readSeq && fromVisitor(event);
    chat.takeEvent(event);
    const recent = this.serverNow() - Date.parse(event.at) < NOTICE_MS;
    if (isNew && recent && chat.speaks) {
      const text = event.message?.text || "Sent a file";
      const looked = this.selectedId === chat.id && document.hasFocus();
      if (!looked) this.signals.message(chat.name, text, () => this.select(chat.id));
    }
    if (event.closed) this.#knocks.settle(chat.id);
    // A guest who has gone hears no more of it.
    const hasLeft = event.left?.agent?.id === this.me.id && !chat.covers(event);
    if (hasLeft && !chat.open) this.live.unfollow(chat.id);
    this.markRead();
    this.changed();
  }

  /** Takes a push; to be extended by a page. */
  protected pushed(frame: ServerFrame): void {
    if (frame.typing) this.chats.get(frame.typing.conversationId)?.takeTyping(frame.typing);
    if (frame.read) this.chats.get(frame.read.conversationId)?.takeRead(frame.read);
    if (frame.offer) this.offered(frame.offer, true);
    if (frame.offerClosed) this.#dropOffer(frame.offerClosed.offerId);
    if (frame.agentState?.agent?.id === this.me.id) this.#own.take(frame.agentState);
    this.#knocked(frame);
    this.changed();
  }

  protected offered(offer: OfferPush, ring: boolean): void {
    const isNew = this.#offers.add(offer);
    if (!isNew || !ring) return;
    const name = offer.visitor?.name || "A visitor";
    this.signals.offer(`${name} is waiting`, offer.preview ?? "", () => {});
  }

  #knocked({ invitation, mention }: ServerFrame): void {
    const knock = invitation
      ? this.#knocks.invited(invitation)
      : mention && this.#knocks.mentioned(mention);
    // What was sent before has rung before, or its agent was away.
    if (!knock || invitation?.again || mention?.again) return;
    const title = knock.kind === "invitation" ? "asks you to join" : "mentions you";
    this.signals.offer(`${knock.by} ${title}`, knock.text || knock.preview, () => {});
  }

  #lost(conversationId: string): void {
    const chat = this.chats.get(conversationId);
    if (chat?.events.length === 0) this.chats.delete(conversationId);
    else if (chat) chat.gone = true;
    this.changed();
  }

  #restarted(conversationId: string): void {
    const chat = this.chats.get(conversationId);
    if (chat) chat.events = [];
  }

  #refused(entry: OutboxEntry, error: RequestError): void {
    // What was said stays to be seen, and may be tried again.
    if (!isSaid(entry.request)) this.live.outbox.remove(entry.id);
    else if (error.code !== "ERROR_CODE_UNIMPLEMENTED") return;
    this.verbs.failed(verbOf(entry.request), error);
  }

  protected markRead(): void {
    const chat = this.selected;
    const last = chat?.events.at(-1);
    if (!chat?.speaks || !last || document.visibilityState !== "visible") return;
    if (last.seq <= chat.readSeq) return;
    chat.readSeq = last.seq;
    this.live.markRead(chat.id, last.seq);
    this.changed();
  }
}
