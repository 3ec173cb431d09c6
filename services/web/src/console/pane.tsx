// The selected chat: its header with what can be done, what was said, and where the
// agent writes.

import { AlarmBadges } from "../staff/alarms";
import type { AgentChat } from "../staff/chat";
import { Composer } from "../staff/composer";
import { Log } from "../staff/log";
import { Avatar } from "../ui/avatar";
import { BackIcon, InviteIcon, JoinIcon, LeaveIcon, TransferIcon } from "../ui/icons";
import type { Desk } from "./desk";

/** What the page asks about before it is done. */
export type Question = "transfer" | "invite" | "end";

interface Props {
  desk: Desk;
  chat: AgentChat;
  ask(question: Question): void;
}

export function Pane({ desk, chat, ask }: Props) {
  return (
    <main class="pane">
      <header class="pane-header">
        <button
          type="button"
          class="tool back"
          aria-label="Back to the list"
          onClick={() => desk.select(undefined)}
        >
          <BackIcon />
        </button>
        <Avatar name={chat.visitor.name} />
        <div class="pane-title">
          <h1>{chat.name}</h1>
          <p class="soft">
            {[chat.queue, chat.language, peopleText(desk, chat)].filter(Boolean).join(" · ")}{" "}
            <AlarmBadges alarms={chat.alarms} />
          </p>
        </div>
        <Actions desk={desk} chat={chat} ask={ask} />
      </header>
      <Log desk={desk} chat={chat} />
      {chat.open ? <Composer desk={desk} chat={chat} /> : <Finished desk={desk} chat={chat} />}
    </main>
  );
}

function Actions({ desk, chat, ask }: Props) {
  if (!chat.open) return null;
  if (chat.part === "holder") {
    return (
      <>
        {desk.verbs.can("invite") && (
          <button type="button" class="secondary" title="Alt+I" onClick={() => ask("invite")}>
            <InviteIcon /> Invite
          </button>
        )}
        <button type="button" class="secondary" title="Alt+T" onClick={() => ask("transfer")}>
          <TransferIcon /> Transfer
        </button>
        <button type="button" class="secondary" title="Alt+E" onClick={() => ask("end")}>
          <LeaveIcon /> End
        </button>
      </>
    );
  }
  if (chat.part === "guest") {
    return (
      <button type="button" class="secondary" onClick={() => void desk.leave(chat)}>
        <LeaveIcon /> Leave
      </button>
    );
  }
  return (
    <>
      {!chat.handingOn && desk.verbs.can("join") && (
        <button type="button" class="primary" onClick={() => void desk.join(chat.id)}>
          <JoinIcon /> Join
        </button>
      )}
      <button type="button" class="secondary" onClick={() => desk.putAway(chat)}>
        Put away
      </button>
    </>
  );
}

function Finished({ desk, chat }: Omit<Props, "ask">) {
  return (
    <footer class="finished">
      <p>{chat.closed ? "This chat has ended." : "This chat is no longer yours."}</p>
      <button type="button" class="secondary" onClick={() => desk.putAway(chat)}>
        Put away
      </button>
    </footer>
  );
}

/** Who else is in it, and what the agent is in it. */
function peopleText(desk: Desk, chat: AgentChat): string {
  if (chat.closed) return "ended";
  if (chat.handingOn) return "handed on; you join when it is taken";
  const names = [...(chat.agent ? [chat.agent] : []), ...chat.guests]
    .filter((one) => one.id !== desk.me.id)
    .map((one) => one.name || "Agent");
  const others = names.length > 0 ? `with ${names.join(", ")}` : "";
  if (chat.part === "guest") return ["you are a guest", others].filter(Boolean).join(", ");
  if (chat.part === "reader") return ["you read along", others].filter(Boolean).join(", ");
  return chat.part === "none" ? "handed on" : others;
}
