// What the staff do with a conversation, as requests: each says in words when it
// fails, and is not offered again when the server does not know it.

import {
  type ClientRequest,
  type ClientRequests,
  ConnectionLost,
  type ConversationState,
  lostDelayMs,
  type OutboxRequest,
  RequestError,
  type ServerFrame,
  type Team,
  type TransferTarget,
} from "../protocol";
import { problemText } from "./problems";

export type Verb = keyof ClientRequests;

/** What the verbs need of the workplace. */
export interface VerbPorts {
  request(request: ClientRequest): Promise<ServerFrame>;
  say(notice: string): void;
  changed(): void;
}

export class Verbs {
  readonly #ports: VerbPorts;
  /** What the server has answered "unimplemented" to. */
  readonly #unknown = new Set<Verb>();
  /** Counts connections: what was asked on one before is not asked again. */
  #connection = 0;

  constructor(ports: VerbPorts) {
    this.#ports = ports;
  }

  /** Whether to offer it: until the server has said that it does not know it. */
  can(verb: Verb): boolean {
    return !this.#unknown.has(verb);
  }

  /** Connected anew, perhaps to a newer server. */
  connected(): void {
    this.#connection += 1;
    this.#unknown.clear();
  }

  /** Sends a request; undefined when it failed, and the reader has been told. */
  async run(request: ClientRequest): Promise<ServerFrame | undefined> {
    try {
      const reply = await this.#ports.request(request);
      this.#ports.changed();
      return reply;
    } catch (error) {
      this.failed(verbOf(request), error);
      return undefined;
    }
  }

  /** As `run`, for what is worth no word when it fails. */
  async ask(request: ClientRequest): Promise<ServerFrame | undefined> {
    try {
      return await this.#ports.request(request);
    } catch (error) {
      this.#learn(verbOf(request), error);
      return undefined;
    }
  }

  /**
   * Asks until the server answers, or says that it never will, which the reader is told:
   * for what a page cannot do without. Undefined as well when the connection ends; the next
   * one asks anew.
   */
  async insist(request: ClientRequest): Promise<ServerFrame | undefined> {
    const connection = this.#connection;
    for (let attempt = 0; connection === this.#connection; attempt += 1) {
      try {
        return await this.#ports.request(request);
      } catch (error) {
        if (!(error instanceof RequestError)) return undefined;
        if (!error.retryable) {
          const verb = verbOf(request);
          this.#learn(verb, error);
          // A page says in its own way what an older server cannot do.
          if (this.can(verb)) this.#ports.say(problemText(error, verb));
          return undefined;
        }
        await sleep(error.retryAfterMs + lostDelayMs(attempt, Math.random));
      }
    }
    return undefined;
  }

  /** Tells that a request failed. */
  failed(verb: Verb, error: unknown): void {
    this.#learn(verb, error);
    this.#ports.say(problemText(error, verb));
  }

  #learn(verb: Verb, error: unknown): void {
    if (error instanceof ConnectionLost || !(error instanceof RequestError)) return;
    if (error.code !== "ERROR_CODE_UNIMPLEMENTED") return;
    this.#unknown.add(verb);
    this.#ports.changed();
  }

  // ---- Conversations ------------------------------------------------------

  /** Those of the staff who are here, and the queues; undefined when it failed. */
  async team(): Promise<Team | undefined> {
    return (await this.run({ listTeam: {} }))?.team;
  }

  setTags(conversationId: string, tags: string[]): Promise<boolean> {
    return this.#done({ setTags: { conversationId, tags } });
  }

  transfer(
    conversationId: string,
    target: TransferTarget,
    note: string,
    warm: boolean,
  ): Promise<boolean> {
    const extra = { ...(note && { note }), ...(warm && { warm }) };
    return this.#done({ transfer: { conversationId, ...target, ...extra } });
  }

  invite(conversationId: string, agentId: string, note: string): Promise<boolean> {
    return this.#done({ invite: { conversationId, agentId, ...(note && { note }) } });
  }

  /** Ends a guest's part, by default the reader's own. */
  leave(conversationId: string, agentId?: string): Promise<boolean> {
    return this.#done({ leave: { conversationId, ...(agentId && { agentId }) } });
  }

  async takeOver(conversationId: string): Promise<ConversationState | undefined> {
    return (await this.run({ takeOver: { conversationId } }))?.conversation;
  }

  /** Takes it from this agent, and from nobody who has it by then. */
  forceRelease(
    conversationId: string,
    agentId: string | undefined,
    reason: string,
  ): Promise<boolean> {
    const extra = { ...(agentId && { agentId }), ...(reason && { reason }) };
    return this.#done({ forceRelease: { conversationId, ...extra } });
  }

  setPriority(conversationId: string, extraMinutes: number): Promise<boolean> {
    return this.#done({ setPriority: { conversationId, extraMinutes } });
  }

  async #done(request: ClientRequest): Promise<boolean> {
    return (await this.run(request)) !== undefined;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The verb of a request that waits in the outbox. */
export function verbOf(request: ClientRequest | OutboxRequest): Verb {
  return Object.keys(request)[0] as Verb;
}
