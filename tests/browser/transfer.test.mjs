// A chat goes from one colleague to another, with a note that the visitor never
// sees, and back to a queue when it is declined.

import assert from "node:assert/strict";
import { test } from "node:test";
import { accessibilityProblems, shoot, showsMessages } from "./support/browser.mjs";
import {
  NAMES,
  acceptOffer,
  agentSays,
  beginChat,
  goOnline,
  signIn,
  visitorSays,
} from "./support/people.mjs";
import { setUp } from "./support/stage.mjs";

const NOTE = "Wants the invoice on paper";

let frontdesk;
let visitor;
let first;
let second;

setUp(async (stage) => {
  ({ frontdesk } = stage);
  [visitor, first, second] = await stage.people(3);
  const { email } = frontdesk.agents.find((one) => one.role === "supervisor");
  await frontdesk.apply(`
queues:
  - { name: general }
agents:
  - { email: ${email}, name: ${NAMES.supervisor}, role: supervisor, skills: { tax: 4, german: 2 } }
`);
  await signIn(first, frontdesk, "agent");
  await goOnline(first);
  await beginChat(visitor, first, frontdesk, "Emmy", "I need an invoice");
});

test("a chat is handed to a colleague with a note", async () => {
  await signIn(second, frontdesk, "supervisor");
  await goOnline(second);
  await first.page.getByRole("button", { name: "Transfer" }).click();
  const dialog = first.page.getByRole("dialog");
  // Skills are chosen from what colleagues who are there have, at the level they have it.
  await dialog.getByLabel("tax", { exact: true }).check();
  await dialog.getByLabel("Level of tax").selectOption("4");
  await dialog.getByLabel("german", { exact: true }).check();
  assert.equal(await dialog.getByLabel("Level of german").locator("option").count(), 2);
  await shoot(first.page, "console-transfer-skills");
  assert.deepEqual(await accessibilityProblems(first.page), []);
  await dialog.locator(".targets").first().getByRole("radio").first().check();
  assert.equal(await dialog.getByRole("checkbox", { checked: true }).count(), 0);
  await dialog.getByLabel("Note for whoever takes over").fill(NOTE);
  await dialog.getByRole("button", { name: "Transfer" }).click();
  await first.page.getByText("This chat is no longer yours.").waitFor();
});

test("the colleague sees the note with the offer, and the whole chat", async () => {
  const offer = second.page.locator(".offer");
  await offer.locator(".hand-over", { hasText: NOTE }).waitFor();
  await shoot(second.page, "console-handed-over");
  await acceptOffer(second, "I need an invoice");
  await showsMessages(second.page, ["I need an invoice"]);
});

test("the chat goes on with the colleague, and only there", async () => {
  await agentSays(second, "I have it from here");
  await visitorSays(visitor, "Thank you");
  const said = ["I need an invoice", "I have it from here", "Thank you"];
  await showsMessages(second.page, said);
  await showsMessages(visitor.page, said);
  await showsMessages(first.page, ["I need an invoice"]);
  const seen = await visitor.page.locator("#frontdesk-widget [role=dialog]").innerHTML();
  assert.ok(!seen.includes(NOTE));
});

test("no page had an error", () => {
  for (const { problems } of [visitor, first, second]) assert.deepEqual(problems, []);
});
