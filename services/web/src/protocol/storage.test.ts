import { expect, it } from "vitest";
import { message, share, text } from "./shape";
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

const shape = message<{ id: string; n?: number }>({ id: text, n: share }, "id");

it("keeps entries of one prefix, each under its own key", () => {
  const storage = new FakeStorage();
  const store = new BrowserStore(storage, "box", shape);
  new BrowserStore(storage, "other", shape).put("x", { id: "x", n: 9 });
  store.put("a", { id: "a", n: 1 });
  store.put("b", { id: "b", n: 2 });
  store.delete("a");
  expect(store.load()).toEqual([{ id: "b", n: 2 }]);
});

it("passes over what is damaged", () => {
  const storage = new FakeStorage();
  storage.setItem("box:a", "{");
  storage.setItem("box:b", "null");
  storage.setItem("box:c", '{"id":"another"}');
  expect(new BrowserStore(storage, "box", shape).load()).toEqual([]);
  expect(readJson(storage, "box:a", shape)).toBeUndefined();
  expect(readJson(storage, "box:b", shape)).toBeUndefined();
});

it("goes on where storage is forbidden or full", () => {
  const full = new FakeStorage();
  full.setItem = () => {
    throw new Error("full");
  };
  expect(() => writeJson(full, "key", 1)).not.toThrow();
  expect(() => writeJson(undefined, "key", 1)).not.toThrow();
  expect(new BrowserStore(undefined, "box", shape).load()).toEqual([]);
});
