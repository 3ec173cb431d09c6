// The agent's own status: what the server says of it, what the agent has chosen,
// and whether the server has put them away for offers that they did not answer.

import type { AgentState } from "../protocol";
import { type Choice, StatusChoice } from "./status-choice";

export class OwnStatus {
  readonly #choice = new StatusChoice();
  state: AgentState = {};
  /** Set aside by the server, and the agent has not yet said anything to it. */
  setAside = false;

  /** The agent has chosen, connected or not. */
  choose(choice: Choice): void {
    this.setAside = false;
    this.#choice.choose(choice);
  }

  forget(): void {
    this.#choice.forget();
  }

  /** The connection is away; to be called as often as one likes. */
  away(): void {
    this.#choice.away();
  }

  /** The connection is back: the choice to tell the server again, if any. */
  back(state: AgentState | undefined): Choice | undefined {
    this.take(state);
    return this.#choice.back(this.state);
  }

  /** The server says how things stand. */
  take(state: AgentState | undefined): void {
    if (!state) return;
    this.state = state;
    const away = state.status === "AGENT_STATUS_AWAY";
    const chosen = this.#choice.current?.status === "AGENT_STATUS_AWAY";
    this.setAside = away && !chosen && (state.missedOffers ?? 0) > 0;
    // The choice of before no longer holds: a reload must not go online again.
    if (this.setAside) this.#choice.forget();
  }
}
