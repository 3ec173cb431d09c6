// Chromium, contexts that report every console error, and waiting for a state.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import axe from "axe-core";
import { chromium } from "playwright-core";

const WAIT_MS = 20_000;
const POLL_MS = 50;
/** What the browser itself says when the network is away. */
const NETWORK_ERROR = /net::ERR_|WebSocket connection to/;

export function launchBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/**
 * A context with one page. `problems` collects console errors, exceptions and
 * violations of the content security policy; network errors only count while
 * `networkErrorsCount` is set.
 */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  context.setDefaultTimeout(WAIT_MS);
  const user = { context, page: undefined, problems: [], networkErrorsCount: true };
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  user.page = await context.newPage();
  user.page.on("pageerror", (error) => user.problems.push(String(error)));
  user.page.on("console", (message) => {
    if (message.type() !== "error") return;
    if (!user.networkErrorsCount && NETWORK_ERROR.test(message.text())) return;
    user.problems.push(`${message.text()} (${message.location().url})`);
  });
  return user;
}

/** Repeats an assertion until it holds; fails with its last error. */
export async function eventually(assertion, waitMs = WAIT_MS) {
  const deadline = Date.now() + waitMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(POLL_MS);
    }
  }
}

/** The texts of all messages on a page, in order. */
export async function messages(page) {
  return page.locator("[role=log] .bubble .text").allInnerTexts();
}

/** Waits until a page shows exactly these messages. */
export function showsMessages(page, expected) {
  return eventually(async () => assert.deepEqual(await messages(page), expected));
}

/** Takes a picture into the folder of SHOTS, when that is set. */
export async function shoot(page, name) {
  const folder = process.env.SHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `${name}.png`), animations: "disabled" });
}

/** What axe-core finds wrong for people with disabilities, by rule and element. */
export async function accessibilityProblems(page) {
  await page.evaluate(axe.source);
  // A content security policy does not bind what the test itself evaluates.
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target}`));
}

/** Nothing is wrong on these people's pages, neither in the dark nor, as they stay, in light. */
export async function areAccessible(...people) {
  for (const colorScheme of ["dark", "light"]) {
    for (const { page } of people) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await accessibilityProblems(page), [], `${page.url()} ${colorScheme}`);
    }
  }
}
