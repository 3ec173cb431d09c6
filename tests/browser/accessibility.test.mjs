// Every state of the pages is checked with axe-core: names, roles, contrast.

import { test } from "node:test";
import { areAccessible } from "./support/browser.mjs";
import {
  acceptOffer,
  agentSays,
  goOnline,
  openChat,
  signIn,
  startChat,
  visitorSays,
} from "./support/people.mjs";
import { setUp } from "./support/stage.mjs";

let frontdesk;
let visitor;
let agent;

setUp(async (stage) => {
  ({ frontdesk } = stage);
  // Colours on their way from one to another have no contrast to measure.
  [visitor, agent] = await stage.people(2, { reducedMotion: "reduce" });
});

const bothAreFine = () => areAccessible(visitor, agent);

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
