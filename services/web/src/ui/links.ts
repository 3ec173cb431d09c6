// Finds web addresses in plain text, so that a page can make them clickable
// without ever treating what somebody wrote as HTML.

export interface TextPart {
  text: string;
  /** Set on the parts that are addresses; always http or https. */
  href?: string;
}

/** Characters that turn the text round them end an address: it would be shown as another. */
const ADDRESS = /\bhttps?:\/\/[^\s<>"'`\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gi;
/** Punctuation that ends the sentence around an address, not the address. */
const TRAILING = ".,;:!?…。，；：！？、》」』）]}";

/** Splits a text into plain parts and addresses; joined they are the text again. */
export function splitLinks(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = trimEnd(match[0]);
    const href = webAddress(address);
    if (href === undefined) continue;
    if (match.index > from) parts.push({ text: text.slice(from, match.index) });
    parts.push({ text: address, href });
    from = match.index + address.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from) });
  return parts;
}

function trimEnd(address: string): string {
  // Not with a pattern: one for the end of a text is tried at each character of it.
  let end = address.length;
  while (TRAILING.includes(address.charAt(end - 1)) && end > 0) end -= 1;
  const trimmed = address.slice(0, end);
  // A closing bracket belongs to the address only when it was opened there.
  return trimmed.endsWith(")") && !trimmed.includes("(") ? trimmed.slice(0, -1) : trimmed;
}

/** The address if it is a complete http or https one. */
export function webAddress(text: string): string | undefined {
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : undefined;
  } catch {
    return undefined;
  }
}
