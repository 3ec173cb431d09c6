// Out of hours: the visitor learns when somebody is back, leaves an address, and an
// agent finds it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { areAccessible, shoot } from "./support/browser.mjs";
import { acceptOffer, goOnline, openChat, signIn, startChat } from "./support/people.mjs";
import { setUp } from "./support/stage.mjs";

const DAY_MS = 86_400_000;
const WEEK = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

let frontdesk;
let visitor;
let agent;

setUp(async (stage) => {
  ({ frontdesk } = stage);
  [visitor, agent] = await stage.people(2, { reducedMotion: "reduce" });
  const day = WEEK[new Date(Date.now() + 2 * DAY_MS).getUTCDay()];
  await frontdesk.apply(`
calendars:
  - { name: office, zone: UTC, week: { ${day}: ["12:00-13:00"] } }
queues:
  - { name: general, hours: office }
consent: { version: "7", text: { en: "May we keep what you write?" }, link: "https://shop.example/p" }
`);
});

test("the visitor learns when somebody is back and is asked for an address", async () => {
  await openChat(visitor, frontdesk.demo);
  const consent = visitor.page.getByRole("checkbox", { name: "May we keep what you write?" });
  await consent.waitFor();
  await startChat(visitor, "Emmy", "My invoice is wrong");
  // The site asks first: nothing begins before the visitor agrees.
  assert.ok(await consent.isVisible());
  await consent.check();
  await visitor.page.getByRole("button", { name: "Start chat" }).click();
  const form = visitor.page.getByRole("form", { name: "Where can we reach you?" });
  await form.waitFor();
  const opens = new Date(Math.floor(Date.now() / DAY_MS + 2) * DAY_MS + DAY_MS / 2);
  // In the words and the time zone of the visitor's browser.
  const day = await visitor.page.evaluate(
    (at) => new Intl.DateTimeFormat("en", { weekday: "long" }).format(at),
    opens.getTime(),
  );
  await form.getByText(`We are back ${day}`).waitFor();
  await shoot(visitor.page, "widget-out-of-hours");
  await areAccessible(visitor);
});

test("what is no address is not sent", async () => {
  const form = visitor.page.getByRole("form", { name: "Where can we reach you?" });
  const send = form.getByRole("button", { name: "Send" });
  assert.ok(await send.isDisabled());
  await form.getByLabel("E-mail address").fill("nobody");
  await send.click();
  assert.ok(await form.isVisible());
});

test("the address is kept, and the chat waits", async () => {
  const form = visitor.page.getByRole("form", { name: "Where can we reach you?" });
  await form.getByLabel("E-mail address").fill("emmy@shop.example");
  await form.getByLabel("Anything to add?").fill("Please by e-mail");
  await form.getByRole("button", { name: "Send" }).click();
  await visitor.page.getByText("We will get back to you: emmy@shop.example").waitFor();
  await visitor.page.getByText("You need not wait here").waitFor();
  await shoot(visitor.page, "widget-word-left");
});

test("an agent has it, with the address", async () => {
  await signIn(agent, frontdesk, "agent");
  await goOnline(agent);
  await acceptOffer(agent, "My invoice is wrong");
  await agent.page.getByText("emmy@shop.example").first().waitFor();
  await agent.page.getByText(/^version 7, /).waitFor();
  await shoot(agent.page, "console-word-left");
});

test("no page had an error", () => {
  for (const { problems } of [visitor, agent]) assert.deepEqual(problems, []);
});
