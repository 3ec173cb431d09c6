import { beforeEach, expect, it } from "vitest";
import { ada, alex, fakePage, leavePage } from "./fake-page";
import { Knocks } from "./knocks";

const invitation = { conversationId: "c", by: alex, visitor: ada, note: "tax?", seq: 5 };
const mention = { conversationId: "c", by: alex, text: "@Sam look", seq: 6 };

function ofSam(): Knocks {
  const knocks = new Knocks();
  knocks.belongTo("sam");
  return knocks;
}

beforeEach(() => {
  fakePage();
  return leavePage;
});

it("shows a new page what has no answer yet, and tells it once", () => {
  const knocks = ofSam();
  expect(knocks.invited({ ...invitation, again: true })?.text).toBe("tax?");
  expect(knocks.invited({ ...invitation, again: true })).toBeUndefined();
  expect(knocks.mentioned({ ...mention, again: true })?.seq).toBe(6);
  expect(knocks.list.map((knock) => knock.kind)).toEqual(["mention", "invitation"]);
});

it("leaves away what was put away, until a colleague asks anew", () => {
  const before = ofSam();
  before.invited(invitation);
  before.putAway(before.list[0] as never);
  expect(before.list).toEqual([]);

  const reloaded = ofSam();
  expect(reloaded.invited({ ...invitation, again: true })).toBeUndefined();
  expect(reloaded.list).toEqual([]);
  expect(reloaded.invited({ ...invitation, seq: 9, again: true })).toBeDefined();
  expect(reloaded.invited(invitation)).toBeDefined();
  expect(reloaded.list.length).toBe(1);
});

it("remembers for each agent of a browser", () => {
  const knocks = ofSam();
  knocks.mentioned(mention);
  knocks.putAway(knocks.list[0] as never);
  knocks.belongTo("alex");
  expect(knocks.mentioned({ ...mention, again: true })).toBeDefined();
  knocks.belongTo("sam");
  expect(knocks.list).toEqual([]);
});
