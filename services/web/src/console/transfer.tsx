// Hands a chat to a colleague, to a queue, or to whoever has a skill: at once, or
// with the agent staying until the two have met.

import { useState } from "preact/hooks";
import type { TransferTarget } from "../protocol";
import type { AgentChat } from "../staff/chat";
import { Choice, Colleagues, useTeam } from "../staff/colleagues";
import { Dialog } from "../staff/dialog";
import type { Desk } from "./desk";

interface Props {
  desk: Desk;
  chat: AgentChat;
  close(): void;
}

const LEVELS = [1, 2, 3, 4, 5];
/** Names of skills are of these. */
const SKILL = "[a-z0-9-]{1,64}";

export function TransferDialog({ desk, chat, close }: Props) {
  const team = useTeam(desk, close);
  const [target, setTarget] = useState<TransferTarget>();
  const [note, setNote] = useState("");
  const [warm, setWarm] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (target && (await desk.transfer(chat, target, note.trim(), warm))) close();
  };
  return (
    <Dialog title={`Transfer ${chat.name}`} close={close}>
      <form onSubmit={submit}>
        <Colleagues
          legend="To a colleague"
          desk={desk}
          team={team}
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
              choose={() => setTarget({ queue })}
            />
          ))}
        </fieldset>
        <BySkill target={target} choose={setTarget} />
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
        <div class="actions">
          <button type="button" class="secondary" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={!target}>
            Transfer
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface BySkillProps {
  target: TransferTarget | undefined;
  choose(target: TransferTarget | undefined): void;
}

function BySkill({ target, choose }: BySkillProps) {
  const [name, setName] = useState("");
  const [level, setLevel] = useState(1);
  const chosen = target !== undefined && "skill" in target;
  const take = (skill: string, atLeast: number) => {
    setName(skill);
    setLevel(atLeast);
    const known = skill.trim();
    choose(known ? { skill: { skills: { [known]: atLeast } } } : undefined);
  };
  return (
    <fieldset class="targets">
      <legend>To whoever has a skill</legend>
      <div class="choice skill">
        <input
          type="radio"
          name="target"
          aria-label="By skill"
          checked={chosen}
          disabled={!name.trim()}
          onChange={() => take(name, level)}
        />
        <input
          type="text"
          aria-label="Skill"
          placeholder="Skill, such as tax"
          pattern={SKILL}
          maxLength={64}
          autocapitalize="none"
          spellcheck={false}
          value={name}
          onInput={(event) => take(event.currentTarget.value, level)}
        />
        <select
          aria-label="Level"
          value={level}
          onChange={(event) => take(name, Number(event.currentTarget.value))}
        >
          {LEVELS.map((one) => (
            <option key={one} value={one}>
              level {one}
              {one < 5 ? " or more" : ""}
            </option>
          ))}
        </select>
      </div>
    </fieldset>
  );
}
