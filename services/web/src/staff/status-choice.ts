// The status that the agent has chosen, kept over reloads of the tab, and when
// it is to be told to a server that no longer holds it.

import {
  type AgentState,
  type AgentStatus,
  browserStorage,
  dropKey,
  message,
  readJson,
  text,
  word,
  writeJson,
} from "../protocol";

export interface Choice {
  status: AgentStatus;
  reason: string;
}

const choiceShape = message<Choice>({ status: word, reason: text }, "status", "reason");

const KEY = "frontdesk:console:status";
/** A choice outlives an absence of this long. */
const RESTORE_WITHIN_MS = 5 * 60_000;

export class StatusChoice {
  readonly #storage = browserStorage("sessionStorage");
  /** Since when the connection has been away; milliseconds since 1970. */
  #lostAt: number | undefined;

  /** The agent has chosen, connected or not. */
  choose(choice: Choice): void {
    writeJson(this.#storage, KEY, choice);
    this.#lostAt = undefined;
  }

  /** What the agent has chosen last, as far as it is kept. */
  get current(): Choice | undefined {
    return readJson(this.#storage, KEY, choiceShape);
  }

  forget(): void {
    dropKey(this.#storage, KEY);
  }

  /** The connection is away; to be called as often as one likes. */
  away(now = Date.now()): void {
    this.#lostAt ??= now;
  }

  /**
   * The connection is back and the server says `state`: the choice to tell it.
   * None when another connection of the agent may have made a newer one, or when
   * the agent was gone for long and may not be sitting there.
   */
  back(state: AgentState, now = Date.now()): Choice | undefined {
    const gone = this.#lostAt !== undefined && now - this.#lostAt > RESTORE_WITHIN_MS;
    this.#lostAt = undefined;
    const choice = this.current;
    const elsewhere = (state.connections ?? 0) > 1;
    return gone || elsewhere || choice?.status === state.status ? undefined : choice;
  }
}
