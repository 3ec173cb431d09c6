// How far one conversation has been read from the server, and what to do with
// an event that arrives. Pure.

import type { EventPush } from "./messages";

export type Verdict = "apply" | "duplicate" | "gap";

/** The place in one conversation up to which every visible event was applied. */
export class ConversationCursor {
  #seq: number;
  /** False until the server has shown that it knows the conversation. */
  known: boolean;
  /** A Subscribe is under way; until its answer, gaps are expected. */
  catchingUp = false;
  /** The last event that the server said exists. */
  headSeq = 0;

  constructor(seq: number, known: boolean) {
    this.#seq = seq;
    this.known = known;
  }

  get seq(): number {
    return this.#seq;
  }

  get behind(): boolean {
    return this.#seq < this.headSeq;
  }

  /**
   * Judges an event and moves on when it is the next one.
   *
   * `prev` is the event before it that this reader may see. A `prev` below the
   * cursor leaves nothing out; only one above it does.
   */
  take(push: EventPush): Verdict {
    if (push.event.seq <= this.#seq) return "duplicate";
    if ((push.prev ?? 0) > this.#seq) return "gap";
    this.#seq = push.event.seq;
    this.known = true;
    return "apply";
  }

  /** Starts again from nothing, when the server does not know the cursor. */
  reset(): void {
    this.#seq = 0;
  }
}
