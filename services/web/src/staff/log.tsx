// What was said and done in a conversation, with who is writing at its end.

import { useFollowEnd } from "../ui/follow-end";
import { threadLines } from "../ui/thread";
import type { AgentChat } from "./chat";
import { LineView } from "./lines";
import type { Workplace } from "./workplace";

export function Log({ desk, chat }: { desk: Workplace; chat: AgentChat }) {
  const { view, onScroll, release } = useFollowEnd();
  const lines = threadLines({
    events: chat.events,
    entries: desk.entries(chat),
    me: desk.me,
    peerReadSeq: chat.visitorReadSeq,
    // Frontdesk's own messages speak for the staff.
    isOurs: (by) => by.party !== "PARTY_VISITOR",
    isNotice: (event) => !event.offered,
  });
  const { typist } = chat;
  const writer = typist?.party === "PARTY_VISITOR" ? chat.name : typist?.name || "A colleague";
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has no mouse scrolls it by keys.
    <div ref={view} class="log-view" onScroll={onScroll} tabIndex={0}>
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
          <span class="soft">{writer} is typing</span>
        </p>
      )}
    </div>
  );
}
