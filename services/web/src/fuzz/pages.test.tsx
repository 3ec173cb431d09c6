// The pages as they are drawn, whatever a server says: something is always drawn, and only
// from the elements and attributes that the pages have.

import fc from "fast-check";
import { type ComponentChild, render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { settle, welcome } from "../protocol/fake-server";
import { serverBatch } from "../protocol/frame-shape";
import { connected, fakePage, fakeSession, leavePage } from "../staff/fake-page";
import { Chat } from "../widget/chat";
import { Panel } from "../widget/panel";
import en from "../widget/texts/en.json";
import { Welcome } from "../widget/welcome";
import { corpus } from "./corpus";
import { config } from "./embedded";
import { FakeElement } from "./page-dom";
import { anyMessage } from "./schema";
import { anyText, damaged, FEWER_RUNS, jsonText } from "./values";

const ELEMENTS = new Set(
  (
    "a article aside button circle dd div dl dt em fieldset footer form h1 h2 h3 header i input " +
    "kbd label li main nav option p path rect search section select small span strong svg table " +
    "tbody td textarea th thead time tr ul"
  ).split(" "),
);
const ATTRIBUTES = new Set(
  (
    "autocomplete class cx cy d dateTime dir disabled fill focusable height hidden href id " +
    "maxLength multiple placeholder r rel required role rows rx scope stroke stroke-linecap " +
    "stroke-linejoin stroke-width tabIndex target title type value viewBox width x y"
  ).split(" "),
);
const OWN_LINKS = ["/console/", "/supervisor/"];

/** Draws it, and looks through all that was drawn. */
function drawn(what: ComponentChild): string {
  const place = new FakeElement("main");
  render(what, place as unknown as Element);
  for (const element of place.all()) {
    expect([...ELEMENTS], element.localName).toContain(element.localName);
    for (const [name, value] of element.set) {
      const known = ATTRIBUTES.has(name) || /^(aria|data)-[a-z-]+$/.test(name);
      expect(known, `${element.localName} ${name}`).toBe(true);
      if (name === "href" && !OWN_LINKS.includes(value as string)) {
        expect(new URL(value as string).protocol).toMatch(/^https?:$/);
        expect(element.set.get("rel")).toContain("noopener");
      }
      expect(value, name).not.toBe("[object Object]");
    }
  }
  const text = place.textContent;
  render(null, place as unknown as Element);
  return text;
}

beforeEach(() => {
  fakePage();
  vi.stubGlobal("location", { origin: "http://host", href: "http://host/", search: "", hash: "" });
  vi.stubGlobal("navigator", { language: "en-US@posix", languages: [] });
  vi.stubGlobal("fetch", async () =>
    Response.json({ token: "token", expiresAt: "2999-01-01T00:00:00Z" }),
  );
});
afterEach(() => leavePage());

const kept = corpus("hostile-frames").map((one) => JSON.stringify(one));
const frame = damaged(anyMessage("ServerFrame"));
const MOST_FRAMES = 3;
/** The text of a batch whose events are the next ones after those of `before` batches. */
const batch = (before: number) =>
  jsonText(
    fc.array(frame, { maxLength: MOST_FRAMES }).map((frames) => {
      const first = before * MOST_FRAMES + 1;
      return { frames: frames.map((one, index) => aboutOne(one, first + index)) };
    }),
  );
const said = fc
  .tuple(fc.tuple(batch(0), batch(1), batch(2), batch(3), batch(4), batch(5)), fc.nat(6))
  .map(([texts, many]) => texts.slice(0, many));
const options = {
  numRuns: FEWER_RUNS,
  examples: kept.map((one): [string[]] => [[one]]),
};

/** All of one conversation, and its event with this number, so that it is taken. */
function aboutOne(value: unknown, seq: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("conversationId" in value) value.conversationId = "c1";
  if ("event" in value && typeof value.event === "object" && value.event !== null) {
    if ("prev" in value) value.prev = 0;
    if ("seq" in value.event) value.event.seq = seq;
  }
  for (const one of Object.values(value)) aboutOne(one, seq);
  return value;
}

describe("the widget", () => {
  it("is drawn", async () => {
    await fc.assert(
      fc.asyncProperty(said, async (texts) => {
        const server = fakePage();
        localStorage.setItem("frontdesk:pk:conversation", '{"id":"c1","closed":false}');
        const chat = new Chat(config);
        const panel = () => <Panel chat={chat} texts={en} language="en" close={() => {}} />;
        for (let turn = 0; turn < 50 && server.sockets.length === 0; turn += 1) await settle();
        await welcome(server.last, { resumed: [{ conversationId: "c1" }] });
        for (const text of texts) {
          server.last.onmessage?.({ data: text } as never);
          await settle();
          expect(drawn(panel())).not.toBe("");
        }
        chat.startAnew();
        expect(drawn(panel())).toContain(en.hello);
        vi.clearAllTimers();
      }),
      options,
    );
  });
});

describe("what visitors agree to", () => {
  const welcomes = damaged(anyMessage("Welcome", ["consent", "version", "link"]));

  it("is drawn, with a link to the web or none", () => {
    fc.assert(
      fc.property(welcomes, anyText, fc.boolean(), (value, link, replaced) => {
        const read = serverBatch({ frames: [{ welcome: value }] })?.frames?.[0]?.welcome;
        const chat = new Chat(config);
        chat.consent = read?.consent && { ...read.consent, ...(replaced && { link }) };
        expect(drawn(<Welcome chat={chat} texts={en} language="en" />)).toContain(en.hello);
        vi.clearAllTimers();
      }),
      { numRuns: FEWER_RUNS },
    );
  });
});

describe("the pages of the staff", () => {
  it("are drawn", async () => {
    const { DeskView } = await import("../console/desk-view");
    const { Desk } = await import("../console/desk");
    const { BoardView } = await import("../supervisor/board-view");
    const { Board } = await import("../supervisor/board");
    await fc.assert(
      fc.asyncProperty(said, async (texts) => {
        for (const [open, party] of [
          ["desk", "PARTY_AGENT"],
          ["board", "PARTY_SUPERVISOR"],
        ] as const) {
          const server = fakePage();
          const desk = new (open === "desk" ? Desk : Board)(fakeSession(), () => {});
          const page = () =>
            desk instanceof Desk ? <DeskView desk={desk} /> : <BoardView desk={desk} />;
          await connected(server, { party, id: "alex", name: "Alex" });
          desk.attend("c1", 0);
          desk.select("c1");
          for (const text of texts) {
            server.last.onmessage?.({ data: text } as never);
            await settle();
            expect(drawn(page())).not.toBe("");
          }
          vi.clearAllTimers();
        }
      }),
      options,
    );
  });
});
