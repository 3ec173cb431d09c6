// What a browser has stored, which another version of the page or anything else on the site
// may have written, and what answers to calls say, which need not be a server of ours.

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Desk } from "../console/desk";
import { HttpError, signIn, uploadAttachment, visitorToken } from "../protocol/http";
import { Outbox, type OutboxRequest, type StoredEntry } from "../protocol/outbox";
import { storedEntry } from "../protocol/outbox-shape";
import { BrowserStore } from "../protocol/storage";
import { fakePage, fakeSession, leavePage } from "../staff/fake-page";
import { Knocks } from "../staff/knocks";
import { redeemPass, signInMethods } from "../staff/provider";
import { AgentSession } from "../staff/session";
import { Signals } from "../staff/signals";
import { StatusChoice } from "../staff/status-choice";
import { Chat } from "../widget/chat";
import { storageKeys } from "../widget/contract";
import { VisitorSession } from "../widget/session";
import { corpus, examples } from "./corpus";
import { config } from "./embedded";
import { anyMessage } from "./schema";
import { anyJson, anyText, damaged, FEWER_RUNS, jsonText, RUNS } from "./values";

const keys = storageKeys(config.siteKey);
const ids = fc.stringMatching(/^[!-~]{1,20}$/);

beforeEach(() => {
  fakePage();
  vi.stubGlobal("location", { origin: "http://host", href: "http://host/", search: "", hash: "" });
  vi.stubGlobal("navigator", { language: "en-US@posix", languages: [] });
});
afterEach(() => leavePage());

/** What the pages never leave out. */
const WRITTEN = ["clientMsgId", "text", "score"];

const requests: fc.Arbitrary<OutboxRequest> = fc.oneof(
  ...[
    ["start", "StartConversation"],
    ["send", "SendMessage"],
    ["addNote", "AddNote"],
    ["whisper", "WhisperRequest"],
    ["rate", "RateConversation"],
    ["reopen", "ReopenConversation"],
    ["leaveContact", "LeaveContact"],
    ["close", "CloseConversation"],
  ].map(([name = "", type = ""]) =>
    anyMessage(type, WRITTEN).map((body) => ({ [name]: body }) as unknown as OutboxRequest),
  ),
);
const entries: fc.Arbitrary<StoredEntry> = fc.record({
  id: ids,
  conversationId: ids,
  order: fc.nat(2 ** 31 - 1),
  createdAt: fc.nat(2 ** 31 - 1),
  request: requests,
});
const damagedEntries = jsonText(fc.oneof(damaged(entries), anyJson));
const keptEntries = corpus("stored").map((one) => JSON.stringify(one));

/** As it is after a reload. */
function outboxOf(storage: Storage) {
  const delivered: string[] = [];
  const outbox = new Outbox({
    store: new BrowserStore(storage, "box", storedEntry),
    deliver: async (request) => {
      delivered.push(JSON.stringify(request));
      return { done: {} };
    },
    changed: () => {},
    answered: () => {},
    refused: () => {},
  });
  return { outbox, delivered };
}

describe("an outbox", () => {
  it("has after a reload what was put into it, in order", () => {
    fc.assert(
      fc.property(fc.uniqueArray(entries, { selector: (one) => one.id }), (put) => {
        localStorage.clear();
        const store = new BrowserStore(localStorage, "box", storedEntry);
        for (const entry of put) store.put(entry.id, entry);
        const loaded = store.load().sort((a, b) => (a.id < b.id ? -1 : 1));
        expect(loaded).toEqual(put.sort((a, b) => (a.id < b.id ? -1 : 1)));
      }),
      { numRuns: RUNS },
    );
  });

  it("goes on with what can be read, and what is damaged does not stop it", async () => {
    const sound = { id: "sound", conversationId: "c", order: 1, createdAt: 1 };
    await fc.assert(
      fc.asyncProperty(fc.dictionary(anyText, damagedEntries), async (stored) => {
        localStorage.clear();
        for (const [key, text] of Object.entries(stored)) localStorage.setItem(`box:${key}`, text);
        const request = { close: { conversationId: "c" } };
        localStorage.setItem("box:sound", JSON.stringify({ ...sound, request }));
        const { outbox, delivered } = outboxOf(localStorage);
        for (const entry of outbox.of("c")) {
          expect(new Date(entry.createdAt).toISOString()).not.toBe("");
          expect(Object.keys(entry.request)).toHaveLength(1);
        }
        outbox.add("new", "c", request);
        outbox.resume();
        await vi.advanceTimersByTimeAsync(1_000);
        expect(delivered.filter((one) => one === JSON.stringify(request)).length).toBeGreaterThan(
          1,
        );
        expect(new BrowserStore(localStorage, "box", storedEntry).load()).toEqual([]);
      }),
      {
        numRuns: RUNS,
        examples: keptEntries.map((text): [Record<string, string>] => [{ kept: text }]),
      },
    );
  });
});

describe("a page", () => {
  const shapes = [
    keys.token,
    keys.conversation,
    keys.open,
    keys.draft,
    `${keys.outbox}:kept`,
    "frontdesk:console:token",
    "frontdesk:console:remembered",
    "frontdesk:console:status",
    "frontdesk:console:signals",
    "frontdesk:console:attended",
    "frontdesk:console:outbox:kept",
    "frontdesk:put-away:",
  ];
  const stored = fc.dictionary(
    fc.constantFrom(...shapes),
    fc.oneof(damagedEntries, jsonText(damaged(anyMessage("Token"))), fc.json()),
  );

  function store(values: Record<string, string>): void {
    for (const storage of [localStorage, sessionStorage]) {
      storage.clear();
      for (const [key, text] of Object.entries(values)) storage.setItem(key, text);
    }
  }

  it("opens whatever an earlier one has left", () => {
    vi.stubGlobal("fetch", () => new Promise(() => {}));
    fc.assert(
      fc.property(stored, (values) => {
        store(values);
        const chat = new Chat(config);
        expect(typeof chat.draft).toBe("string");
        expect(chat.conversationId ?? "c").toMatch(/^[!-~]+$/);
        for (const line of chat.lines) expect(new Date(line.at).toISOString()).not.toBe("");
        const session = new AgentSession();
        expect(typeof session.signedIn).toBe("boolean");
        for (const one of Object.values(session.remembered)) expect(typeof one).toBe("string");
        expect(typeof new Signals().enabled).toBe("boolean");
        expect(typeof (new StatusChoice().current?.status ?? "")).toBe("string");
        expect(new Knocks().mentioned({ conversationId: "c", again: true })?.seq ?? 0).toBe(0);
        expect(new Desk(fakeSession(), () => {}).open).toEqual([]);
        chat.startOver();
        vi.clearAllTimers();
      }),
      {
        numRuns: FEWER_RUNS,
        examples: keptEntries.map((text): [Record<string, string>] => [
          Object.fromEntries(shapes.map((key) => [key, text])),
        ]),
      },
    );
  });

  it("has a token or is told that there is none", async () => {
    await fc.assert(
      fc.asyncProperty(stored, fc.boolean(), async (values, answers) => {
        store(values);
        const issued = { token: "new", expiresAt: "2999-01-01T00:00:00Z" };
        vi.stubGlobal("fetch", async () => {
          if (!answers) throw new TypeError("no network");
          return Response.json(issued);
        });
        const outcome = await new VisitorSession(config).current().catch((error) => error);
        if (outcome instanceof HttpError) expect(answers).toBe(false);
        else expect(outcome).toMatch(/./);
      }),
      { numRuns: FEWER_RUNS },
    );
  });
});

describe("a call", () => {
  const answers = jsonText(fc.oneof(damaged(anyMessage("Token")), anyJson));
  const statuses = fc.constantFrom(200, 200, 201, 400, 401, 413, 429, 500, 503);
  const waits = fc.constantFrom(
    "",
    "0",
    "-5",
    "1e999",
    "9".repeat(30),
    "Wed, 21 Oct 2015 07:28:00 GMT",
  );
  const file = () => new File(["x"], "x.png");
  const CALLS: Record<string, () => Promise<unknown>> = {
    visitorToken: () => visitorToken("http://host", "pk"),
    signIn: () => signIn("http://host", "demo", "a@b.example", "x"),
    redeemPass: () => redeemPass(),
    uploadAttachment: () => uploadAttachment("http://host", "token", "c", file()),
  };

  it.each(Object.keys(CALLS))("gives what was promised or its error: %s", async (name) => {
    await fc.assert(
      fc.asyncProperty(answers, statuses, waits, async (body, status, wait) => {
        const headers: Record<string, string> = wait ? { "Retry-After": wait } : {};
        vi.stubGlobal("fetch", async () => new Response(body, { status, headers }));
        const outcome = await CALLS[name]?.().catch((error: unknown) => error);
        if (outcome instanceof HttpError) {
          expect(outcome.retryAfterMs >= 0 && Number.isFinite(outcome.retryAfterMs)).toBe(true);
        } else if (name === "uploadAttachment") expect(outcome).toMatchObject({ id: /./ });
        else expect(outcome).toMatchObject({ token: expect.stringMatching(/./) });
      }),
      { numRuns: FEWER_RUNS },
    );
  });

  it("that breaks off is one without an answer", async () => {
    const body = new ReadableStream({ start: (stream) => stream.error(new Error("cut")) });
    vi.stubGlobal("fetch", async () => new Response(body));
    await expect(visitorToken("http://host", "pk")).rejects.toMatchObject({ status: 0 });
  });

  it("says how to sign in, by a web address or a password", async () => {
    const provider = fc.record({ label: anyText, start: fc.oneof(anyText, fc.webUrl()) });
    const sound = fc.record({
      password: fc.boolean(),
      oidc: fc.oneof(provider, fc.constant(null)),
    });
    await fc.assert(
      fc.asyncProperty(jsonText(fc.oneof(sound, damaged(sound), anyJson)), async (body) => {
        vi.stubGlobal("fetch", async () => new Response(body));
        const { password, oidc } = await signInMethods();
        expect(password || oidc !== null).toBe(true);
        if (oidc) expect(new URL(oidc.start).protocol).toMatch(/^https?:$/);
      }),
      {
        numRuns: RUNS,
        examples: examples(...corpus("sign-in").map((one) => JSON.stringify(one))),
      },
    );
  });
});
