// What a supervisor is asked before it is done: how much priority, and why a chat is
// taken from its agent.

import { useState } from "preact/hooks";
import type { AgentChat } from "../staff/chat";
import { FormDialog } from "../staff/dialog";
import { minutesText } from "../staff/notices";
import type { Board } from "./board";

interface Props {
  desk: Board;
  chat: AgentChat;
  close(): void;
}

/** A day either way is what the server takes. */
const MOST_MINUTES = 1440;
const STEPS = [-10, 5, 10, 30, 60];

export function PriorityDialog({ desk, chat, close }: Props) {
  const [minutes, setMinutes] = useState(chat.extraMinutes);
  const allowed = Number.isInteger(minutes) && Math.abs(minutes) <= MOST_MINUTES;
  return (
    <FormDialog
      title={`Priority of ${chat.name}`}
      close={close}
      verb="Set"
      ready={allowed}
      submit={() => desk.verbs.setPriority(chat.id, minutes)}
    >
      <p class="soft">
        It is served as if it had waited so many minutes longer. Less than nothing lets others go
        first.
      </p>
      <label>
        Extra minutes
        <input
          type="number"
          required
          min={-MOST_MINUTES}
          max={MOST_MINUTES}
          value={Number.isNaN(minutes) ? "" : minutes}
          onInput={(event) => setMinutes(event.currentTarget.valueAsNumber)}
        />
      </label>
      <div class="steps">
        {STEPS.map((step) => (
          <button
            key={step}
            type="button"
            class="secondary"
            aria-pressed={step === minutes}
            onClick={() => setMinutes(step)}
          >
            {minutesText(step)}
          </button>
        ))}
        <button type="button" class="secondary" onClick={() => setMinutes(0)}>
          As usual
        </button>
      </div>
    </FormDialog>
  );
}

export function ReleaseDialog({ desk, chat, close }: Props) {
  const [reason, setReason] = useState("");
  // The one whom the question is about, even if another has it meanwhile.
  const [agent] = useState(chat.agent);
  return (
    <FormDialog
      title={`Take the chat from ${agent?.name || "its agent"}?`}
      close={close}
      verb="Put back"
      submit={() => desk.verbs.forceRelease(chat.id, agent?.id, reason.trim())}
    >
      <p class="soft">
        It goes back to its place in the queue {chat.queue}, and to somebody else if anybody is
        there.
      </p>
      <label>
        Why
        <input
          maxLength={65}
          value={reason}
          placeholder="For the audit log"
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </label>
    </FormDialog>
  );
}
