// The supervisor's board: queues and agents live, a chat watched unseen, a whisper
// that the visitor never gets, joining, taking it from its agent, and taking it over.

import assert from "node:assert/strict";
import { test } from "node:test";
import { areAccessible, eventually, shoot } from "./support/browser.mjs";
import {
  NAMES,
  acceptOffer,
  agentSays,
  goOnline,
  openChat,
  signInAt,
  startChat,
  visitorSays,
} from "./support/people.mjs";
import { setUp } from "./support/stage.mjs";

const WHISPERED = "Offer her a refund";

let frontdesk;
let visitor;
let agent;
let boss;

setUp(async (stage) => {
  ({ frontdesk } = stage);
  const viewport = { width: 1440, height: 900 };
  [visitor, agent, boss] = await stage.people(3, { reducedMotion: "reduce", viewport });
});

const tile = (name) =>
  boss.page.locator(".tiles > div", { has: boss.page.getByText(name, { exact: true }) });
const row = (name) => boss.page.locator(".conversations tbody tr", { hasText: name });
const watch = () => boss.page.locator(".watch");

async function bossSays(label, text) {
  const field = watch().getByRole("textbox", { name: label, exact: true });
  await field.fill(text);
  await field.press("Enter");
}

test("an agent who signs in here is sent to the console", async () => {
  await signInAt(agent, frontdesk, "agent", frontdesk.supervisor);
  await agent.page.getByText("Only for supervisors").waitFor();
  await areAccessible(agent);
  await agent.page.getByRole("link", { name: "To the console" }).click();
  await agent.page.getByText("No chat selected").waitFor();
});

test("an empty site says that nobody waits", async () => {
  await signInAt(boss, frontdesk, "supervisor", frontdesk.supervisor);
  await boss.page.getByText("Nobody waits, and nobody is being served.").waitFor();
  await boss.page.locator(".queues tbody tr").first().waitFor();
  await shoot(boss.page, "board-empty");
  await areAccessible(boss);
});

test("who waits is counted and listed at once, and can be put first", async () => {
  await openChat(visitor, frontdesk.demo);
  await startChat(visitor, "Emmy", "My order is late");
  await row("Emmy").waitFor();
  await eventually(async () => assert.match(await tile("Waiting").innerText(), /1$/));
  await row("Emmy").getByRole("button", { name: "Emmy" }).click();
  await watch().locator(".bubble", { hasText: "My order is late" }).waitFor();
  await watch().getByRole("button", { name: "Priority" }).click();
  const dialog = boss.page.getByRole("dialog");
  await dialog.getByRole("button", { name: "+30 min" }).click();
  await areAccessible(boss);
  await dialog.getByRole("button", { name: "Set" }).click();
  await row("Emmy").getByText("+30 min").waitFor();
  await shoot(boss.page, "board-waiting");
});

test("the board follows an agent who comes and takes it", async () => {
  await goOnline(agent);
  await acceptOffer(agent, "My order is late");
  await row("Emmy").getByText(NAMES.agent).waitFor();
  await eventually(async () => assert.match(await tile("With agents").innerText(), /1$/));
  await boss.page.locator(".agents tbody tr", { hasText: "Online" }).getByText("1/").waitFor();
});

test("the chat is watched live and unseen", async () => {
  await agentSays(agent, "Let me look");
  await visitorSays(visitor, "Please do");
  await watch().locator(".bubble", { hasText: "Please do" }).waitFor();
  await watch().getByText("You watch unseen").waitFor();
  assert.equal(await visitor.page.getByText(NAMES.supervisor).count(), 0);
});

test("a whisper reaches the agent and never the visitor", async () => {
  await bossSays("Whisper", WHISPERED);
  await agent.page.locator(".line[data-tone=whisper]", { hasText: WHISPERED }).waitFor();
  await watch().locator(".line[data-tone=whisper]", { hasText: WHISPERED }).waitFor();
  await agentSays(agent, "You get your money back");
  await visitor.page.locator(".bubble", { hasText: "money back" }).waitFor();
  const seen = await visitor.page.locator("#frontdesk-widget [role=dialog]").innerHTML();
  assert.ok(!seen.includes(WHISPERED));
  await shoot(boss.page, "board-whisper");
  await shoot(agent.page, "console-whispered");
  await areAccessible(boss, agent);
});

test("the filter lists what it is asked for", async () => {
  await boss.page.getByLabel("Search the conversations").fill("nobody of this name");
  await boss.page.getByText("None of them fits the filter.").waitFor();
  await boss.page.getByLabel("Search the conversations").fill("emm");
  await row("Emmy").waitFor();
  await boss.page.getByLabel("State", { exact: true }).selectOption("waiting");
  await row("Emmy").waitFor({ state: "detached" });
  await boss.page.getByLabel("State", { exact: true }).selectOption("any");
  await boss.page.getByLabel("Search the conversations").fill("");
});

test("the supervisor joins, speaks, and leaves", async () => {
  await watch().getByRole("button", { name: "Join" }).click();
  const name = NAMES.supervisor;
  await visitor.page.locator(".notice", { hasText: `${name} joined` }).waitFor();
  await bossSays("Reply", "I am sorry about that");
  await visitor.page.locator(".bubble", { hasText: "I am sorry" }).waitFor();
  await agent.page.locator(".bubble", { hasText: "I am sorry" }).waitFor();
  await shoot(boss.page, "board-joined");
  await watch().getByRole("button", { name: "Leave" }).click();
  await visitor.page.locator(".notice", { hasText: `${name} left` }).waitFor();
  await watch().getByText("You watch unseen").waitFor();
});

test("it is taken over only by a supervisor who is online", async () => {
  await watch().getByRole("button", { name: "Take over" }).click();
  await boss.page.getByText("To take it over, be online with a free slot.").waitFor();
  await goOnline(boss);
  await watch().getByRole("button", { name: "Take over" }).click();
  await agent.page.getByText("This chat is no longer yours.").waitFor();
  await bossSays("Reply", "I look after you now");
  await visitor.page.locator(".bubble", { hasText: "I look after you now" }).waitFor();
  await watch().getByRole("link", { name: "Go on in the console" }).waitFor();
  await shoot(boss.page, "board-taken-over");
});

test("it is put back into its queue, and goes to the other one", async () => {
  await watch().getByRole("button", { name: "Put back" }).click();
  const dialog = boss.page.getByRole("dialog");
  await dialog.getByLabel("Why").fill("End of shift");
  await areAccessible(boss);
  await dialog.getByRole("button", { name: "Put back" }).click();
  await acceptOffer(agent, "My order is late");
  await row("Emmy").getByText(NAMES.agent).waitFor();
  await watch().getByText("You watch unseen").waitFor();
});

test("no page had an error", () => {
  for (const { problems } of [visitor, agent, boss]) assert.deepEqual(problems, []);
});
