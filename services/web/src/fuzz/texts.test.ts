// What people write and what stands in addresses, whatever it is.

import fc from "fast-check";
import type { VNode } from "preact";
import { afterEach, describe, expect, it, vi } from "vitest";
import { RequestError } from "../protocol/errors";
import { serverBatch } from "../protocol/frame-shape";
import { uuidV7, uuidV7Ms } from "../protocol/ids";
import { durationMs, timerMs, timestampMs } from "../protocol/times";
import { candidates, complete, mentionedIds, mentionQuery } from "../staff/mentions";
import { problemText } from "../staff/problems";
import { outcomeText, startAddress, takeOutcome } from "../staff/provider";
import { clock, day, fileSize, initials, moment, shortAge, usableLanguage } from "../ui/format";
import { splitLinks, webAddress } from "../ui/links";
import { RichText } from "../ui/rich-text";
import { chooseLanguage, fill } from "../widget/texts";
import { corpus, examples } from "./corpus";
import { anyText, RUNS } from "./values";

const kept = corpus("texts") as string[];
const texts = fc.oneof(
  anyText,
  fc
    .array(fc.oneof(anyText, fc.webUrl({ withFragments: true }), fc.constant(" ")), {
      maxLength: 6,
    })
    .map((parts) => parts.join("")),
);
const options = { numRuns: 3 * RUNS, examples: examples(...kept) };
/** Turns the text round it, or hides. */
const TURNS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

afterEach(() => vi.unstubAllGlobals());

describe("links", () => {
  it("are the text again when joined, and lead nowhere but to the web", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const parts = splitLinks(text);
        expect(parts.map((part) => part.text).join("")).toBe(text);
        for (const part of parts) {
          expect(part.text).not.toBe("");
          if (part.href === undefined) continue;
          expect(new URL(part.href).protocol).toMatch(/^https?:$/);
          expect(part.text).toMatch(/^https?:\/\//i);
          expect(part.text).not.toMatch(TURNS);
          expect(new URL(part.text).href).toBe(part.href);
        }
      }),
      options,
    );
  });

  it("are drawn as spans and links with a set of attributes", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const { type, props } = RichText({ text }) as VNode<{ children: unknown[] }>;
        expect([type, Object.keys(props).sort()]).toEqual(["span", ["children", "class", "dir"]]);
        for (const child of props.children as (string | VNode<Record<string, string>>)[]) {
          if (typeof child === "string") continue;
          expect(child.type).toBe("a");
          expect(child.props).toEqual({
            dir: "ltr",
            href: expect.stringMatching(/^https?:/),
            target: "_blank",
            rel: "noopener noreferrer nofollow",
            children: expect.any(String),
          });
        }
      }),
      options,
    );
  });

  it("are web addresses or nothing", () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(webAddress(text) ?? "https:").toMatch(/^https?:/);
      }),
      options,
    );
  });
});

describe("mentions", () => {
  it("complete what stands before the caret and leave the rest", () => {
    fc.assert(
      fc.property(texts, fc.nat(200), anyText, (text, caret, name) => {
        const at = Math.min(caret, text.length);
        const query = mentionQuery(text, at);
        if (!query) return;
        expect(text.slice(query.at, at)).toBe(`@${query.text}`);
        const [completed, end] = complete(text, query, name);
        expect(completed.slice(0, end)).toBe(`${text.slice(0, query.at)}@${name} `);
        expect(text.endsWith(completed.slice(end))).toBe(true);
      }),
      { numRuns: 3 * RUNS, examples: [["@", 0, "Alex"]] },
    );
  });

  it("are of colleagues who are named, each once", () => {
    const team = fc.array(fc.record({ id: anyText, name: anyText }), { maxLength: 30 });
    fc.assert(
      fc.property(team, texts, (colleagues, text) => {
        const ids = mentionedIds(text, colleagues);
        expect(ids.length).toBe(new Set(ids).size);
        expect(ids.length).toBeLessThanOrEqual(16);
        expect(candidates(colleagues, text.slice(0, 40)).length).toBeLessThanOrEqual(6);
      }),
      { numRuns: RUNS },
    );
  });
});

describe("times", () => {
  it("are numbers that a timer can be set to", () => {
    fc.assert(
      fc.property(fc.oneof(texts, fc.double().map(String)), fc.double(), (text, ms) => {
        for (const read of [durationMs(text, 1), durationMs(`${text}s`, 1), timestampMs(text, 1)]) {
          expect(Number.isFinite(read)).toBe(true);
        }
        const timer = timerMs(ms);
        expect(timer >= 0 && timer <= 2 ** 31 - 1).toBe(true);
        expect(new RequestError({ retryAfter: text }).retryAfterMs).not.toBeNaN();
      }),
      options.numRuns > 0
        ? { numRuns: options.numRuns, examples: kept.map((one) => [one, 0]) }
        : {},
    );
  });

  it("are shown in any language that a browser names", () => {
    const moments = fc.date({ noInvalidDate: true }).map((date) => date.getTime());
    fc.assert(
      fc.property(moments, fc.array(anyText, { maxLength: 3 }), (at, tags) => {
        const language = usableLanguage(...tags);
        for (const shown of [clock(at, language), day(at, language, 0), moment(at, language, 0)]) {
          expect(shown).not.toBe("");
        }
        expect(fileSize(Math.abs(at), language)).not.toMatch(/NaN/);
        expect(shortAge(at)).toMatch(/^(now|\d+ [mhd])$/);
      }),
      { numRuns: RUNS, examples: [[0, ["en-US@posix"]]] },
    );
  });

  it("of ids are those they were made at", () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1), fc.nat(2 ** 16), (high, low) => {
        const now = high * 2 ** 16 + low;
        expect(uuidV7Ms(uuidV7(now))).toBe(now);
      }),
      { numRuns: RUNS },
    );
  });
});

describe("words", () => {
  it("are told for anything that an address may say of a sign-in", () => {
    fc.assert(
      fc.property(fc.oneof(texts, fc.stringMatching(/^[a-z-]{1,20}$/)), (said) => {
        const replaceState = vi.fn();
        vi.stubGlobal("location", { hash: `#sign-in=${said}`, pathname: "/", search: "" });
        vi.stubGlobal("history", { replaceState });
        const word = takeOutcome();
        expect(word ?? "a").toMatch(/^[a-z-]+$/);
        expect(replaceState).toHaveBeenCalledTimes(word ? 1 : 0);
        for (const one of [word ?? "", said]) {
          expect(typeof outcomeText(one)).toBe("string");
          expect(outcomeText(one)).toMatch(/^[A-Z].*\.$/);
        }
      }),
      options,
    );
  });

  it("are told for any refusal", () => {
    const code = fc.oneof(anyText, fc.constant("ERROR_CODE_NOT_FOUND"));
    fc.assert(
      fc.property(code, (one) => {
        const error = serverBatch({ frames: [{ error: { code: one } }] })?.frames?.[0]?.error;
        expect(problemText(new RequestError(error ?? {}), "join")).toMatch(/^[A-Z].*\.$/);
      }),
      { numRuns: RUNS },
    );
  });

  it("keep what is filled in as it is", () => {
    fc.assert(
      fc.property(texts, (value) => {
        expect(fill("<{name}|{name}|{mood}>", { name: value })).toBe(`<${value}|${value}|{mood}>`);
      }),
      options,
    );
  });

  it("are in a language that there is", () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 3 }), (wanted) => {
        expect(["en", "zh"]).toContain(chooseLanguage(wanted, ["en", "zh"]));
      }),
      { numRuns: RUNS },
    );
  });

  it("stand for a person in a letter or two", () => {
    fc.assert(
      fc.property(texts, (name) => {
        expect(Array.from(initials(name)).length).toBeLessThan(8);
      }),
      options,
    );
  });

  it("lead to the provider and nowhere else", () => {
    const start = "https://chat.example/auth/oidc/start";
    fc.assert(
      fc.property(anyText, (site) => {
        const url = new URL(startAddress(start, "console", site));
        expect(url.origin + url.pathname).toBe(start);
        expect(url.searchParams.get("page")).toBe("console");
      }),
      { numRuns: RUNS },
    );
  });
});

/** Of what a text consists that is the worst for some pattern. */
const PARTS = [".", "(", ")", "a", " ", "\t", "@", "-", "https://", "http://a", ")].,", "{", "{a"];

describe("patterns", () => {
  /** The least of a few runs, which the machine disturbs the least. */
  function cost(of: () => void): number {
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 5; round += 1) {
      const from = performance.now();
      of();
      least = Math.min(least, performance.now() - from);
    }
    return least;
  }

  const USES: Record<string, (text: string) => unknown> = {
    splitLinks: (text) => splitLinks(text),
    "an address and what is behind it": (text) => splitLinks(`https://a.example/x${text}x`),
    webAddress: (text) => webAddress(text),
    mentionQuery: (text) => mentionQuery(`@${text}`, text.length + 1),
    initials: (text) => initials(`${text}x`),
    candidates: (text) => candidates([{ id: "a", name: `${text}x` }], "y"),
    fill: (text) => fill(text, {}),
    durationMs: (text) => durationMs(text, 0),
    usableLanguage: (text) => usableLanguage(text),
    chooseLanguage: (text) => chooseLanguage([`a-${text}`], ["en"]),
  };

  it.each(Object.keys(USES))("take as much longer as a text is: %s", (name) => {
    const use = USES[name];
    for (const part of PARTS) {
      const long = part.repeat(16_000);
      const short = part.repeat(2_000);
      // Eight times as long: a square would make it 64 times as much.
      const ratio =
        cost(() => use?.(long)) /
        Math.max(
          0.05,
          cost(() => use?.(short)),
        );
      expect(ratio, part).toBeLessThan(32);
    }
  });
});
