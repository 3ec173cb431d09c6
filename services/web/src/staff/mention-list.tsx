// The list of colleagues that opens on an @ in a note. The focus stays in the text;
// arrow keys choose, Enter or Tab completes, Esc closes.

import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { AgentChat } from "./chat";
import { candidates, complete, type Mention, type MentionQuery, mentionQuery } from "./mentions";
import type { Workplace } from "./workplace";

const LIST_ID = "mention-list";

export interface Mentions {
  shown: readonly Mention[];
  /** The place of the chosen one among those shown. */
  active: number;
  /** For the text field: what a screen reader is to know of the list. */
  aria: Record<string, string>;
  /** The text or the caret may have moved. */
  moved(): void;
  close(): void;
  pick(mention: Mention): void;
  /** Whether the key was one for the list. */
  onKeyDown(event: KeyboardEvent): boolean;
}

export function useMentions(
  desk: Workplace,
  chat: AgentChat,
  field: RefObject<HTMLTextAreaElement | null>,
): Mentions {
  const notes = chat.writes === "note";
  const team = useTeam(desk, notes);
  const [query, setQuery] = useState<MentionQuery>();
  const [active, setActive] = useState(0);
  const caret = useRef<number>(undefined);
  useLayoutEffect(() => {
    if (caret.current === undefined) return;
    field.current?.setSelectionRange(caret.current, caret.current);
    caret.current = undefined;
  });
  const shown = notes && query ? candidates(team, query.text) : [];
  const close = () => setQuery(undefined);
  const moved = () => {
    const { value = "", selectionStart } = field.current ?? {};
    const next = notes ? mentionQuery(value, selectionStart ?? 0) : undefined;
    if (next?.at !== query?.at || next?.text !== query?.text) setActive(0);
    setQuery(next);
  };
  const pick = (mention: Mention) => {
    if (!query) return;
    const [text, at] = complete(chat.draft, query, mention.name);
    chat.mentions = [...chat.mentions, mention];
    caret.current = at;
    desk.typed(chat, text);
    close();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const chosen = shown[active];
    if (!chosen) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) setActive((active + step + shown.length) % shown.length);
    else if (event.key === "Enter" || event.key === "Tab") pick(chosen);
    else if (event.key === "Escape") close();
    else return false;
    event.preventDefault();
    return true;
  };
  const aria: Record<string, string> = notes ? { "aria-autocomplete": "list" } : {};
  if (shown.length > 0) {
    aria["aria-controls"] = LIST_ID;
    aria["aria-activedescendant"] = `${LIST_ID}-${active}`;
  }
  return { shown, active, aria, moved, close, pick, onKeyDown };
}

/** The colleagues who are here, asked for when notes are begun. */
function useTeam(desk: Workplace, wanted: boolean): Mention[] {
  const [team, setTeam] = useState<Mention[]>([]);
  useEffect(() => {
    if (!wanted) return;
    void desk.verbs.ask({ listTeam: {} }).then((reply) => {
      const agents = (reply?.team?.agents ?? []).flatMap((state) => state.agent ?? []);
      const others = agents.filter((agent) => agent.id !== desk.me.id);
      setTeam(others.flatMap(({ id, name }) => (id && name ? { id, name } : [])));
    });
  }, [desk, wanted]);
  return team;
}

export function MentionList({ mentions }: { mentions: Mentions }) {
  if (mentions.shown.length === 0) return null;
  return (
    <div class="mentions" id={LIST_ID} role="listbox" aria-label="Colleagues">
      {mentions.shown.map((mention, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the text field has the keys for it.
        // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the text field.
        <div
          key={mention.id}
          id={`${LIST_ID}-${index}`}
          role="option"
          aria-selected={index === mentions.active}
          // Before the text field loses the focus, and the list with it.
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => mentions.pick(mention)}
        >
          {mention.name}
        </div>
      ))}
    </div>
  );
}
