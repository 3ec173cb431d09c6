// The widget's words, by language. A new language is a new file in `texts/`.

import type en from "./texts/en.json";

export type TextKey = keyof typeof en;
export type Texts = Record<TextKey, string>;

/** Of a language tag; no language of ours is told apart by more. */
const MOST_PARTS = 8;

/** The best of `available` tags for the wanted ones, in their order; else "en". */
export function chooseLanguage(wanted: readonly string[], available: readonly string[]): string {
  for (const tag of wanted) {
    const parts = tag.toLowerCase().split("-", MOST_PARTS);
    for (let length = parts.length; length > 0; length -= 1) {
      const candidate = parts.slice(0, length).join("-");
      if (available.includes(candidate)) return candidate;
    }
  }
  return "en";
}

/** `./texts/pt-br.json` is "pt-br". */
export function languageOfPath(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1, -".json".length);
}

/** Puts values into a text's `{placeholders}`. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
