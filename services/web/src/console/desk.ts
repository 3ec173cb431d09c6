// The agent's desk: the chats that are theirs or that they take part in.

import {
  browserStorage,
  id,
  list,
  randomId,
  readJson,
  type TransferTarget,
  writeJson,
} from "../protocol";
import type { AgentChat } from "../staff/chat";
import type { AgentSession } from "../staff/session";
import { Workplace } from "../staff/workplace";

const PROGRAM = "frontdesk-console/0.1.0";
const OUTBOX_KEY = "frontdesk:console:outbox";
/** The server lists an agent's own chats; where it is a guest the page remembers. */
const ATTENDED_KEY = "frontdesk:console:attended";

export class Desk extends Workplace {
  #attended = readJson(browserStorage("sessionStorage"), ATTENDED_KEY, list(id)) ?? [];

  constructor(session: AgentSession, signedOut: (reason: string | undefined) => void) {
    super({ session, program: PROGRAM, outboxKey: OUTBOX_KEY, followUnknown: true, signedOut });
  }

  // ---- What the page shows ------------------------------------------------

  /** Open chats in the order they came, so that their numbers stay. */
  get open(): AgentChat[] {
    return [...this.chats.values()].filter((chat) => chat.open);
  }

  /** Closed and handed-on chats, until they are put away. */
  get done(): AgentChat[] {
    return [...this.chats.values()].filter((chat) => !chat.open);
  }

  // ---- What the agent does ------------------------------------------------

  close(chat: AgentChat): void {
    this.live.submit(randomId(), chat.id, { close: { conversationId: chat.id } });
  }

  /** Takes a chat that is finished, or only read along with, off the list. */
  putAway(chat: AgentChat): void {
    this.chats.delete(chat.id);
    this.live.unfollow(chat.id);
    if (this.selectedId === chat.id) this.select(this.open[0]?.id);
    this.changed();
  }

  /** Hands a chat on; false when it failed. */
  async transfer(
    chat: AgentChat,
    target: TransferTarget,
    note: string,
    warm: boolean,
  ): Promise<boolean> {
    const done = await this.verbs.transfer(chat.id, target, note, warm);
    if (done) chat.letGo(warm);
    this.changed();
    return done;
  }

  // ---- What the server says -----------------------------------------------

  protected override welcomed(): void {
    void this.#loadChats();
  }

  async #loadChats(): Promise<void> {
    const reply = await this.verbs.insist({ listConversations: { limit: 100 } });
    if (!reply) return;
    const states = reply.conversationList?.conversations ?? [];
    const mine = new Set(states.map((state) => state.conversationId));
    // What went elsewhere while this page was away.
    for (const chat of this.open) {
      if (chat.part === "holder" && !mine.has(chat.id)) chat.letGo(false);
    }
    // The list is newest first; the page numbers the chats from the oldest.
    for (const state of states.toReversed()) {
      if (state.offer) this.offered(state.offer, false);
      const takesPart = [state.agent, ...(state.guests ?? [])].some(
        (one) => one?.id === this.me.id,
      );
      if (takesPart) this.takeUp(state);
    }
    for (const id of this.#attended) if (!this.chats.has(id)) this.attend(id, 0);
    this.loaded = true;
    this.selectedId ??= this.open[0]?.id;
    this.markRead();
    this.changed();
  }

  protected override changed(): void {
    if (this.loaded) this.#rememberAttended();
    super.changed();
  }

  #rememberAttended(): void {
    const attended = this.open.filter((chat) => chat.part !== "holder").map((chat) => chat.id);
    if (attended.join() === this.#attended.join()) return;
    this.#attended = attended;
    writeJson(browserStorage("sessionStorage"), ATTENDED_KEY, attended);
  }
}
