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
    const all = [];
    const people = async (count, options) => {
      const opening = Array.from({ length: count }, () => openPage(browser, options));
      const opened = await Promise.all(opening);
      all.push(...opened);
      return opened;
    };
    try {
      await begin({ frontdesk, browser, people });
    } catch (error) {
      // Every test of the file fails now, and none of them can say why.
      error.message += `\n${(await Promise.all(all.map(seenOn))).join("\n")}`;
      throw error;
    }
  });
  after(async () => {
    await browser?.close();
    await frontdesk?.stop();
  });
}

/** What a page shows, and what went wrong on it. */
async function seenOn({ page, problems }) {
  const shown = await page
    .locator("body")
    .ariaSnapshot({ timeout: 5_000 })
    .catch((error) => error.message);
  return [`== ${page.url()}`, shown, ...problems].join("\n");
}
