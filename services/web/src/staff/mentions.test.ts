import { describe, expect, it } from "vitest";
import { candidates, complete, mentionedIds, mentionQuery } from "./mentions";

const team = [
  { id: "1", name: "Alex Kim" },
  { id: "2", name: "Samira" },
  { id: "3", name: "Kim" },
];

describe("mentionQuery", () => {
  it("is what follows an @ at the beginning of a word, up to the caret", () => {
    expect(mentionQuery("@", 1)).toEqual({ at: 0, text: "" });
    expect(mentionQuery("ask @al please", 7)).toEqual({ at: 4, text: "al" });
    expect(mentionQuery("(@alex ki", 9)).toEqual({ at: 1, text: "alex ki" });
  });

  it("is nothing in an address, after a space or a line break, or far away", () => {
    expect(mentionQuery("mail me@shop.example", 20)).toBeUndefined();
    expect(mentionQuery("at @ noon", 9)).toBeUndefined();
    expect(mentionQuery("@alex\nhello", 11)).toBeUndefined();
    expect(mentionQuery(`@${"x".repeat(50)}`, 51)).toBeUndefined();
    expect(mentionQuery("no mention", 10)).toBeUndefined();
  });
});

describe("candidates", () => {
  it("are those with a word of their name that begins so", () => {
    expect(candidates(team, "ki").map((one) => one.id)).toEqual(["1", "3"]);
    expect(candidates(team, "alex k").map((one) => one.id)).toEqual(["1"]);
    expect(candidates(team, "zo")).toEqual([]);
    expect(candidates(team, "")).toHaveLength(3);
  });
});

describe("complete", () => {
  it("puts the whole name there, and the caret behind it", () => {
    const query = { at: 4, text: "al" };
    expect(complete("ask @al please", query, "Alex Kim")).toEqual(["ask @Alex Kim please", 14]);
  });
});

describe("mentionedIds", () => {
  it("are those picked who are still named", () => {
    const picked = [team[0], team[1], team[0]].flatMap((one) => one ?? []);
    expect(mentionedIds("@Alex Kim, see this", picked)).toEqual(["1"]);
    expect(mentionedIds("nobody", picked)).toEqual([]);
  });
});
