// The keyboard shortcuts. Alt+letter goes by the key's place (`code`), since Alt
// makes another character of it on many keyboards.

export type Command =
  | "accept"
  | "decline"
  | "note"
  | "transfer"
  | "invite"
  | "end"
  | "previous"
  | "next"
  | "search"
  | "help"
  | { chat: number };

const ALT_KEYS: Record<string, Command> = {
  KeyA: "accept",
  KeyD: "decline",
  KeyN: "note",
  KeyT: "transfer",
  KeyI: "invite",
  KeyE: "end",
  ArrowUp: "previous",
  ArrowDown: "next",
};

/** For the overlay: the keys and what they do. */
export const SHORTCUTS: readonly (readonly [string, string])[] = [
  ["Alt + 1 … 9", "Go to a chat"],
  ["Alt + ↑ / ↓", "Previous or next chat"],
  ["Alt + A", "Accept the first offer"],
  ["Alt + D", "Decline the first offer"],
  ["Alt + N", "Switch between reply and private note"],
  ["Alt + T", "Transfer the chat"],
  ["Alt + I", "Invite a colleague"],
  ["Alt + E", "End the chat"],
  ["Enter", "Send"],
  ["Shift + Enter", "New line"],
  ["/", "Search your chats"],
  ["Esc", "Close a dialog, clear the search"],
  ["?", "Show this list"],
];

/** The command of a key press, if it is one. */
export function commandOf(event: KeyboardEvent, writing: boolean): Command | undefined {
  if (event.isComposing || event.ctrlKey || event.metaKey) return undefined;
  if (event.altKey) {
    const digit = /^Digit([1-9])$/.exec(event.code)?.[1];
    return digit === undefined ? ALT_KEYS[event.code] : { chat: Number(digit) };
  }
  if (writing) return undefined;
  if (event.key === "/") return "search";
  return event.key === "?" ? "help" : undefined;
}
