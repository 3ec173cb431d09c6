// What the staff do with a conversation, as requests: each says in words when it
// fails, and is not offered again when the server does not know it.

import {
  type ClientRequest,
  type ClientRequests,
  ConnectionLost,
  type ConversationState,
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

  constructor(ports: VerbPorts) {
    this.#ports = ports;
  }

  /** Whether to offer it: until the server has said that it does not know it. */
  can(verb: Verb): boolean {
    return !this.#unknown.has(verb);
  }

  /** Connected anew, perhaps to a newer server. */
  connected(): void {
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

/** The verb of a request that waits in the outbox. */
export function verbOf(request: ClientRequest | OutboxRequest): Verb {
  return Object.keys(request)[0] as Verb;
}
