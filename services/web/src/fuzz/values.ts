/// <reference types="node" />
// For the tests: what a stranger, a damaged store, or a server of another version may send,
// by itself and in place of anything within what is well formed.

import { env } from "node:process";
import fc from "fast-check";
import { vi } from "vitest";

/** How often each property is tried; `FUZZ_RUNS=1000 npm test` takes longer. */
export const RUNS = Number(env.FUZZ_RUNS) || 100;

// Some take seconds at 100 runs on a busy machine; whatever takes minutes hangs.
vi.setConfig({ testTimeout: Math.max(120_000, 1_200 * RUNS) });

/** For properties that draw a page or play a connection each time. */
export const FEWER_RUNS = Math.ceil(RUNS / 5);

/** Names that every object knows, or that mean something to whoever draws. */
const NAMES = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "valueOf",
  "hasOwnProperty",
  "toJSON",
  "length",
  "then",
  "type",
  "props",
  "dangerouslySetInnerHTML",
];

/** Texts that have hurt somebody. */
const TEXTS = [
  "",
  " ",
  "\0",
  "\ud800",
  "\udfff\ud800",
  "a\u202emoc.elpmaxe//:sptth",
  "https://shop.example/\u202egpj.exe",
  "\u2066\u2067\u2068 x",
  "\u200f\u061c",
  "javascript:alert(1)",
  "JaVaScRiPt://x%0aalert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:x",
  "https://",
  "https://a.example/?q=<b>",
  "HTTPS://A.EXAMPLE",
  "http://user:pw@a.example:99999/",
  "http://[::1",
  "<img src=x onerror=alert(1)>",
  "\"'><svg/onload=alert(1)>",
  "{name} {{x}} $& $1 $`",
  "%00%zz",
  "NaN",
  "Infinity",
  "-1",
  "18446744073709551615",
  "1e308",
  "999999999999s",
  "0s",
  "-1s",
  "1.5s",
  "0001-01-01T00:00:00Z",
  "9999-12-31T23:59:59.999999999Z",
  "2026-02-30T25:61:61Z",
  "+275760-09-13T00:00:00Z",
  "en-US@posix",
  "PHASE_UNHEARD_OF",
  "\ufeff",
  "👩‍👩‍👧‍👦",
  "@",
];

/** A text of a few characters again and again. */
const longText = fc
  .tuple(fc.constantFrom(".", "a", " ", "(", "@", "-", "http://", "\u0301", "𝒳"), fc.nat(3_000))
  .map(([part, times]) => part.repeat(times));

export const anyText = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...TEXTS, ...NAMES) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 40 }) },
  // Halves of characters, too, as a text of the language may have them.
  {
    weight: 1,
    arbitrary: fc
      .array(fc.nat(0xffff), { maxLength: 20 })
      .map((codes) => String.fromCharCode(...codes)),
  },
  { weight: 1, arbitrary: longText },
);

const anyNumber = fc.oneof(
  fc.constantFrom(0, -1, 6, 5.5, 2 ** 31, 2 ** 32, 2 ** 53, 1e21, 1e308, -1e308),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** Lists within lists, further than anybody would go by hand. */
const deep = fc.integer({ min: 1, max: 100 }).map((depth) => {
  let value: unknown = "x";
  for (let level = 0; level < depth; level += 1) value = level % 2 ? [value] : { a: value };
  return value;
});

/** Any JSON, as it is after reading; with `__proto__` as a name where one is. */
export const anyJson: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<unknown>(null, true, false, [], {}),
    anyNumber,
    anyText,
    fc.array(tie("value"), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.oneof(fc.constantFrom(...NAMES), anyText), tie("value")), {
        maxLength: 4,
      })
      .map((entries) => Object.fromEntries(entries)),
    deep,
  ),
})).value;

/** One change to one place of a value. */
type Change =
  | { kind: "put"; at: number; value: unknown }
  | { kind: "add"; at: number; name: string; value: unknown }
  | { kind: "drop"; at: number }
  | { kind: "repeat"; at: number };

const at = fc.nat(10_000);
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant("put"), at, value: anyJson }),
  fc.record({ kind: fc.constant("add"), at, name: anyText, value: anyJson }),
  fc.record({ kind: fc.constant("drop"), at }),
  fc.record({ kind: fc.constant("repeat"), at }),
);

interface Place {
  holder: Record<string, unknown>;
  name: string;
}

/** Each place within a value that another may be put into. */
function places(value: unknown, found: Place[] = []): Place[] {
  if (typeof value !== "object" || value === null) return found;
  const holder = value as Record<string, unknown>;
  for (const name of Object.keys(holder)) {
    found.push({ holder, name });
    places(holder[name], found);
  }
  return found;
}

function changed(value: unknown, { at, ...change }: Change): void {
  const all = places(value);
  const place = all[at % Math.max(1, all.length)];
  if (!place) return;
  const { holder, name } = place;
  if (change.kind === "put") define(holder, name, change.value);
  else if (change.kind === "add") define(holder, change.name, change.value);
  else if (change.kind === "drop") delete holder[name];
  else if (Array.isArray(holder)) holder.push(structuredClone(holder[Number(name)]));
}

/** As `JSON.parse` does it, for which "__proto__" is a name as any other. */
function define(holder: object, name: string, value: unknown): void {
  if (Array.isArray(holder)) {
    // A list has nothing but its elements.
    if (name in holder && /^\d+$/.test(name)) holder[Number(name)] = value;
    else holder.push(value);
  } else {
    const free = { value, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(holder, name, free);
  }
}

/** A value that was well formed, with some changes; often with none. */
export function damaged<T>(sound: fc.Arbitrary<T>): fc.Arbitrary<unknown> {
  return fc.tuple(sound, fc.array(change, { maxLength: 4 })).map(([value, changes]) => {
    const copy: unknown = structuredClone(value);
    for (const one of changes) changed(copy, one);
    return copy;
  });
}

/** The text of a value, sometimes cut off or with a character in it that does not belong. */
export function jsonText(values: fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  const text = values.map((value) => JSON.stringify(value) ?? "");
  const broken = fc
    .tuple(text, fc.nat(10_000), fc.constantFrom("", "\0", "{", "]", '"', "\\", "9", ","))
    .map(([whole, at, what]) => {
      const cut = at % (whole.length + 1);
      return whole.slice(0, cut) + what + whole.slice(what ? cut + 1 : cut);
    });
  return fc.oneof({ weight: 5, arbitrary: text }, { weight: 1, arbitrary: broken }, anyText);
}
