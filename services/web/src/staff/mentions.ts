// Mentions of colleagues in a note: finds what is being typed after an @, completes
// it, and tells who is still named in the text when it is sent. Pure.

/** A colleague who was picked from the list. */
export interface Mention {
  id: string;
  name: string;
}

/** An @ and what was typed after it, up to the caret. */
export interface MentionQuery {
  /** Where the @ is. */
  at: number;
  text: string;
}

/** Names have spaces, so a query may have some, but not without end. */
const MAX_QUERY = 40;
const MAX_SHOWN = 6;
/** What the server takes in one note. */
const MAX_MENTIONS = 16;

/** What is being typed after an @ at the caret, if anything. */
export function mentionQuery(text: string, caret: number): MentionQuery | undefined {
  const at = text.lastIndexOf("@", caret - 1);
  // Looked for from before the text, one is found at its very beginning.
  if (at < 0 || at >= caret || caret - at > MAX_QUERY) return undefined;
  const before = at === 0 ? " " : text.charAt(at - 1);
  const query = text.slice(at + 1, caret);
  // An @ within a word is an address, and a line break ends a name.
  if (!/[\s(]/u.test(before) || /^\s|\n/u.test(query)) return undefined;
  return { at, text: query };
}

/** The colleagues whose name has a word that begins so. */
export function candidates(team: readonly Mention[], query: string): Mention[] {
  const wanted = query.toLocaleLowerCase();
  return team
    .filter(({ name }) => {
      const known = name.toLocaleLowerCase();
      return known.startsWith(wanted) || known.split(/\s+/u).some((w) => w.startsWith(wanted));
    })
    .slice(0, MAX_SHOWN);
}

/** The text with the query completed, and where the caret is then. */
export function complete(text: string, query: MentionQuery, name: string): [string, number] {
  const named = `${text.slice(0, query.at)}@${name} `;
  const rest = text.slice(query.at + 1 + query.text.length).replace(/^ /u, "");
  return [named + rest, named.length];
}

/** Of those who were picked, the ids of those still named in the text, each once. */
export function mentionedIds(text: string, picked: readonly Mention[]): string[] {
  const named = picked.filter(({ name }) => text.includes(`@${name}`));
  return [...new Set(named.map(({ id }) => id))].slice(0, MAX_MENTIONS);
}
