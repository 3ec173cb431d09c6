// Asks a colleague to join a chat as a guest.

import { useState } from "preact/hooks";
import type { AgentChat } from "../staff/chat";
import { Colleagues, useTeam } from "../staff/colleagues";
import { FormDialog } from "../staff/dialog";
import type { Desk } from "./desk";

interface Props {
  desk: Desk;
  chat: AgentChat;
  close(): void;
}

export function InviteDialog({ desk, chat, close }: Props) {
  const team = useTeam(desk, close);
  const [agentId, setAgentId] = useState<string>();
  const [note, setNote] = useState("");
  const submit = async () => {
    if (!agentId || !(await desk.verbs.invite(chat.id, agentId, note.trim()))) return false;
    desk.say("Asked. They appear here once they join.");
    return true;
  };
  return (
    <FormDialog
      title={`Invite to the chat with ${chat.name}`}
      close={close}
      verb="Invite"
      ready={Boolean(agentId)}
      submit={submit}
    >
      <Colleagues
        legend="A colleague"
        desk={desk}
        team={team}
        without={chat.guests.map((guest) => guest.id)}
        chosen={agentId}
        choose={setAgentId}
      />
      <label>
        Note for your colleague
        <textarea
          rows={3}
          maxLength={330}
          value={note}
          onInput={(event) => setNote(event.currentTarget.value)}
        />
      </label>
    </FormDialog>
  );
}
