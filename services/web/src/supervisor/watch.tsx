// The conversation that is watched, live, and what a supervisor can do about it.

import { useCallback, useState } from "preact/hooks";
import { AlarmBadges } from "../staff/alarms";
import type { AgentChat } from "../staff/chat";
import { Composer } from "../staff/composer";
import { Log } from "../staff/log";
import { minutesText } from "../staff/notices";
import {
  CloseIcon,
  EyeIcon,
  JoinIcon,
  LeaveIcon,
  PriorityIcon,
  ReleaseIcon,
  TakeIcon,
} from "../ui/icons";
import type { Board } from "./board";
import { PriorityDialog, ReleaseDialog } from "./dialogs";

interface Props {
  desk: Board;
  chat: AgentChat;
}

type Question = "priority" | "release" | undefined;

export function Watch({ desk, chat }: Props) {
  const [question, setQuestion] = useState<Question>();
  const close = useCallback(() => setQuestion(undefined), []);
  return (
    <section class="watch pane" aria-label={`The chat with ${chat.name}`}>
      <header class="pane-header">
        <div class="pane-title">
          <h2>{chat.name}</h2>
          <p class="soft">
            {whereText(desk, chat)} <AlarmBadges alarms={chat.alarms} />
          </p>
        </div>
        <button
          type="button"
          class="tool"
          aria-label="Stop watching"
          title="Stop watching (Esc)"
          onClick={() => desk.lookAway()}
        >
          <CloseIcon />
        </button>
      </header>
      <Actions desk={desk} chat={chat} ask={setQuestion} />
      {chat.part === "reader" && (
        <p class="hint-bar soft">
          <EyeIcon /> You watch unseen. Watching, and all you do here, is kept in the audit log.
        </p>
      )}
      <Log desk={desk} chat={chat} />
      {chat.open ? <Composer desk={desk} chat={chat} /> : <Ended desk={desk} chat={chat} />}
      {question === "priority" && <PriorityDialog desk={desk} chat={chat} close={close} />}
      {question === "release" && <ReleaseDialog desk={desk} chat={chat} close={close} />}
    </section>
  );
}

function Actions({ desk, chat, ask }: Props & { ask(question: Question): void }) {
  if (!chat.open) return null;
  const { part } = chat;
  const held = chat.phase === "PHASE_ASSIGNED";
  const can = (verb: "join" | "leave" | "takeOver" | "forceRelease" | "setPriority") =>
    desk.verbs.can(verb);
  return (
    <div class="watch-actions" role="toolbar" aria-label="What to do">
      {part === "reader" && held && can("join") && (
        <button type="button" class="secondary" onClick={() => void desk.join(chat.id)}>
          <JoinIcon /> Join
        </button>
      )}
      {part === "guest" && can("leave") && (
        <button type="button" class="secondary" onClick={() => void desk.leave(chat)}>
          <LeaveIcon /> Leave
        </button>
      )}
      {part !== "holder" && can("takeOver") && (
        <button type="button" class="secondary" onClick={() => void desk.takeOver(chat)}>
          <TakeIcon /> Take over
        </button>
      )}
      {held && can("forceRelease") && (
        <button type="button" class="secondary" onClick={() => ask("release")}>
          <ReleaseIcon /> Put back
        </button>
      )}
      {!held && can("setPriority") && (
        <button type="button" class="secondary" onClick={() => ask("priority")}>
          <PriorityIcon /> Priority
        </button>
      )}
      {part === "holder" && (
        <a class="secondary" href="/console/">
          Go on in the console
        </a>
      )}
    </div>
  );
}

function Ended({ desk, chat }: Props) {
  return (
    <footer class="finished">
      <p>{chat.closed ? "This chat has ended." : "This chat is no longer shown to you."}</p>
      <button type="button" class="secondary" onClick={() => desk.lookAway()}>
        Stop watching
      </button>
    </footer>
  );
}

/** Its queue, and who has it or that it waits. */
function whereText(desk: Board, chat: AgentChat): string {
  const nameOf = (one: { id?: string; name?: string }) =>
    one.id === desk.me.id ? "you" : one.name || "an agent";
  const position = desk.watched?.queuePosition?.position ?? 0;
  const waits = position > 0 ? `waits, no. ${position}` : "waits";
  const offered = chat.phase === "PHASE_OFFERED" ? "is offered" : waits;
  const held = chat.agent ? `with ${[chat.agent, ...chat.guests].map(nameOf).join(", ")}` : "";
  const state = chat.closed ? "ended" : chat.phase === "PHASE_ASSIGNED" ? held : offered;
  const priority = chat.extraMinutes === 0 ? "" : `priority ${minutesText(chat.extraMinutes)}`;
  return [chat.queue, chat.language, state, priority].filter(Boolean).join(" · ");
}
