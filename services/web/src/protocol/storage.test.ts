import { expect, it } from "vitest";
import { BrowserStore, readJson, writeJson } from "./storage";

class FakeStorage implements Storage {
  readonly #items = new Map<string, string>();
  [name: string]: unknown;
  get length() {
    return this.#items.size;
  }
  clear = () => this.#items.clear();
  key = (index: number) => [...this.#items.keys()][index] ?? null;
  getItem = (key: string) => this.#items.get(key) ?? null;
  setItem = (key: string, value: string) => void this.#items.set(key, value);
  removeItem = (key: string) => void this.#items.delete(key);
}

it("keeps entries of one prefix, each under its own key", () => {
  const storage = new FakeStorage();
  const store = new BrowserStore<{ n: number }>(storage, "box");
  new BrowserStore(storage, "other").put("x", { n: 9 });
  store.put("a", { n: 1 });
  store.put("b", { n: 2 });
  store.delete("a");
  expect(store.load()).toEqual([{ n: 2 }]);
});

it("passes over what is damaged", () => {
  const storage = new FakeStorage();
  storage.setItem("box:a", "{");
  expect(new BrowserStore(storage, "box").load()).toEqual([]);
  expect(readJson(storage, "box:a")).toBeUndefined();
});

it("goes on where storage is forbidden or full", () => {
  const full = new FakeStorage();
  full.setItem = () => {
    throw new Error("full");
  };
  expect(() => writeJson(full, "key", 1)).not.toThrow();
  expect(() => writeJson(undefined, "key", 1)).not.toThrow();
  expect(new BrowserStore(undefined, "box").load()).toEqual([]);
});
