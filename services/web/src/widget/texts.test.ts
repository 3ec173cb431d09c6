import { describe, expect, it } from "vitest";
import { chooseLanguage, fill } from "./texts";

const files = import.meta.glob<Record<string, string>>("./texts/*.json", {
  eager: true,
  import: "default",
});
const english = files["./texts/en.json"] ?? {};
const placeholders = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();

describe.each(Object.entries(files))("%s", (_path, texts) => {
  it("has every text of en.json and no other", () => {
    expect(Object.keys(texts).sort()).toEqual(Object.keys(english).sort());
  });

  it("has the same placeholders as en.json", () => {
    for (const [key, text] of Object.entries(english)) {
      expect(placeholders(texts[key] ?? ""), key).toEqual(placeholders(text));
    }
  });
});

describe("chooseLanguage", () => {
  it("goes from the whole tag to its first part, then to the next wanted one", () => {
    const available = ["en", "zh", "pt-br"];
    expect(chooseLanguage(["zh-Hans-CN"], available)).toBe("zh");
    expect(chooseLanguage(["pt-BR", "zh"], available)).toBe("pt-br");
    expect(chooseLanguage(["pt", "zh"], available)).toBe("zh");
    expect(chooseLanguage(["fr"], available)).toBe("en");
    expect(chooseLanguage([], available)).toBe("en");
  });
});

describe("fill", () => {
  it("replaces what is known and leaves the rest", () => {
    expect(fill("{name} is {mood}", { name: "Ada" })).toBe("Ada is {mood}");
  });
});
