// What the person has written and the server has not yet confirmed. One queue
// per conversation, sent strictly in order, one at a time, each under the same
// id until it is answered. Kept in the browser's storage, so that neither a cut
// connection nor a reload loses a word.
//
// It never talks to the network itself: `deliver` does.

import { RequestError } from "./errors";
import type {
  AddNote,
  ClientRequest,
  ContactLeft,
  SendMessage,
  ServerFrame,
  StartConversation,
  WhisperRequest,
} from "./messages";
import type { EntryStore } from "./storage";
import { timerMs } from "./times";

/** The requests that must arrive, in the order they were made. */
export type OutboxRequest =
  | { start: StartConversation }
  | { send: SendMessage }
  | { addNote: AddNote }
  | { whisper: WhisperRequest }
  | { rate: { conversationId: string; score: number; comment?: string } }
  | { reopen: { conversationId: string } }
  | { leaveContact: { conversationId: string } & ContactLeft }
  | { close: { conversationId: string } };

/** What is stored of an entry. */
export interface StoredEntry {
  /** The `client_msg_id` where the request has one, else random. */
  id: string;
  conversationId: string;
  /** Rises with each entry; restores the order after a reload. */
  order: number;
  /** Milliseconds since 1970. */
  createdAt: number;
  request: OutboxRequest;
}

export interface OutboxEntry extends StoredEntry {
  /**
   * `sent` entries are durable and wait only for their event, so that a message
   * never vanishes from the page between the answer and the event. `failed`
   * ones were refused for good; the person decides.
   */
  status: "queued" | "sending" | "sent" | "failed";
  error?: RequestError;
  attempts: number;
}

export interface OutboxOptions {
  store: EntryStore<StoredEntry>;
  deliver(request: ClientRequest): Promise<ServerFrame>;
  changed(conversationId: string): void;
  answered(frame: ServerFrame): void;
  refused(entry: OutboxEntry, error: RequestError): void;
  random?: () => number;
}

const RETRY_FLOOR_MS = 500;
const RETRY_CAP_MS = 30_000;
/** An internal error is retried once: the second time it is the message. */
const INTERNAL_ATTEMPTS = 2;

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #entries: OutboxEntry[];
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #lastOrder = 0;
  #open = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#entries = options.store
      .load()
      .sort((a, b) => a.order - b.order)
      .map((stored) => ({ ...stored, status: "queued", attempts: 0 }));
    this.#lastOrder = this.#entries.at(-1)?.order ?? 0;
  }

  /** Everything of one conversation, in order. */
  of(conversationId: string): OutboxEntry[] {
    return this.#entries.filter((entry) => entry.conversationId === conversationId);
  }

  /** Adds a request at the end of its conversation's queue. */
  add(id: string, conversationId: string, request: OutboxRequest): void {
    const createdAt = Date.now();
    this.#lastOrder = Math.max(createdAt, this.#lastOrder + 1);
    const stored: StoredEntry = { id, conversationId, order: this.#lastOrder, createdAt, request };
    this.#options.store.put(id, stored);
    this.#entries.push({ ...stored, status: "queued", attempts: 0 });
    this.#options.changed(conversationId);
    this.#pump(conversationId);
  }

  /** Tries a refused entry again under its old id. */
  retry(id: string): void {
    const entry = this.#find(id);
    if (entry?.status !== "failed") return;
    entry.status = "queued";
    entry.attempts = 0;
    this.#options.changed(entry.conversationId);
    this.#pump(entry.conversationId);
  }

  /** Gives an entry up, or lets it go once its event has been seen. */
  remove(id: string): void {
    const index = this.#entries.findIndex((entry) => entry.id === id);
    const entry = this.#entries[index];
    if (!entry) return;
    this.#entries.splice(index, 1);
    this.#options.store.delete(id);
    this.#options.changed(entry.conversationId);
    this.#pump(entry.conversationId);
  }

  /** Gives up everything of a conversation that is no more. */
  forget(conversationId: string): void {
    for (const entry of this.of(conversationId)) this.remove(entry.id);
  }

  /** The connection is open: send what waits. */
  resume(): void {
    this.#open = true;
    const conversations = new Set(this.#entries.map((entry) => entry.conversationId));
    for (const conversationId of conversations) this.#pump(conversationId);
  }

  /** The connection is gone: keep everything. */
  pause(): void {
    this.#open = false;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #find(id: string): OutboxEntry | undefined {
    return this.#entries.find((entry) => entry.id === id);
  }

  #pump(conversationId: string): void {
    if (!this.#open || this.#timers.has(conversationId)) return;
    const queue = this.of(conversationId);
    if (queue.some((entry) => entry.status === "sending")) return;
    const head = queue.find((entry) => entry.status === "queued");
    if (head) void this.#deliver(head);
  }

  async #deliver(entry: OutboxEntry): Promise<void> {
    entry.status = "sending";
    entry.attempts += 1;
    this.#options.changed(entry.conversationId);
    try {
      this.#answered(entry, await this.#options.deliver(entry.request));
    } catch (error) {
      this.#stumbled(entry, error);
    }
    this.#options.changed(entry.conversationId);
    this.#pump(entry.conversationId);
  }

  #answered(entry: OutboxEntry, frame: ServerFrame): void {
    this.#options.store.delete(entry.id);
    entry.status = "sent";
    if (!isSaid(entry.request)) this.remove(entry.id);
    this.#options.answered(frame);
  }

  #stumbled(entry: OutboxEntry, error: unknown): void {
    entry.status = "queued";
    if (!(error instanceof RequestError)) {
      // Anything else than an answer means that the connection went away.
      this.pause();
      return;
    }
    const hopeless = error.code === "ERROR_CODE_INTERNAL" && entry.attempts >= INTERNAL_ATTEMPTS;
    // A token that has just expired ends the connection; the next one sends it again.
    const expired = error.code === "ERROR_CODE_UNAUTHENTICATED";
    if (expired || (error.retryable && !hopeless)) {
      this.#waitFor(entry, error);
      return;
    }
    entry.status = "failed";
    entry.error = error;
    this.#options.refused(entry, error);
  }

  #waitFor(entry: OutboxEntry, error: RequestError): void {
    if (!this.#open) return;
    const random = this.#options.random ?? Math.random;
    const growing = Math.min(RETRY_CAP_MS, RETRY_FLOOR_MS * 2 ** Math.min(entry.attempts - 1, 16));
    const delay = Math.max(RETRY_FLOOR_MS, error.retryAfterMs) + random() * growing;
    const timer = setTimeout(() => {
      this.#timers.delete(entry.conversationId);
      this.#pump(entry.conversationId);
    }, timerMs(delay));
    this.#timers.set(entry.conversationId, timer);
  }
}

/** Whether a request says something, so that an event will show it. */
export function isSaid(request: OutboxRequest): boolean {
  return "send" in request || "addNote" in request || "whisper" in request;
}
