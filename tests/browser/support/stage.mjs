// What the tests of a file run on: one Frontdesk and one browser, up before the first of
// them and down after the last, whatever came of them.

import { after, before } from "node:test";
import { launchBrowser, openPage } from "./browser.mjs";
import { startFrontdesk } from "./frontdesk.mjs";

/**
 * Has the stage set before the tests, and `begin` called with it: `frontdesk` and
 * `browser`, and `people`, which opens as many pages, each in a context of its own.
 */
export function setUp(begin) {
  let frontdesk;
  let browser;
  before(async () => {
    frontdesk = await startFrontdesk();
    browser = await launchBrowser();
    const people = (count, options) =>
      Promise.all(Array.from({ length: count }, () => openPage(browser, options)));
    await begin({ frontdesk, browser, people });
  });
  after(async () => {
    await browser?.close();
    await frontdesk?.stop();
  });
}
