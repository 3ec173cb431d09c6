// Every state of the pages is checked with axe-core: names, roles, contrast.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessibilityProblems, launchBrowser, openPage } from "./support/browser.mjs";
import { startFrontdesk } from "./support/frontdesk.mjs";
import {
  acceptOffer,
  agentSays,
  goOnline,
  openChat,
  signIn,
  startChat,
  visitorSays,
} from "./support/people.mjs";

let frontdesk;
let browser;
let visitor;
let agent;

before(async () => {
  frontdesk = await startFrontdesk();
  browser = await launchBrowser();
  // Colours on their way from one to another have no contrast to measure.
  visitor = await openPage(browser, { reducedMotion: "reduce" });
  agent = await openPage(browser, { reducedMotion: "reduce" });
});

after(async () => {
  await browser?.close();
  await frontdesk?.stop();
});

async function bothAreFine() {
  for (const colorScheme of ["light", "dark"]) {
    for (const { page } of [visitor, agent]) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await accessibilityProblems(page), [], `${page.url()} ${colorScheme}`);
    }
  }
}

test("before a chat", async () => {
  await agent.page.goto(frontdesk.console);
  await openChat(visitor, frontdesk.demo);
  await bothAreFine();
});

test("while the visitor waits and the agent is asked", async () => {
  await signIn(agent, frontdesk, "agent");
  await goOnline(agent);
  await startChat(visitor, "Ada", "Hello there");
  await agent.page.locator(".offer").waitFor();
  await visitor.page.locator(".place").waitFor();
  await bothAreFine();
});

test("in a chat, with a note", async () => {
  await acceptOffer(agent, "Hello there");
  await agentSays(agent, "Hello, see https://example.com");
  await visitorSays(visitor, "I will");
  await agent.page.locator(".bubble", { hasText: "I will" }).waitFor();
  await agent.page.keyboard.press("Alt+n");
  await agent.page.getByRole("textbox", { name: "Private note" }).fill("Kind");
  await agent.page.keyboard.press("Enter");
  await agent.page.locator(".line[data-tone=note]").waitFor();
  await bothAreFine();
});

test("in a dialog, and at the end", async () => {
  await agent.page.keyboard.press("Alt+e");
  await bothAreFine();
  await agent.page.getByRole("dialog").getByRole("button", { name: "End chat" }).click();
  await visitor.page.getByRole("radio", { name: "4 of 5" }).check();
  await bothAreFine();
});
