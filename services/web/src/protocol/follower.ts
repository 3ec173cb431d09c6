// Follows conversations over a connection that comes and goes: their cursors,
// the resuming, the healing of gaps. Hands each event on once and in order.

import { lostDelayMs } from "./backoff";
import { ConversationCursor } from "./cursor";
import { RequestError } from "./errors";
import type {
  ClientRequest,
  ConversationState,
  Cursor,
  Event,
  EventPush,
  ServerError,
  ServerFrame,
  Welcome,
} from "./messages";
import { timerMs } from "./times";

export interface FollowerOptions {
  request(request: ClientRequest): Promise<ServerFrame>;
  online(): boolean;
  /** Each event once and in order of seq. */
  event(event: Event): void;
  conversation(state: ConversationState): void;
  /** The server no longer knows this conversation for this person. */
  lost(conversationId: string): void;
  /** Events come again from the first; what was shown is to be dropped. */
  restarted(conversationId: string): void;
  /** Agents learn of conversations by their events; visitors open them. */
  followUnknown: boolean;
  random: () => number;
}

/** What Hello.resume holds at most; further ones are subscribed afterwards. */
const MAX_RESUME = 100;
/** How long events may stay behind the head that the server named. */
const CATCH_UP_MS = 3_000;

export class Follower {
  readonly #options: FollowerOptions;
  readonly #cursors = new Map<string, ConversationCursor>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  /** Asked for in Hello and not granted in Welcome: an error push names each. */
  #unresumed = new Set<string>();

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** Follows a conversation that the server knows, after `seq`. */
  follow(conversationId: string, seq: number): void {
    if (this.#cursors.get(conversationId)?.known) return;
    this.#cursors.set(conversationId, new ConversationCursor(seq, true));
    void this.#subscribe(conversationId);
  }

  /** Awaits the events of a conversation that is about to be started. */
  expect(conversationId: string): void {
    if (!this.#cursors.has(conversationId)) {
      this.#cursors.set(conversationId, new ConversationCursor(0, false));
    }
  }

  unfollow(conversationId: string): void {
    this.#cursors.delete(conversationId);
    clearTimeout(this.#timers.get(conversationId));
    this.#timers.delete(conversationId);
  }

  /** What to ask for in Hello. */
  resume(): Cursor[] {
    return [...this.#cursors]
      .filter(([, cursor]) => cursor.known)
      .slice(0, MAX_RESUME)
      .map(([conversationId, cursor]) => ({ conversationId, seq: cursor.seq }));
  }

  /** The connection is open; `asked` is what went into its Hello. */
  connected(welcome: Welcome, asked: Cursor[]): void {
    const resumed = welcome.resumed ?? [];
    this.#unresumed = new Set(asked.map((cursor) => cursor.conversationId));
    for (const state of resumed) {
      this.#unresumed.delete(state.conversationId);
      this.note(state);
    }
    const inHello = new Set(asked.map((cursor) => cursor.conversationId));
    for (const [conversationId, cursor] of this.#cursors) {
      if (cursor.known && !inHello.has(conversationId)) void this.#subscribe(conversationId);
    }
  }

  disconnected(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    for (const cursor of this.#cursors.values()) cursor.catchingUp = false;
  }

  /** Takes an event push. */
  take(push: EventPush): void {
    const { event } = push;
    const cursor = this.#cursors.get(event.conversationId);
    if (!cursor) {
      // The subscription brings this event too, after those before it.
      if (this.#options.followUnknown) this.follow(event.conversationId, 0);
      return;
    }
    const verdict = cursor.take(push);
    if (verdict === "apply") this.#options.event(event);
    if (verdict === "gap" && !cursor.catchingUp) void this.#subscribe(event.conversationId);
  }

  /** Takes a conversation's state from a reply or a push. */
  note(state: ConversationState): void {
    const cursor = this.#cursors.get(state.conversationId);
    if (cursor) {
      cursor.known = true;
      cursor.headSeq = Math.max(cursor.headSeq, state.headSeq ?? 0);
      if (cursor.behind) this.#later(state.conversationId, CATCH_UP_MS);
    }
    this.#options.conversation(state);
  }

  /** Takes an error push. Errors of requests without a reply are not for us. */
  failed(error: ServerError): void {
    const { conversationId } = error;
    if (conversationId && this.#unresumed.delete(conversationId)) {
      this.#cannotFollow(conversationId, new RequestError(error));
    }
  }

  async #subscribe(conversationId: string): Promise<void> {
    const cursor = this.#cursors.get(conversationId);
    if (!cursor || !this.#options.online()) return;
    cursor.catchingUp = true;
    try {
      const from = { conversationId, seq: cursor.seq };
      const reply = await this.#options.request({ subscribe: { cursor: from } });
      cursor.catchingUp = false;
      if (reply.conversation) this.note(reply.conversation);
    } catch (error) {
      cursor.catchingUp = false;
      // A lost connection resumes by itself.
      if (error instanceof RequestError) this.#cannotFollow(conversationId, error);
    }
  }

  #cannotFollow(conversationId: string, error: RequestError): void {
    const cursor = this.#cursors.get(conversationId);
    if (!cursor) return;
    if (error.code === "ERROR_CODE_NOT_FOUND" || error.code === "ERROR_CODE_PERMISSION_DENIED") {
      this.unfollow(conversationId);
      this.#options.lost(conversationId);
    } else if (error.code === "ERROR_CODE_INVALID_ARGUMENT" && cursor.seq > 0) {
      cursor.reset();
      this.#options.restarted(conversationId);
      void this.#subscribe(conversationId);
    } else if (error.retryable) {
      cursor.headSeq = Math.max(cursor.headSeq, cursor.seq + 1);
      this.#later(conversationId, error.retryAfterMs + lostDelayMs(1, this.#options.random));
    }
  }

  /** Subscribes anew unless the events have come by then. */
  #later(conversationId: string, delayMs: number): void {
    clearTimeout(this.#timers.get(conversationId));
    const timer = setTimeout(() => {
      this.#timers.delete(conversationId);
      if (this.#cursors.get(conversationId)?.behind) void this.#subscribe(conversationId);
    }, timerMs(delayMs));
    this.#timers.set(conversationId, timer);
  }
}
