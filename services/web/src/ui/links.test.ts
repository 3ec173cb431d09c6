import { describe, expect, it } from "vitest";
import { splitLinks, webAddress } from "./links";

const hrefs = (text: string) => splitLinks(text).flatMap((part) => part.href ?? []);

describe("splitLinks", () => {
  it("leaves text without addresses alone", () => {
    expect(splitLinks("no <b>links</b> here")).toEqual([{ text: "no <b>links</b> here" }]);
  });

  it("keeps the text when joined", () => {
    const text =
      "see https://a.example/x?y=1#z, or (http://b.example). 再见 https://c.example/路。";
    const joined = splitLinks(text).map((part) => part.text);
    expect(joined.join("")).toBe(text);
  });

  it("leaves the sentence's punctuation out of the address", () => {
    expect(hrefs("Go to https://a.example/path. Or (https://b.example/x)!")).toEqual([
      "https://a.example/path",
      "https://b.example/x",
    ]);
    expect(hrefs("https://a.example/wiki/X_(y)")).toEqual(["https://a.example/wiki/X_(y)"]);
  });

  it("makes nothing of other schemes", () => {
    expect(hrefs("javascript:alert(1) data:text/html,x ftp://a.example https://")).toEqual([]);
    expect(webAddress("javascript:alert(1)")).toBeUndefined();
  });

  it("stops at quotes and angle brackets", () => {
    expect(hrefs('<a href="https://a.example/x">')).toEqual(["https://a.example/x"]);
  });
});
