// Two of the staff in one chat: an invitation, a mention, letting go, and a warm
// transfer. What they say among themselves the visitor never sees.

import assert from "node:assert/strict";
import { test } from "node:test";
import { areAccessible, shoot } from "./support/browser.mjs";
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

const ASKED = "You know the tax rules";
const NOTED = "is this a case for the lawyers?";

let frontdesk;
let visitor;
let alex;
let sam;

setUp(async (stage) => {
  ({ frontdesk } = stage);
  const viewport = { width: 1360, height: 860 };
  [visitor, alex, sam] = await stage.people(3, { reducedMotion: "reduce", viewport });
  await signIn(alex, frontdesk, "agent");
  await goOnline(alex);
  await beginChat(visitor, alex, frontdesk, "Emmy", "Who pays the tax?");
  await signIn(sam, frontdesk, "supervisor");
  await sam.page.getByText("No chat selected").waitFor();
});

async function neverShown(text) {
  const seen = await visitor.page.locator("#frontdesk-widget [role=dialog]").innerHTML();
  assert.ok(!seen.includes(text), text);
}

async function invite(note) {
  await alex.page.getByRole("button", { name: "Invite" }).click();
  const dialog = alex.page.getByRole("dialog");
  await dialog.getByRole("radio").first().check();
  await dialog.getByLabel("Note for your colleague").fill(note);
  await shoot(alex.page, "console-invite");
  await areAccessible(alex);
  await dialog.getByRole("button", { name: "Invite" }).click();
  await dialog.waitFor({ state: "detached" });
}

test("a colleague who is not online for chats can be asked in", async () => {
  // Offline agents are not on the team; away ones are.
  await sam.page.locator(".status-button").click();
  await sam.page.locator(".menu").getByRole("button", { name: "Busy" }).click();
  await sam.page.locator(".status-button", { hasText: "Busy" }).waitFor();
  await invite(ASKED);
  const knock = sam.page.locator(".knock", { hasText: "asks you to join" });
  await knock.getByText(ASKED).waitFor();
  await shoot(sam.page, "console-invited");
  await areAccessible(sam);
  // The server knows what has no answer yet, whatever becomes of the page.
  await sam.page.reload();
  await knock.getByText(ASKED).waitFor();
  await knock.getByRole("button", { name: "Join" }).click();
  await sam.page.getByText("you are a guest").waitFor();
  await sam.page.locator(".bubble", { hasText: "Who pays the tax?" }).waitFor();
});

test("everybody sees that they joined, and what they say", async () => {
  await visitor.page.locator(".notice", { hasText: `${NAMES.supervisor} joined` }).waitFor();
  await agentSays(sam, "The buyer does");
  await visitor.page.locator(".bubble", { hasText: "The buyer does" }).waitFor();
  await alex.page.locator(".bubble", { hasText: "The buyer does" }).waitFor();
  await visitorSays(visitor, "Both of you, thanks");
  await sam.page.locator(".bubble", { hasText: "Both of you" }).waitFor();
  await shoot(sam.page, "console-guest");
  await shoot(alex.page, "console-with-guest");
  await neverShown(ASKED);
  await areAccessible(alex, sam, visitor);
});

test("the guest leaves, and the visitor sees it", async () => {
  await sam.page.getByRole("button", { name: "Leave" }).click();
  await visitor.page.locator(".notice", { hasText: "left the chat" }).waitFor();
  await sam.page.getByText("This chat is no longer yours.").waitFor();
  await sam.page.getByRole("button", { name: "Put away" }).first().click();
});

test("a note names a colleague, who is told and may look", async () => {
  await alex.page.keyboard.press("Alt+n");
  const field = alex.page.getByRole("textbox", { name: "Private note" });
  await field.pressSequentially("@");
  await alex.page.getByRole("listbox", { name: "Colleagues" }).getByRole("option").first().waitFor();
  await shoot(alex.page, "console-mention");
  await areAccessible(alex);
  await field.press("Enter");
  await field.pressSequentially(NOTED);
  await field.press("Enter");
  const knock = sam.page.locator(".knock", { hasText: "mentions you" });
  await knock.getByText(NOTED).waitFor();
  await knock.getByRole("button", { name: "Look" }).click();
  await sam.page.getByText("you read along").waitFor();
  await sam.page.locator(".line[data-tone=note]", { hasText: NOTED }).waitFor();
  // What she has looked at does not knock again.
  await sam.page.reload();
  await sam.page.locator(".line[data-tone=note]", { hasText: NOTED }).waitFor();
  assert.equal(await knock.count(), 0);
  await shoot(sam.page, "console-mentioned");
  await neverShown(NOTED);
  await areAccessible(sam);
  await alex.page.keyboard.press("Alt+n");
});

test("who reads along may join, and be let go", async () => {
  await sam.page.getByRole("button", { name: "Join" }).click();
  await sam.page.getByText("you are a guest").waitFor();
  await alex.page.getByRole("button", { name: /^Let .* go$/ }).click();
  await sam.page.getByText("This chat is no longer yours.").waitFor();
  await sam.page.locator(".pane").getByRole("button", { name: "Put away" }).click();
});

test("a warm transfer leaves both with the visitor until the first one goes", async () => {
  await goOnline(sam);
  await alex.page.getByRole("button", { name: "Transfer" }).click();
  const dialog = alex.page.getByRole("dialog");
  await dialog.locator(".targets").first().getByRole("radio").first().check();
  await dialog.getByLabel("Stay and introduce them").check();
  await shoot(alex.page, "console-transfer-warm");
  await areAccessible(alex);
  await dialog.getByRole("button", { name: "Transfer" }).click();
  await alex.page.getByText("you join when it is taken").waitFor();
  await acceptOffer(sam, "Who pays the tax?");
  await alex.page.getByText("you are a guest").waitFor();
  await agentSays(alex, "My colleague knows more");
  await agentSays(sam, "I do");
  await visitor.page.locator(".bubble", { hasText: "I do" }).waitFor();
  await alex.page.getByRole("button", { name: "Leave" }).click();
  await alex.page.getByText("This chat is no longer yours.").waitFor();
});

test("no page had an error", () => {
  for (const { problems } of [visitor, alex, sam]) assert.deepEqual(problems, []);
});
