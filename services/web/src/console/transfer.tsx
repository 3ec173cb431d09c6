// Hands a chat to a colleague, to a queue, or to whoever has some skills: at once, or
// with the agent staying until the two have met.

import { useState } from "preact/hooks";
import type { TransferTarget } from "../protocol";
import type { AgentChat } from "../staff/chat";
import { Choice, Colleagues, useTeam } from "../staff/colleagues";
import { FormDialog } from "../staff/dialog";
import type { Desk } from "./desk";

interface Props {
  desk: Desk;
  chat: AgentChat;
  close(): void;
}

/** More than the server takes of one transfer. */
const MAX_SKILLS = 8;

export function TransferDialog({ desk, chat, close }: Props) {
  const team = useTeam(desk, close);
  const [target, setTarget] = useState<TransferTarget>();
  const [note, setNote] = useState("");
  const [warm, setWarm] = useState(false);
  const submit = async () =>
    target !== undefined && (await desk.transfer(chat, target, note.trim(), warm));
  return (
    <FormDialog
      title={`Transfer ${chat.name}`}
      close={close}
      verb="Transfer"
      ready={target !== undefined}
      submit={submit}
    >
      <Colleagues
        legend="To a colleague"
        desk={desk}
        team={team}
        chosen={target !== undefined && "agentId" in target ? target.agentId : undefined}
        choose={(agentId) => setTarget({ agentId })}
      />
      <fieldset class="targets">
        <legend>To a queue</legend>
        {(team?.queues ?? []).map((queue) => (
          <Choice
            key={queue}
            name={queue}
            status={undefined}
            detail={queue === chat.queue ? "now here" : ""}
            chosen={target !== undefined && "queue" in target && target.queue === queue}
            choose={() => setTarget({ queue })}
          />
        ))}
      </fieldset>
      <BySkill known={team && (team.skills ?? {})} target={target} choose={setTarget} />
      <label>
        Note for whoever takes over
        <textarea
          rows={3}
          maxLength={1300}
          value={note}
          onInput={(event) => setNote(event.currentTarget.value)}
        />
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={warm}
          onChange={(event) => setWarm(event.currentTarget.checked)}
        />
        <span>
          Stay and introduce them
          <small class="soft">You become a guest when it is taken</small>
        </span>
      </label>
    </FormDialog>
  );
}

interface BySkillProps {
  /** What colleagues are able to, with the best level; absent until it is known. */
  known: Record<string, number> | undefined;
  target: TransferTarget | undefined;
  choose(target: TransferTarget | undefined): void;
}

/** One or several skills, each with the least level that will do. */
function BySkill({ known, target, choose }: BySkillProps) {
  const wanted = target !== undefined && "skill" in target ? target.skill.skills : {};
  const names = Object.keys(known ?? {}).sort();
  const full = Object.keys(wanted).length >= MAX_SKILLS;
  const want = (skill: string, level: number | undefined) => {
    const { [skill]: _, ...others } = wanted;
    const skills = level === undefined ? others : { ...others, [skill]: level };
    choose(Object.keys(skills).length > 0 ? { skill: { skills } } : undefined);
  };
  return (
    <fieldset class="targets">
      <legend>To whoever has these skills</legend>
      {known && names.length === 0 && <p class="soft">Nobody else here has a skill.</p>}
      {names.map((skill) => (
        <Skill
          key={skill}
          name={skill}
          best={known?.[skill] ?? 1}
          level={wanted[skill]}
          disabled={full && wanted[skill] === undefined}
          want={(level) => want(skill, level)}
        />
      ))}
    </fieldset>
  );
}

interface SkillProps {
  name: string;
  best: number;
  /** The least that will do; absent when it does not matter. */
  level: number | undefined;
  disabled: boolean;
  want(level: number | undefined): void;
}

function Skill({ name, best, level, disabled, want }: SkillProps) {
  const levels = Array.from({ length: best }, (_, index) => index + 1);
  return (
    <div class="choice skill">
      <label>
        <input
          type="checkbox"
          checked={level !== undefined}
          disabled={disabled}
          onChange={(event) => want(event.currentTarget.checked ? 1 : undefined)}
        />
        <span>{name}</span>
      </label>
      <select
        aria-label={`Level of ${name}`}
        disabled={disabled}
        value={level ?? 1}
        onChange={(event) => want(Number(event.currentTarget.value))}
      >
        {levels.map((one) => (
          <option key={one} value={one}>
            level {one}
            {one < 5 ? " or more" : ""}
          </option>
        ))}
      </select>
    </div>
  );
}
