// What colleagues ask of this agent: to join a conversation, or to look at a note
// that names them. Kept until it is answered or put away; what was put away in this
// browser stays so, though the server tells it to every new page.

import {
  browserStorage,
  type InvitationPush,
  list,
  type MentionPush,
  readJson,
  text,
  writeJson,
} from "../protocol";

export interface Knock {
  kind: "invitation" | "mention";
  conversationId: string;
  /** The colleague's name. */
  by: string;
  /** Their note. */
  text: string;
  /** Of an invitation: whom it is about. */
  visitor: string;
  queue: string;
  /** Of an invitation: the visitor's words. */
  preview: string;
  /** The place in the conversation of what asks; 0 when it is not known. */
  seq: number;
}

/** More than anybody answers; the oldest goes first. */
const MAX_KNOCKS = 20;
/** Put away and remembered; the oldest goes first. */
const MAX_PUT_AWAY = 100;
const PUT_AWAY_KEY = "frontdesk:put-away:";

export class Knocks {
  #list: Knock[] = [];
  #agentId = "";

  /** Whose they are: what they have put away is remembered for them alone. */
  belongTo(agentId: string): void {
    if (agentId !== this.#agentId) this.#list = [];
    this.#agentId = agentId;
  }

  /** The newest first. */
  get list(): readonly Knock[] {
    return this.#list;
  }

  /** Takes an invitation; gives it when it is news. */
  invited(push: InvitationPush): Knock | undefined {
    return this.#take(push.again, {
      kind: "invitation",
      conversationId: push.conversationId,
      by: push.by?.name || "A colleague",
      text: push.note ?? "",
      visitor: push.visitor?.name ?? "",
      queue: push.queue ?? "",
      preview: push.preview ?? "",
      seq: push.seq ?? 0,
    });
  }

  /** Takes a mention; gives it when it is news. */
  mentioned(push: MentionPush): Knock | undefined {
    return this.#take(push.again, {
      kind: "mention",
      conversationId: push.conversationId,
      by: push.by?.name || "A colleague",
      text: push.text ?? "",
      visitor: "",
      queue: "",
      preview: "",
      seq: push.seq ?? 0,
    });
  }

  /** What is told again is no news where it is known. */
  #take(again: boolean | undefined, knock: Knock): Knock | undefined {
    if (again && this.#knows(knock)) return undefined;
    this.#drop(knock);
    this.#list = [knock, ...this.#list].slice(0, MAX_KNOCKS);
    return knock;
  }

  #knows(knock: Knock): boolean {
    const isListed = this.#list.some((other) => nameOf(other) === nameOf(knock));
    return isListed || this.#putAway().includes(nameOf(knock));
  }

  #drop({ kind, conversationId }: Knock): void {
    this.#list = this.#list.filter(
      (other) => other.kind !== kind || other.conversationId !== conversationId,
    );
  }

  /** The agent has seen it, and does not want it to be shown again. */
  putAway(knock: Knock): void {
    this.#drop(knock);
    const others = this.#putAway().filter((name) => name !== nameOf(knock));
    writeJson(this.#storage, this.#key, [...others, nameOf(knock)].slice(-MAX_PUT_AWAY));
  }

  #putAway(): string[] {
    return readJson(this.#storage, this.#key, list(text)) ?? [];
  }

  get #storage(): Storage | undefined {
    return browserStorage("localStorage");
  }

  get #key(): string {
    return PUT_AWAY_KEY + this.#agentId;
  }

  /** The agent is in that conversation, or it is over: nothing is left to ask. */
  settle(conversationId: string): void {
    this.#list = this.#list.filter((other) => other.conversationId !== conversationId);
  }
}

function nameOf({ kind, conversationId, seq }: Knock): string {
  return `${kind}:${conversationId}:${seq}`;
}
