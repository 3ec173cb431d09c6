// What colleagues ask of this agent: to join a conversation, or to look at a note
// that names them. Kept until it is answered or put away.

import type { InvitationPush, MentionPush } from "../protocol";

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
  /** Of a mention: the note's place in the conversation. */
  seq: number;
}

/** More than anybody answers; the oldest goes first. */
const MAX_KNOCKS = 20;

export class Knocks {
  #list: Knock[] = [];

  /** The newest first. */
  get list(): readonly Knock[] {
    return this.#list;
  }

  invited(push: InvitationPush): Knock {
    return this.#add({
      kind: "invitation",
      conversationId: push.conversationId,
      by: push.by?.name || "A colleague",
      text: push.note ?? "",
      visitor: push.visitor?.name ?? "",
      queue: push.queue ?? "",
      preview: push.preview ?? "",
      seq: 0,
    });
  }

  mentioned(push: MentionPush): Knock {
    return this.#add({
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

  #add(knock: Knock): Knock {
    this.remove(knock);
    this.#list = [knock, ...this.#list].slice(0, MAX_KNOCKS);
    return knock;
  }

  remove({ kind, conversationId }: Pick<Knock, "kind" | "conversationId">): void {
    this.#list = this.#list.filter(
      (other) => other.kind !== kind || other.conversationId !== conversationId,
    );
  }

  /** The agent is in that conversation, or it is over: nothing is left to ask. */
  settle(conversationId: string): void {
    this.#list = this.#list.filter((other) => other.conversationId !== conversationId);
  }
}
