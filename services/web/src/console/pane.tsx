// The selected chat: its header, what was said, and where the agent writes.

import { Avatar } from "../ui/avatar";
import { useFollowEnd } from "../ui/follow-end";
import { BackIcon, LeaveIcon, TransferIcon } from "../ui/icons";
import { threadLines } from "../ui/thread";
import type { AgentChat } from "./chat";
import { Composer } from "./composer";
import type { Desk } from "./desk";
import { LineView } from "./lines";

interface Props {
  desk: Desk;
  chat: AgentChat;
  ask(dialog: "transfer" | "end"): void;
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
            {[chat.queue, chat.language, stateText(chat)].filter(Boolean).join(" · ")}
          </p>
        </div>
        {chat.open && (
          <>
            <button type="button" class="secondary" title="Alt+T" onClick={() => ask("transfer")}>
              <TransferIcon /> Transfer
            </button>
            <button type="button" class="secondary" title="Alt+E" onClick={() => ask("end")}>
              <LeaveIcon /> End
            </button>
          </>
        )}
      </header>
      <Log desk={desk} chat={chat} />
      {chat.open ? (
        <Composer desk={desk} chat={chat} />
      ) : (
        <footer class="finished">
          <p>{chat.left ? "This chat is no longer yours." : "This chat has ended."}</p>
          <button type="button" class="secondary" onClick={() => desk.putAway(chat)}>
            Put away
          </button>
        </footer>
      )}
    </main>
  );
}

function stateText(chat: AgentChat): string {
  if (chat.left) return "handed on";
  return chat.closed ? "ended" : "";
}

function Log({ desk, chat }: { desk: Desk; chat: AgentChat }) {
  const { view, onScroll, release } = useFollowEnd();
  const lines = threadLines({
    events: chat.events,
    entries: desk.entries(chat),
    me: desk.me,
    peerReadSeq: chat.visitorReadSeq,
    isOurs: (by) => by.party === "PARTY_AGENT" || by.party === "PARTY_SUPERVISOR",
    isNotice: (event) => !event.offered,
  });
  return (
    <div ref={view} class="log-view" onScroll={onScroll}>
      {chat.hasEarlier && (
        <button
          type="button"
          class="secondary earlier"
          onClick={() => {
            release();
            void desk.loadEarlier(chat);
          }}
        >
          Earlier messages
        </button>
      )}
      <div class="log" role="log" aria-live="polite" aria-label="Messages">
        {lines.map((line) => (
          <LineView key={line.key} line={line} desk={desk} />
        ))}
      </div>
      {chat.typingIn.typing && (
        <p class="typing" role="status">
          <span class="dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          <span class="soft">{chat.name} is typing</span>
        </p>
      )}
    </div>
  );
}
