// The team as a list to choose from, in dialogs: colleagues with their status, and
// how much they have to do.

import { useEffect, useState } from "preact/hooks";
import type { AgentState, AgentStatus, Team } from "../protocol";
import { statusName } from "./status";
import type { Workplace } from "./workplace";

/** The team as it is now; `failed` is called when it cannot be had. */
export function useTeam(desk: Workplace, failed: () => void): Team | undefined {
  const [team, setTeam] = useState<Team>();
  useEffect(() => {
    void desk.verbs.team().then((found) => (found ? setTeam(found) : failed()));
  }, [desk, failed]);
  return team;
}

interface ColleaguesProps {
  legend: string;
  desk: Workplace;
  team: Team | undefined;
  /** Ids of those who are not to be chosen. */
  without?: readonly (string | undefined)[];
  chosen: string | undefined;
  choose(agentId: string): void;
}

export function Colleagues(props: ColleaguesProps) {
  const { legend, desk, team, without = [], chosen, choose } = props;
  const others = (team?.agents ?? []).filter(
    ({ agent }) => agent?.id !== desk.me.id && !without.includes(agent?.id),
  );
  return (
    <fieldset class="targets">
      <legend>{legend}</legend>
      {team && others.length === 0 && <p class="soft">Nobody else is here right now.</p>}
      {others.map((state) => (
        <Choice
          key={state.agent?.id}
          name={state.agent?.name || "Agent"}
          status={state.status}
          detail={slots(state)}
          chosen={chosen !== undefined && state.agent?.id === chosen}
          choose={() => choose(state.agent?.id ?? "")}
        />
      ))}
    </fieldset>
  );
}

function slots(state: AgentState): string {
  return `${state.load ?? 0} of ${state.capacity ?? 0}`;
}

interface ChoiceProps {
  name: string;
  status: AgentStatus | undefined;
  detail: string;
  chosen: boolean;
  choose(): void;
}

export function Choice({ name, status, detail, chosen, choose }: ChoiceProps) {
  return (
    <label class="choice">
      <input type="radio" name="target" checked={chosen} onChange={choose} />
      {status && <span class="dot" data-status={status} title={statusName(status)} />}
      <span>{name}</span>
      <span class="soft">{detail}</span>
    </label>
  );
}
