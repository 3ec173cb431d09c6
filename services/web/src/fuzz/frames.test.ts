// What is read of a server's messages, whatever they say.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MOST_OF_A_BATCH, serverBatch, token } from "../protocol/frame-shape";
import type { ServerBatch } from "../protocol/messages";
import { map, readJsonText, text as textShape } from "../protocol/shape";
import { corpus, examples } from "./corpus";
import { anyMessage } from "./schema";
import { anyJson, anyText, damaged, jsonText, RUNS } from "./values";

const batches = anyMessage("ServerBatch");
const read = (text: string) => readJsonText(text, serverBatch, MOST_OF_A_BATCH);
const kept = [...corpus("frames"), ...corpus("hostile-frames")].map((one) => JSON.stringify(one));

/** What the schema has and the pages have no use for. */
const UNREAD = new Map([
  ["alarmRaised", ["queue", "after", "since"]],
  ["started", ["channel"]],
]);

function withoutUnread(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUnread);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, one]) => {
    const unread = UNREAD.get(name) ?? [];
    const rest = Object.entries(one ?? {}).filter(([member]) => !unread.includes(member));
    return [name, withoutUnread(unread.length > 0 ? Object.fromEntries(rest) : one)];
  });
  return Object.fromEntries(members);
}

describe("a batch", () => {
  it("is read whole when a server of this version wrote it", () => {
    // A file without an id is none.
    fc.assert(
      fc.property(anyMessage("ServerBatch", ["id"]), (batch) => {
        expect(serverBatch(batch)).toEqual(withoutUnread(batch));
      }),
      { numRuns: RUNS },
    );
  });

  it("of a real server is read whole", () => {
    for (const batch of corpus("frames")) {
      expect(serverBatch(batch)).toEqual(withoutUnread(batch));
    }
  });

  it("is never read as anything that the types do not allow", () => {
    fc.assert(
      fc.property(jsonText(fc.oneof(damaged(batches), anyJson)), (text) => {
        const batch = read(text);
        if (batch) expectSound(batch);
      }),
      { numRuns: 3 * RUNS, examples: examples(...kept) },
    );
  });

  it("says the same when what was read of it is read again", () => {
    fc.assert(
      fc.property(damaged(batches), (batch) => {
        const once = read(JSON.stringify(batch));
        expect(read(JSON.stringify(once))).toEqual(once);
      }),
      { numRuns: RUNS },
    );
  });

  it("keeps its other frames when one cannot be read", () => {
    const ping = { ping: {} };
    fc.assert(
      fc.property(anyJson, (other) => {
        const frames = serverBatch({ frames: [ping, other, ping] })?.frames ?? [];
        expect([frames[0], frames.at(-1)]).toEqual([ping, ping]);
      }),
      { numRuns: RUNS },
    );
  });

  it("that is too long is not read", () => {
    const text = `{"frames":[],"x":"${"x".repeat(MOST_OF_A_BATCH)}"}`;
    expect(read(text)).toBeUndefined();
    expect(read(text.slice(0, 1_000).concat('"}'))).toEqual({ frames: [] });
  });

  it("that goes on for ever is read as far as it means something", () => {
    const depth = 1_000_000;
    const text = `{"frames":[{"ping":{},"done":${"[".repeat(depth)}${"]".repeat(depth)}}]}`;
    expect(read(text)).toEqual({ frames: [{ ping: {} }] });
  });

  it("never takes a refusal for an answer", () => {
    fc.assert(
      fc.property(
        anyJson.filter((error) => error !== null),
        (error) => {
          expect(serverBatch({ frames: [{ id: 1, error }] })?.frames?.[0]?.error).toBeDefined();
        },
      ),
      { numRuns: RUNS },
    );
  });
});

describe("a token", () => {
  it("is read whole, or not at all", () => {
    const sound = anyMessage("Token");
    fc.assert(
      fc.property(sound, (value) => {
        expect(token(value)).toEqual(value);
      }),
      { numRuns: RUNS },
    );
    fc.assert(
      fc.property(damaged(sound), (value) => {
        const taken = token(value);
        if (!taken) return;
        expect(taken.token).not.toBe("");
        expect(Date.parse(taken.expiresAt)).not.toBeNaN();
      }),
      { numRuns: RUNS, examples: examples<unknown>(...corpus("answers")) },
    );
  });
});

/** What the types say, told by the names alone and not by the shapes. */
const TIMES = /^(at|since|[a-z]+(At|Since|Time))$/;
const WORDS = /^(phase|party|audience|outcome|status|kind|code)$/;

function expectSound(batch: ServerBatch): void {
  for (const [name, value, depth] of walk(batch, 0)) {
    expect(depth).toBeLessThan(12);
    if (typeof value === "number") expect(Number.isFinite(value)).toBe(true);
    if (/^(seq|headSeq|prev|size|score|load)$/.test(name)) {
      expect(Number.isInteger(value) && (value as number) >= 0).toBe(true);
    }
    if (TIMES.test(name)) expect(Date.parse(value as string)).not.toBeNaN();
    if (WORDS.test(name) && typeof value === "string") expect(value).toMatch(/^[A-Z\d_]+$/);
    if (typeof value === "object") expect(Object.getPrototypeOf(value)).toBe(home(value));
  }
  for (const { event } of batch.frames ?? []) {
    if (!event) continue;
    expect(event.event.conversationId).toMatch(/^[!-~]+$/);
    expect(event.event.seq).toBeGreaterThan(0);
    for (const one of event.event.message?.attachments ?? []) expect(typeof one.id).toBe("string");
  }
}

const home = (value: unknown) => (Array.isArray(value) ? Array.prototype : Object.prototype);

/** What is within a value, with its name; but not within maps, whose names are anybody's. */
function* walk(value: unknown, depth: number): Generator<[string, unknown, number]> {
  if (typeof value !== "object" || value === null) return;
  for (const [name, one] of Object.entries(value)) {
    yield [name, one, depth];
    const free = ["attributes", "skills", "toSkills"].includes(name);
    const texts = name === "text" && typeof one === "object";
    if (!free && !texts) yield* walk(one, depth + 1);
  }
}

describe("a map", () => {
  it("has any names, also those that every object knows", () => {
    const names = fc.dictionary(anyText, anyText).map((map) => JSON.stringify(map));
    fc.assert(
      fc.property(names, (text) => {
        expect(JSON.stringify(readJsonText(text, map(textShape), MOST_OF_A_BATCH))).toBe(text);
      }),
      { numRuns: RUNS, examples: examples('{"__proto__":"x"}') },
    );
  });
});
