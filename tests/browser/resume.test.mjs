// Cut off and reloaded: nothing is lost, repeated or out of order.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { messages, openPage, shoot, showsMessages } from "./support/browser.mjs";
import { agentSays, beginChat, goOnline, signIn, visitorSays } from "./support/people.mjs";
import { startProxy } from "./support/proxy.mjs";
import { setUp } from "./support/stage.mjs";

let frontdesk;
let proxy;
let visitor;
let agent;
const said = ["I was about to say"];

setUp(async (stage) => {
  ({ frontdesk } = stage);
  proxy = await startProxy();
  visitor = await openPage(stage.browser, { proxy: { server: proxy.url } });
  agent = await openPage(stage.browser);
  await signIn(agent, frontdesk, "agent");
  await goOnline(agent);
  await beginChat(visitor, agent, frontdesk, "Grace", said[0]);
  await showsMessages(agent.page, said);
});

after(() => proxy?.stop());

async function bothShow(expected) {
  await showsMessages(agent.page, expected);
  await showsMessages(visitor.page, expected);
}

test("a visitor who is cut off misses nothing and loses nothing", async () => {
  visitor.networkErrorsCount = false;
  await visitor.context.setOffline(true);
  proxy.cutOff();

  const fromAgent = ["first", "第二", "الثالث"];
  for (const text of fromAgent) await agentSays(agent, text);
  const fromVisitor = ["written in a tunnel", "and another"];
  for (const text of fromVisitor) await visitorSays(visitor, text);
  await visitor.page.getByText("Reconnecting…").waitFor();
  assert.equal(await visitor.page.locator(".mark[data-mark=waiting]").count(), fromVisitor.length);
  assert.deepEqual(await messages(visitor.page), [...said, ...fromVisitor]);
  await showsMessages(agent.page, [...said, ...fromAgent]);
  await shoot(visitor.page, "widget-cut-off");

  proxy.restore();
  await visitor.context.setOffline(false);
  said.push(...fromAgent, ...fromVisitor);
  await bothShow(said);
  await visitor.page.getByText("Reconnecting…").waitFor({ state: "detached" });
  assert.equal(await visitor.page.locator(".mark[data-mark=waiting]").count(), 0);
  visitor.networkErrorsCount = true;
});

test("a connection that breaks again and again changes nothing", async () => {
  visitor.networkErrorsCount = false;
  for (let round = 1; round <= 5; round += 1) {
    const words = [`before break ${round}`, `after break ${round}`];
    await visitorSays(visitor, words[0]);
    proxy.cutOff();
    proxy.restore();
    await visitorSays(visitor, words[1]);
    said.push(...words);
    await bothShow(said);
  }
  visitor.networkErrorsCount = true;
});

test("what was written before a reload is sent after it", async () => {
  visitor.networkErrorsCount = false;
  proxy.cutOff();
  await visitorSays(visitor, "written just before the reload");
  await visitor.page.locator(".mark[data-mark=waiting]").waitFor();
  proxy.restore();
  await visitor.page.reload();
  said.push("written just before the reload");
  await bothShow(said);
  visitor.networkErrorsCount = true;
});

test("the visitor's page goes on after a reload, panel and all", async () => {
  await visitor.page.reload();
  await visitor.page.getByRole("dialog", { name: "Chat with us" }).waitFor();
  await bothShow(said);
  await visitorSays(visitor, "still me");
  said.push("still me");
  await bothShow(said);
});

test("the agent's page goes on after a reload, without signing in", async () => {
  await agent.page.reload();
  await bothShow(said);
  await agent.page.locator(".status-button", { hasText: "Online" }).waitFor();
  await agentSays(agent, "still here too");
  said.push("still here too");
  await bothShow(said);
});

test("the server is killed and started again: both go on", async () => {
  visitor.networkErrorsCount = false;
  agent.networkErrorsCount = false;
  for (let round = 1; round <= 2; round += 1) {
    await agentSays(agent, `acknowledged before kill ${round}`);
    said.push(`acknowledged before kill ${round}`);
    await bothShow(said);
    const restarted = frontdesk.killAndRestart();
    await visitorSays(visitor, `while it was away ${round}`);
    await restarted;
    said.push(`while it was away ${round}`);
    await bothShow(said);
  }
  await agentSays(agent, "and on it goes");
  said.push("and on it goes");
  await bothShow(said);
  visitor.networkErrorsCount = true;
  agent.networkErrorsCount = true;
});

test("neither page had an error", () => {
  assert.deepEqual(visitor.problems, []);
  assert.deepEqual(agent.problems, []);
});
