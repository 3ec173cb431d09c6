// A visitor on the demo shop and an agent in the console chat through the
// running binary, from the first click to the rating.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import {
  eventually,
  messages,
  openPage,
  shoot,
  showsMessages,
} from "./support/browser.mjs";
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

const DIALOGUE = [
  ["visitor", "您好，我的茶叶什么时候到？"],
  ["agent", "Guten Tag! Ich schaue gleich nach …"],
  ["visitor", "شكراً جزيلاً، الرقم هو ١٢٣٤"],
  ["agent", "ご注文は明日届きます。🍵"],
  ["visitor", "Спасибо <b>большое</b> & до свидания"],
  ["agent", "Ευχαριστώ! https://example.com/track?id=1&x=2"],
];
// The smallest PNG: one transparent pixel.
const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
  "base64",
);

let browser;
let frontdesk;
let visitor;
let agent;

setUp(async (stage) => {
  ({ browser, frontdesk } = stage);
  visitor = await openPage(browser, { viewport: { width: 1280, height: 860 } });
  agent = await openPage(browser, {
    viewport: { width: 1440, height: 900 },
    acceptDownloads: true,
  });
});

test("a whole chat", async (t) => {
  const first = "Hello, is anybody there?";
  const said = [first];

  await t.test("a wrong password is refused in words", async () => {
    await agent.page.goto(frontdesk.console);
    await agent.page.getByLabel("Site").fill(frontdesk.site);
    await agent.page.getByLabel("E-mail").fill(frontdesk.agents[0].email);
    await agent.page.getByLabel("Password").fill("not the password");
    agent.networkErrorsCount = false;
    await agent.page.getByRole("button", { name: "Sign in" }).click();
    await agent.page.getByRole("alert").waitFor();
    await shoot(agent.page, "console-sign-in");
    agent.problems = agent.problems.filter((problem) => !/status of 401/.test(problem));
    agent.networkErrorsCount = true;
  });

  await t.test("the visitor waits in line while nobody is online", async () => {
    await openChat(visitor, frontdesk.demo);
    await shoot(visitor.page, "widget-welcome");
    await startChat(visitor, "Ada Byron", first);
    await visitor.page.locator(".place").waitFor();
    await showsMessages(visitor.page, said);
    await shoot(visitor.page, "widget-waiting");
  });

  await t.test("the agent goes online, is asked, and accepts", async () => {
    await signIn(agent, frontdesk, "agent");
    await goOnline(agent);
    await agent.page.locator(".offer", { hasText: first }).waitFor();
    assert.match(await agent.page.locator(".countdown").textContent(), /^\d+ s$/);
    await shoot(agent.page, "console-offer");
    await acceptOffer(agent, first);
    await showsMessages(agent.page, said);
    await visitor.page.locator(".notice", { hasText: "joined" }).waitFor();
  });

  await t.test("they chat in many languages, text stays text", async () => {
    for (const [who, text] of DIALOGUE) {
      if (who === "visitor") await visitorSays(visitor, text);
      else await agentSays(agent, text);
      said.push(text);
      await showsMessages(visitor.page, said);
      await showsMessages(agent.page, said);
    }
    assert.equal(await agent.page.locator(".bubble b").count(), 0);
    const link = visitor.page.locator(".bubble a");
    assert.equal(await link.getAttribute("href"), "https://example.com/track?id=1&x=2");
    assert.match(await link.getAttribute("rel"), /noopener noreferrer/);
  });

  await t.test("each side sees that its words were read", async () => {
    await visitor.page.locator(".mark[data-mark=read]").last().waitFor();
    await agent.page.locator(".mark[data-mark=read]").last().waitFor();
  });

  await t.test("each side sees the other writing, and stopping", async () => {
    await visitor.page.getByRole("textbox", { name: "Write a message…" }).pressSequentially("hm");
    await agent.page.locator(".typing").waitFor();
    await visitor.page.getByRole("textbox", { name: "Write a message…" }).fill("");
    await agent.page.locator(".typing").waitFor({ state: "detached" });
    await agent.page.getByRole("textbox", { name: "Reply" }).pressSequentially("let me see");
    await visitor.page.locator(".typing").waitFor();
    await shoot(visitor.page, "widget-chat");
    await shoot(agent.page, "console-chat");
    await agent.page.getByRole("textbox", { name: "Reply" }).fill("");
  });

  await t.test("a private note stays with the staff", async () => {
    const note = "Customer of ten years, be generous";
    await agent.page.keyboard.press("Alt+n");
    await agent.page.getByRole("textbox", { name: "Private note" }).fill(note);
    await shoot(agent.page, "console-note");
    await agent.page.getByRole("textbox", { name: "Private note" }).press("Enter");
    await agent.page.locator(".line[data-tone=note]", { hasText: note }).waitFor();
    await agent.page.keyboard.press("Alt+n");
    await agentSays(agent, "One moment, please");
    said.push("One moment, please");
    await showsMessages(visitor.page, said);
    assert.ok(!(await visitor.page.locator("#frontdesk-widget").innerHTML()).includes(note));
    assert.equal((await messages(agent.page)).includes(note), true);
  });

  await t.test("a file goes from the visitor to the agent, byte for byte", async () => {
    await visitor.page
      .locator("#frontdesk-widget input[type=file]")
      .setInputFiles({ name: "Beleg № 7.png", mimeType: "image/png", buffer: PICTURE });
    const send = visitor.page.getByRole("button", { name: "Send", exact: true });
    await eventually(async () => assert.ok(await send.isEnabled()));
    await send.click();
    await agent.page.locator(".picture img").waitFor();
    const file = agent.page.getByRole("button", { name: "Download Beleg № 7.png" });
    const [download] = await Promise.all([agent.page.waitForEvent("download"), file.click()]);
    assert.equal(download.suggestedFilename(), "Beleg № 7.png");
    assert.deepEqual(await readFile(await download.path()), PICTURE);
  });

  await t.test("the agent tags the chat and fetches its transcript", async () => {
    await agent.page.getByLabel("Add a tag").fill("delivery");
    await agent.page.getByLabel("Add a tag").press("Enter");
    await agent.page.locator(".tags li", { hasText: "delivery" }).waitFor();
    const text = agent.page.getByRole("button", { name: "Text", exact: true });
    const [download] = await Promise.all([agent.page.waitForEvent("download"), text.click()]);
    assert.match(download.suggestedFilename(), /\.txt$/);
  });

  await t.test("the transfer dialog names the queues and closes on Esc", async () => {
    await agent.page.keyboard.press("Alt+t");
    const dialog = agent.page.getByRole("dialog");
    await dialog.getByRole("radio").first().waitFor();
    await shoot(agent.page, "console-transfer");
    await agent.page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  });

  await t.test("the shortcuts are listed on ?", async () => {
    await agent.page.locator(".log-view").click();
    await agent.page.keyboard.press("?");
    await agent.page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await shoot(agent.page, "console-shortcuts");
    await agent.page.keyboard.press("Escape");
  });

  await t.test("the widget closes on Esc and gives the focus back", async () => {
    await visitor.page.getByRole("textbox", { name: "Write a message…" }).press("Escape");
    await visitor.page.getByRole("dialog").waitFor({ state: "detached" });
    const launcher = visitor.page.getByRole("button", { name: /^Open chat/ });
    assert.ok(await launcher.evaluate((button) => button.matches(":focus")));
    await agentSays(agent, "Still with me?");
    await visitor.page.locator(".badge", { hasText: "1" }).waitFor();
    await shoot(visitor.page, "widget-unread");
    await launcher.press("Enter");
    said.push("Still with me?");
    await showsMessages(visitor.page, said);
  });

  await t.test("the agent ends the chat, the visitor rates it", async () => {
    await agent.page.keyboard.press("Alt+e");
    await agent.page.getByRole("dialog").getByRole("button", { name: "End chat" }).click();
    await visitor.page.getByRole("radio", { name: "5 of 5" }).check();
    await visitor.page.getByLabel("Anything to add?").fill("Lovely, thank you");
    await shoot(visitor.page, "widget-rating");
    await visitor.page.getByRole("button", { name: "Send rating" }).click();
    await visitor.page.locator(".notice", { hasText: "Thank you" }).waitFor();
    await shoot(visitor.page, "widget-rated");
  });

  await t.test("the visitor takes it up again, and the agent has it back", async () => {
    await visitor.page.getByRole("button", { name: "Continue chat" }).click();
    await agent.page.locator(".offer").getByRole("button", { name: "Accept" }).click();
    await visitorSays(visitor, "One more thing");
    await agent.page.locator(".bubble", { hasText: "One more thing" }).waitFor();
  });

  await t.test("neither page had an error or broke its content security policy", () => {
    assert.deepEqual(visitor.problems, []);
    assert.deepEqual(agent.problems, []);
  });
});

test("the widget speaks Chinese when asked to", async () => {
  const guest = await openPage(browser);
  await guest.page.goto(`${frontdesk.demo}?language=zh`);
  await guest.page.getByRole("button", { name: "打开聊天" }).click();
  await guest.page.getByRole("button", { name: "开始聊天" }).waitFor();
  await shoot(guest.page, "widget-chinese");
  assert.deepEqual(guest.problems, []);
  await guest.context.close();
});

test("the widget fills a phone's screen and works in the dark", async () => {
  const guest = await openPage(browser, {
    viewport: { width: 390, height: 780 },
    colorScheme: "dark",
    hasTouch: true,
    reducedMotion: "reduce",
  });
  await openChat(guest, frontdesk.demo);
  const panel = await guest.page.getByRole("dialog").boundingBox();
  assert.deepEqual(panel, { x: 0, y: 0, width: 390, height: 780 });
  await shoot(guest.page, "widget-phone-dark");
  assert.deepEqual(guest.problems, []);
  await guest.context.close();
});
