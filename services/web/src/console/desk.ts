// The agent's desk: the open chats, the offers, the status, and what the buttons
// do. It draws nothing.

import {
  type AgentState,
  type AgentStatus,
  BrowserStore,
  browserStorage,
  type ConversationState,
  type Event,
  hurryWithBrowser,
  type Link,
  LiveClient,
  liveUrl,
  type OfferPush,
  type OutboxEntry,
  type Participant,
  RequestError,
  randomId,
  type ServerFrame,
  type Team,
  type Welcome,
} from "../protocol";
import { Model } from "../ui/model";
import { Trouble } from "../ui/trouble";
import { AgentChat, fromVisitor } from "./chat";
import { AgentFiles } from "./files";
import { Offers } from "./offers";
import { problemText } from "./problems";
import type { AgentSession } from "./session";
import { Signals } from "./signals";
import { type Choice, StatusChoice } from "./status-choice";

const PROGRAM = "frontdesk-console/0.1.0";
const OUTBOX_KEY = "frontdesk:console:outbox";
const TROUBLE_AFTER_MS = 2_000;
const NOTICE_MS = 7_000;
/** Longer conversations are opened at their end; the rest comes on demand. */
const WHOLE_EVENTS = 200;
const TAIL_EVENTS = 100;

export class Desk extends Model {
  readonly signals = new Signals();
  readonly files: AgentFiles;
  readonly #trouble = new Trouble(TROUBLE_AFTER_MS, () => this.changed());
  readonly #session: AgentSession;
  readonly #live: LiveClient;
  readonly #chats = new Map<string, AgentChat>();
  readonly #offers = new Offers();
  readonly #choice = new StatusChoice();
  readonly #signedOut: (reason: string | undefined) => void;
  #noticeTimer: ReturnType<typeof setTimeout> | undefined;

  me: Participant = { party: "PARTY_AGENT" };
  site = "";
  state: AgentState = {};
  selectedId: string | undefined;
  /** The list of conversations has arrived at least once. */
  loaded = false;
  /** A short word about something that did not work. */
  notice: string | undefined;

  constructor(session: AgentSession, signedOut: (reason: string | undefined) => void) {
    super();
    this.#session = session;
    this.files = new AgentFiles(session);
    this.#signedOut = signedOut;
    this.#live = new LiveClient({
      url: liveUrl(session.origin),
      program: PROGRAM,
      tokens: session,
      store: new BrowserStore(browserStorage("sessionStorage"), OUTBOX_KEY),
      followUnknown: true,
      handlers: {
        linkChanged: (link) => this.#linkChanged(link),
        welcome: (welcome) => this.#welcomed(welcome),
        event: (event) => this.#event(event),
        conversation: (state) => this.#takeState(state),
        lost: (id) => this.#lost(id),
        restarted: (id) => this.#restarted(id),
        push: (frame) => this.#push(frame),
        outboxChanged: () => this.changed(),
        refused: (entry, error) => this.#refused(entry, error),
      },
    });
    hurryWithBrowser(this.#live);
    document.addEventListener("visibilitychange", () => this.#markRead());
    window.addEventListener("focus", () => this.#markRead());
    this.#live.start();
  }

  // ---- What the page shows ------------------------------------------------

  /** Open chats in the order they came, so that their numbers stay. */
  get open(): AgentChat[] {
    return [...this.#chats.values()].filter((chat) => chat.open);
  }

  /** Closed and handed-on chats, until they are put away. */
  get done(): AgentChat[] {
    return [...this.#chats.values()].filter((chat) => !chat.open);
  }

  /** Offers that can still be taken, the most urgent first. */
  get offers(): OfferPush[] {
    return this.#offers.open(this.#live.serverNow());
  }

  get selected(): AgentChat | undefined {
    return this.selectedId === undefined ? undefined : this.#chats.get(this.selectedId);
  }

  /** The connection has been away for long enough to say so. */
  get trouble(): boolean {
    return this.#trouble.shown;
  }

  /** The server's clock, in milliseconds since 1970. */
  serverNow(): number {
    return this.#live.serverNow();
  }

  entries(chat: AgentChat): OutboxEntry[] {
    return this.#live.outbox.of(chat.id);
  }

  // ---- What the agent does ------------------------------------------------

  select(id: string | undefined): void {
    this.selectedId = id;
    this.#markRead();
    this.changed();
  }

  /** Sets the status; while not connected it is taken up with the next Welcome. */
  async setStatus(status: AgentStatus, reason: string): Promise<void> {
    if (status === "AGENT_STATUS_ONLINE") this.signals.askOnce();
    this.#choice.choose({ status, reason });
    if (this.#live.link.state === "online") await this.#sendStatus({ status, reason });
  }

  async #sendStatus({ status, reason }: Choice): Promise<void> {
    await this.#try(async () => {
      const reply = await this.#live.request({ setStatus: { status, ...(reason && { reason }) } });
      this.state = reply.agentState ?? this.state;
    });
  }

  async accept(offer: OfferPush): Promise<void> {
    const { conversationId, offerId } = offer;
    await this.#try(async () => {
      const reply = await this.#live.request({ acceptOffer: { conversationId, offerId } });
      if (!reply.conversation) return;
      this.#takeState(reply.conversation);
      this.#follow(reply.conversation);
      this.select(conversationId);
    });
    this.#dropOffer(offerId);
  }

  async decline(offer: OfferPush): Promise<void> {
    const { conversationId, offerId } = offer;
    this.#dropOffer(offerId);
    await this.#try(async () => {
      await this.#live.request({ declineOffer: { conversationId, offerId } });
    });
  }

  /** Sends the draft as a message or, in note mode, as a private note. */
  send(chat: AgentChat): void {
    const text = chat.draft.trim();
    const { uploads } = chat;
    const attachmentIds = chat.noteMode ? [] : uploads.done.map((attachment) => attachment.id);
    if (uploads.busy || (!text && attachmentIds.length === 0)) return;
    const clientMsgId = randomId();
    const said = { conversationId: chat.id, clientMsgId, text };
    chat.draft = "";
    if (!chat.noteMode) uploads.clear();
    chat.typingOut.stopped();
    this.#live.submit(
      clientMsgId,
      chat.id,
      chat.noteMode
        ? { addNote: said }
        : { send: { ...said, ...(attachmentIds.length > 0 && { attachmentIds }) } },
    );
  }

  typed(chat: AgentChat, text: string): void {
    chat.draft = text;
    if (!chat.noteMode) chat.typingOut.typed(text);
    this.changed();
  }

  setNoteMode(chat: AgentChat, noteMode: boolean): void {
    chat.noteMode = noteMode;
    if (noteMode) chat.typingOut.stopped();
    this.changed();
  }

  retry(entryId: string): void {
    this.#live.outbox.retry(entryId);
  }

  discard(entryId: string): void {
    this.#live.outbox.remove(entryId);
  }

  close(chat: AgentChat): void {
    this.#live.submit(randomId(), chat.id, { close: { conversationId: chat.id } });
  }

  /** Takes a finished chat off the list. */
  putAway(chat: AgentChat): void {
    this.#chats.delete(chat.id);
    this.#live.unfollow(chat.id);
    if (this.selectedId === chat.id) this.select(this.open[0]?.id);
    this.changed();
  }

  async setTags(chat: AgentChat, tags: string[]): Promise<void> {
    await this.#try(async () => {
      await this.#live.request({ setTags: { conversationId: chat.id, tags } });
    });
  }

  /** The colleagues and queues a chat could go to; undefined when it failed. */
  async team(): Promise<Team | undefined> {
    let team: Team | undefined;
    await this.#try(async () => {
      team = (await this.#live.request({ listTeam: {} })).team;
    });
    return team;
  }

  /** Hands a chat on; false when it failed. */
  async transfer(
    chat: AgentChat,
    target: { queue: string } | { agentId: string },
    note: string,
  ): Promise<boolean> {
    return this.#try(async () => {
      const transfer = { conversationId: chat.id, ...target, ...(note && { note }) };
      await this.#live.request({ transfer });
      chat.left = true;
    });
  }

  async loadEarlier(chat: AgentChat): Promise<void> {
    await this.#try(async () => {
      const afterSeq = chat.events[0]?.seq ?? 0;
      const request = { conversationId: chat.id, afterSeq, limit: 100, backwards: true };
      const { history } = await this.#live.request({ getHistory: request });
      const events = (history?.events ?? []).map((push) => push.event);
      chat.takeEarlier(events, history?.more ?? false);
    });
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

  /** Runs a request, tells the agent when it fails, and says whether it worked. */
  async #try(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      this.changed();
      return true;
    } catch (error) {
      this.say(problemText(error));
      return false;
    }
  }

  #leave(reason: string | undefined): void {
    this.#live.stop();
    this.#choice.forget();
    this.#session.signOut();
    this.#signedOut(reason);
  }

  // ---- What the server says -----------------------------------------------

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
    if (link.state !== "online") this.#choice.away();
    this.changed();
  }

  #welcomed(welcome: Welcome): void {
    this.me = welcome.you ?? this.me;
    this.site = welcome.site ?? this.site;
    this.state = welcome.agentState ?? this.state;
    const choice = this.#choice.back(this.state);
    if (choice) void this.#sendStatus(choice);
    void this.#loadChats();
    this.changed();
  }

  async #loadChats(): Promise<void> {
    try {
      const reply = await this.#live.request({ listConversations: { limit: 100 } });
      const states = reply.conversationList?.conversations ?? [];
      const mine = new Set(states.map((state) => state.conversationId));
      // What went elsewhere while this page was away.
      for (const chat of this.open) chat.left ||= !mine.has(chat.id);
      // The list is newest first; the page numbers the chats from the oldest.
      for (const state of states.toReversed()) {
        if (state.offer) this.#offered(state.offer, false);
        if (state.agent?.id !== this.me.id) continue;
        this.#takeState(state);
        this.#follow(state);
      }
      this.loaded = true;
      this.selectedId ??= this.open[0]?.id;
      this.#markRead();
      this.changed();
    } catch (error) {
      if (error instanceof RequestError) this.say(problemText(error));
    }
  }

  #follow(state: ConversationState): void {
    const head = state.headSeq ?? 0;
    const chat = this.#chats.get(state.conversationId);
    const seq = head > WHOLE_EVENTS ? head - TAIL_EVENTS : 0;
    if (chat && chat.events.length === 0) chat.hasEarlier = seq > 0;
    this.#live.follow(state.conversationId, seq);
  }

  #chat(id: string): AgentChat {
    let chat = this.#chats.get(id);
    if (!chat) {
      chat = new AgentChat(id, {
        changed: () => this.changed(),
        typing: (writes) => this.#live.typing(id, writes),
        upload: (file) => this.files.upload(id, file),
      });
      this.#chats.set(id, chat);
    }
    return chat;
  }

  #takeState(state: ConversationState): void {
    const chat = this.#chat(state.conversationId);
    chat.takeState(state);
    chat.left = !chat.closed && chat.agent?.id !== this.me.id;
    this.changed();
  }

  #event(event: Event): void {
    const chat = this.#chat(event.conversationId);
    const isNew = event.seq > chat.readSeq && fromVisitor(event);
    chat.takeEvent(event, this.me);
    const recent = this.serverNow() - Date.parse(event.at) < NOTICE_MS;
    if (isNew && recent && chat.open) {
      const text = event.message?.text || "Sent a file";
      const looked = this.selectedId === chat.id && document.hasFocus();
      if (!looked) this.signals.message(chat.name, text, () => this.select(chat.id));
    }
    this.#markRead();
    this.changed();
  }

  #push(frame: ServerFrame): void {
    if (frame.typing) {
      this.#chats.get(frame.typing.conversationId)?.typingIn.set(frame.typing.typing ?? false);
    }
    if (frame.read) this.#chats.get(frame.read.conversationId)?.takeRead(frame.read);
    if (frame.offer) this.#offered(frame.offer, true);
    if (frame.offerClosed) this.#dropOffer(frame.offerClosed.offerId);
    if (frame.agentState?.agent?.id === this.me.id) this.state = frame.agentState ?? this.state;
    this.changed();
  }

  #offered(offer: OfferPush, ring: boolean): void {
    const isNew = this.#offers.add(offer);
    if (!isNew || !ring) return;
    const name = offer.visitor?.name || "A visitor";
    this.signals.offer(`${name} is waiting`, offer.preview ?? "", () => {});
  }

  #dropOffer(offerId: string): void {
    this.#offers.remove(offerId);
    this.changed();
  }

  #lost(conversationId: string): void {
    const chat = this.#chats.get(conversationId);
    if (chat) chat.left = true;
    this.changed();
  }

  #restarted(conversationId: string): void {
    const chat = this.#chats.get(conversationId);
    if (chat) chat.events = [];
  }

  #refused(entry: OutboxEntry, error: RequestError): void {
    if ("send" in entry.request || "addNote" in entry.request) return;
    this.#live.outbox.remove(entry.id);
    this.say(problemText(error));
  }

  #markRead(): void {
    const chat = this.selected;
    const last = chat?.events.at(-1);
    if (!chat?.open || !last || document.visibilityState !== "visible") return;
    if (last.seq <= chat.readSeq) return;
    chat.readSeq = last.seq;
    this.#live.markRead(chat.id, last.seq);
    this.changed();
  }
}
