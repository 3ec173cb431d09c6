// The supervisor's board: how queues, agents and conversations stand, as the server
// pushes it, and the one conversation that is watched. It draws nothing.

import type { BoardPush, ConversationState, ServerFrame } from "../protocol";
import type { AgentChat } from "../staff/chat";
import type { AgentSession } from "../staff/session";
import { Workplace } from "../staff/workplace";
import { ANY, type Filter } from "./rows";

const PROGRAM = "frontdesk-supervisor/0.1.0";
const OUTBOX_KEY = "frontdesk:supervisor:outbox";

export class Board extends Workplace {
  /** As it was pushed last; undefined until then. */
  latest: BoardPush | undefined;
  /** Which conversations are listed. */
  filter: Filter = ANY;

  constructor(session: AgentSession, signedOut: (reason: string | undefined) => void) {
    super({ session, program: PROGRAM, outboxKey: OUTBOX_KEY, followUnknown: false, signedOut });
  }

  // ---- What the page shows ------------------------------------------------

  /** Why there is nothing to show: only supervisors may, or the server is too old. */
  get refusal(): "role" | "server" | undefined {
    if (!this.me.id) return undefined;
    if (!this.supervises) return "role";
    return this.verbs.can("watchBoard") ? undefined : "server";
  }

  /** What is known of the watched conversation on the board, if it is there. */
  get watched(): ConversationState | undefined {
    return this.latest?.conversations?.find((one) => one.conversationId === this.selectedId);
  }

  // ---- What the supervisor does -------------------------------------------

  /** Shows one conversation live, which the server records. */
  lookAt(state: ConversationState): void {
    if (state.conversationId === this.selectedId) return;
    this.takeUp(state);
    this.select(state.conversationId);
  }

  lookAway(): void {
    this.select(undefined);
  }

  /** One is watched at a time; what one takes part in goes on being followed. */
  override select(id: string | undefined): void {
    const before = this.selected;
    super.select(id);
    if (!before || before.id === id || (before.open && before.part !== "reader")) return;
    this.chats.delete(before.id);
    this.live.unfollow(before.id);
  }

  show(filter: Partial<Filter>): void {
    this.filter = { ...this.filter, ...filter };
    this.changed();
  }

  // ---- What the server says -----------------------------------------------

  protected override welcomed(): void {
    if (this.supervises) void this.verbs.insist({ watchBoard: { on: true } });
    this.loaded = true;
  }

  protected override chat(id: string): AgentChat {
    const chat = super.chat(id);
    chat.watching = true;
    return chat;
  }

  protected override pushed(frame: ServerFrame): void {
    if (frame.board) this.latest = frame.board;
    super.pushed(frame);
  }
}
