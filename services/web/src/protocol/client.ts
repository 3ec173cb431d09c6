// The live client: keeps one connection open for as long as it is wanted and
// resumes everything when it comes back.
//
// It never draws anything and keeps no text: what was said goes to the
// handlers, what is to be said lies in the outbox.

import { afterClose, lostDelayMs, type StopReason } from "./backoff";
import { Connection, type SocketLike, SUBPROTOCOL } from "./connection";
import { ConnectionLost, RequestError } from "./errors";
import { Follower } from "./follower";
import { HttpError } from "./http";
import type {
  ClientRequest,
  ConversationState,
  Cursor,
  Event,
  ServerFrame,
  Welcome,
} from "./messages";
import { Outbox, type OutboxEntry, type OutboxRequest, type StoredEntry } from "./outbox";
import type { EntryStore } from "./storage";
import { durationMs, timerMs, timestampMs } from "./times";

/** Where tokens come from and where the newest one is kept. */
export interface TokenSource {
  /** A token to connect with. Rejects with `HttpError`. */
  current(): Promise<string>;
  /** A token to replace one that has expired. Rejects with `HttpError`. */
  renewed(): Promise<string>;
  /** The server has issued a newer token in band. */
  keep(token: string, expiresAt: string): void;
}

export type Link =
  | { state: "connecting" }
  | { state: "online" }
  | { state: "waiting" }
  | { state: "stopped"; reason: StopReason };

export interface LiveHandlers {
  linkChanged(link: Link): void;
  welcome(welcome: Welcome): void;
  /** Each event of each followed conversation, once and in order of seq. */
  event(event: Event): void;
  conversation(state: ConversationState): void;
  /** The server no longer knows this conversation for this person. */
  lost(conversationId: string): void;
  /** Events come again from the first; what was shown is to be dropped. */
  restarted(conversationId: string): void;
  /** Typing, reads, queue places, offers and agent states. */
  push(frame: ServerFrame): void;
  outboxChanged(conversationId: string): void;
  /** The server refused an entry for good. */
  refused(entry: OutboxEntry, error: RequestError): void;
}

export interface LiveOptions {
  url: string;
  /** Name and version for the server's logs. */
  program: string;
  tokens: TokenSource;
  store: EntryStore<StoredEntry>;
  handlers: LiveHandlers;
  /** Agents learn of conversations by their events; visitors open them. */
  followUnknown?: boolean;
  openSocket?: (url: string, protocol: string) => SocketLike;
  random?: () => number;
}

/** A connection that lived this long was a good one. */
const LASTING_MS = 10_000;
/** One that at least came about keeps the next wait this short: 2^2 s. */
const WELCOMED_ATTEMPTS = 2;
const PROBE_TIMEOUT_MS = 5_000;
const REFRESH_EARLY_MS = 60_000;
const REFRESH_RETRY_MS = 30_000;
/** A token that is over as soon as it comes is not asked for in a tight loop. */
const REFRESH_FLOOR_MS = 1_000;
const NORMAL_CLOSE = 1000;

export class LiveClient {
  readonly outbox: Outbox;
  readonly #options: LiveOptions;
  readonly #random: () => number;
  readonly #follower: Follower;
  readonly #reads = new Map<string, number>();
  #connection: Connection | undefined;
  #link: Link = { state: "waiting" };
  #retry: ReturnType<typeof setTimeout> | undefined;
  #refresh: ReturnType<typeof setTimeout> | undefined;
  #move: ReturnType<typeof setTimeout> | undefined;
  /** Connections in a row that did not last. */
  #attempt = 0;
  #welcomedAt: number | undefined;
  #renewToken = false;
  #patient = false;
  #wanted = false;
  /** Tells a superseded connection attempt from the present one. */
  #generation = 0;
  #clockSkewMs = 0;

  constructor(options: LiveOptions) {
    const { handlers } = options;
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#follower = new Follower({
      request: (request) => this.request(request),
      online: () => this.#link.state === "online",
      event: (event) => this.#event(event),
      conversation: (state) => handlers.conversation(state),
      lost: (conversationId) => handlers.lost(conversationId),
      restarted: (conversationId) => handlers.restarted(conversationId),
      followUnknown: options.followUnknown ?? false,
      random: this.#random,
    });
    this.outbox = new Outbox({
      store: options.store,
      random: this.#random,
      deliver: (request) => this.request(request),
      changed: (conversationId) => handlers.outboxChanged(conversationId),
      answered: (frame) => frame.conversation && this.#follower.note(frame.conversation),
      refused: (entry, error) => handlers.refused(entry, error),
    });
  }

  get link(): Link {
    return this.#link;
  }

  /** The server's clock, in milliseconds since 1970. */
  serverNow(): number {
    return Date.now() + this.#clockSkewMs;
  }

  /** Connects and stays connected until `stop`. */
  start(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#attempt = 0;
    void this.#connect();
  }

  /** Disconnects for good; the outbox keeps what it has. */
  stop(): void {
    this.#wanted = false;
    this.#generation += 1;
    clearTimeout(this.#retry);
    const connection = this.#connection;
    connection?.close();
    this.#closed(connection, NORMAL_CLOSE);
  }

  /** The network or the page came back: connect now, or see whether it still works. */
  hurry(): void {
    if (this.#wanted && this.#link.state === "online") this.#probe();
    else this.#cutWaitShort();
  }

  /** Puts a request into the outbox; somebody who acts does not wait out a back-off. */
  submit(id: string, conversationId: string, request: OutboxRequest): void {
    this.outbox.add(id, conversationId, request);
    this.#cutWaitShort();
  }

  #cutWaitShort(): void {
    const waiting = this.#wanted && this.#link.state === "waiting";
    if (waiting && !this.#patient) this.#connectAfter(0);
  }

  /** Follows a conversation that the server knows, after `seq`. */
  follow(conversationId: string, seq = 0): void {
    this.#follower.follow(conversationId, seq);
  }

  /** Awaits the events of a conversation whose start lies in the outbox. */
  expect(conversationId: string): void {
    this.#follower.expect(conversationId);
  }

  /** No longer follows a conversation. */
  unfollow(conversationId: string): void {
    this.#follower.unfollow(conversationId);
    this.#reads.delete(conversationId);
    this.#post({ unsubscribe: { conversationId } });
  }

  /** Sends a request now; rejects with `ConnectionLost` when not connected. */
  request(request: ClientRequest): Promise<ServerFrame> {
    if (!this.#connection || this.#link.state !== "online") {
      return Promise.reject(new ConnectionLost("not connected"));
    }
    return this.#connection.request(request);
  }

  /** Tells that the person is writing, when connected. */
  typing(conversationId: string, typing: boolean): void {
    this.#post({ typing: { conversationId, typing } });
  }

  /** Everything up to `seq` was read; told again after a reconnect. */
  markRead(conversationId: string, seq: number): void {
    if (seq <= (this.#reads.get(conversationId) ?? 0)) return;
    this.#reads.set(conversationId, seq);
    this.#post({ markRead: { conversationId, seq } });
  }

  #post(request: ClientRequest): void {
    if (this.#link.state === "online") this.#connection?.post(request);
  }

  // ---- Connecting ---------------------------------------------------------

  #connectAfter(delayMs: number): void {
    clearTimeout(this.#retry);
    this.#setLink({ state: "waiting" });
    this.#retry = setTimeout(() => void this.#connect(), timerMs(delayMs));
  }

  async #connect(): Promise<void> {
    this.#generation += 1;
    const generation = this.#generation;
    this.#setLink({ state: "connecting" });
    try {
      const { tokens } = this.#options;
      const token = await (this.#renewToken ? tokens.renewed() : tokens.current());
      if (generation === this.#generation) this.#open(token);
    } catch (error) {
      if (generation === this.#generation) this.#tokenFailed(error);
    }
  }

  #open(token: string): void {
    const { url, program, openSocket } = this.#options;
    this.#renewToken = false;
    const resume = this.#follower.resume();
    const hello = { token, client: program, ...(resume.length > 0 && { resume }) };
    const connection = new Connection((openSocket ?? browserSocket)(url, SUBPROTOCOL), hello, {
      welcome: (welcome) => {
        if (connection === this.#connection) this.#welcome(welcome, resume);
      },
      push: (frame) => this.#push(frame),
      closed: (code) => this.#closed(connection, code),
    });
    this.#connection = connection;
  }

  #tokenFailed(error: unknown): void {
    this.#attempt += 1;
    if (error instanceof HttpError && !error.retryable) {
      this.#giveUp("token-refused");
      return;
    }
    const asked = error instanceof HttpError ? error.retryAfterMs : 0;
    this.#patient = asked > 0;
    this.#connectAfter(asked + lostDelayMs(this.#attempt, this.#random));
  }

  #welcome(welcome: Welcome, asked: Cursor[]): void {
    this.#welcomedAt = Date.now();
    this.#clockSkewMs = timestampMs(welcome.serverTime, Date.now()) - Date.now();
    this.#setLink({ state: "online" });
    this.#refreshBefore(welcome.tokenExpiresAt);
    this.#options.handlers.welcome(welcome);
    this.#follower.connected(welcome, asked);
    for (const [conversationId, seq] of this.#reads) {
      this.#post({ markRead: { conversationId, seq } });
    }
    this.outbox.resume();
  }

  #closed(connection: Connection | undefined, code: number): void {
    if (connection !== this.#connection) return;
    this.#detach();
    if (!this.#wanted) return;
    this.#forgiveAttempts();
    const next = afterClose(code, this.#attempt, this.#random);
    this.#attempt += 1;
    if (next.action === "stop") {
      this.#giveUp(next.reason);
      return;
    }
    this.#renewToken ||= next.renewToken;
    this.#patient = next.patient;
    this.#connectAfter(next.delayMs);
  }

  #forgiveAttempts(): void {
    if (this.#welcomedAt === undefined) return;
    const lasted = Date.now() - this.#welcomedAt >= LASTING_MS;
    this.#attempt = lasted ? 0 : Math.min(this.#attempt, WELCOMED_ATTEMPTS);
    this.#welcomedAt = undefined;
  }

  #detach(): void {
    this.#connection = undefined;
    clearTimeout(this.#refresh);
    clearTimeout(this.#move);
    this.#follower.disconnected();
    this.outbox.pause();
  }

  #giveUp(reason: StopReason): void {
    this.#wanted = false;
    this.#setLink({ state: "stopped", reason });
  }

  #setLink(link: Link): void {
    this.#link = link;
    this.#options.handlers.linkChanged(link);
  }

  /** A sleeping laptop's connection may be dead without knowing it. */
  #probe(): void {
    this.#connection
      ?.request({ listConversations: { limit: 1 } }, PROBE_TIMEOUT_MS)
      // Only silence matters, and that has already dropped the connection.
      .catch(() => {});
  }

  #refreshBefore(expiresAt: string | undefined): void {
    if (expiresAt === undefined) return;
    const left = timestampMs(expiresAt, 0) - this.serverNow();
    // Short-lived tokens are renewed with a fifth of their time left.
    this.#refreshAfter(left - Math.min(REFRESH_EARLY_MS, left / 5));
  }

  #refreshAfter(delayMs: number): void {
    clearTimeout(this.#refresh);
    const delay = Math.max(REFRESH_FLOOR_MS, delayMs);
    this.#refresh = setTimeout(() => void this.#refreshToken(), timerMs(delay));
  }

  async #refreshToken(): Promise<void> {
    try {
      const { tokenRefreshed } = await this.request({ refreshToken: {} });
      if (!tokenRefreshed) return;
      this.#options.tokens.keep(tokenRefreshed.token, tokenRefreshed.expiresAt);
      this.#refreshBefore(tokenRefreshed.expiresAt);
    } catch (error) {
      // After a lost connection, Welcome sets the clock anew.
      if (error instanceof RequestError) this.#refreshAfter(REFRESH_RETRY_MS);
    }
  }

  // ---- Pushes -------------------------------------------------------------

  #push(frame: ServerFrame): void {
    if (frame.event) this.#follower.take(frame.event);
    else if (frame.conversation) this.#follower.note(frame.conversation);
    else if (frame.error) this.#follower.failed(frame.error);
    else if (frame.move) this.#moveAfter(durationMs(frame.move.delay, 0));
    else this.#options.handlers.push(frame);
  }

  #event(event: Event): void {
    this.#options.handlers.event(event);
    const { clientMsgId } = event.message ?? event.note ?? event.whisper ?? {};
    if (clientMsgId) this.outbox.remove(clientMsgId);
  }

  /** The server drains: not a failure, so connect elsewhere at once. */
  #moveAfter(delayMs: number): void {
    clearTimeout(this.#move);
    this.#move = setTimeout(() => {
      const connection = this.#connection;
      this.#detach();
      connection?.close();
      this.#attempt = 0;
      void this.#connect();
    }, timerMs(delayMs));
  }
}

function browserSocket(url: string, protocol: string): SocketLike {
  return new WebSocket(url, protocol);
}

/** Connects at once when the network or the page comes back. */
export function hurryWithBrowser(client: LiveClient): void {
  window.addEventListener("online", () => client.hurry());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") client.hurry();
  });
}
