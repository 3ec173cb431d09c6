// Handing a chat to a colleague or a queue, with a note for whoever takes over.

import { useEffect, useState } from "preact/hooks";
import type { AgentStatus, Team } from "../protocol";
import type { AgentChat } from "./chat";
import type { Desk } from "./desk";
import { Dialog } from "./dialog";
import { STATUS_NAMES } from "./status";

interface Props {
  desk: Desk;
  chat: AgentChat;
  close(): void;
}

type Target = { queue: string } | { agentId: string };

export function TransferDialog({ desk, chat, close }: Props) {
  const [team, setTeam] = useState<Team>();
  const [target, setTarget] = useState<Target>();
  const [note, setNote] = useState("");
  useEffect(() => {
    void desk.team().then((found) => (found ? setTeam(found) : close()));
  }, [desk, close]);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (target && (await desk.transfer(chat, target, note.trim()))) close();
  };
  const colleagues = (team?.agents ?? []).filter((state) => state.agent?.id !== desk.me.id);
  return (
    <Dialog title={`Transfer ${chat.name}`} close={close}>
      <form onSubmit={submit}>
        <fieldset class="targets">
          <legend>To a colleague</legend>
          {team && colleagues.length === 0 && <p class="soft">Nobody else is here right now.</p>}
          {colleagues.map((state) => (
            <Choice
              key={state.agent?.id}
              name={state.agent?.name || "Agent"}
              status={state.status}
              detail={`${state.load ?? 0} of ${state.capacity ?? 0}`}
              choose={() => setTarget({ agentId: state.agent?.id ?? "" })}
            />
          ))}
        </fieldset>
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
        <label>
          Note for whoever takes over
          <textarea
            rows={3}
            maxLength={1300}
            value={note}
            onInput={(event) => setNote(event.currentTarget.value)}
          />
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

interface ChoiceProps {
  name: string;
  status: AgentStatus | undefined;
  detail: string;
  choose(): void;
}

function Choice({ name, status, detail, choose }: ChoiceProps) {
  return (
    <label class="choice">
      <input type="radio" name="target" onChange={choose} />
      {status && <span class="dot" data-status={status} title={STATUS_NAMES[status]} />}
      <span>{name}</span>
      <span class="soft">{detail}</span>
    </label>
  );
}
