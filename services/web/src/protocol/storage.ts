// A small keyed store over localStorage or sessionStorage. Each entry has a key
// of its own, so that two tabs of one visitor never overwrite one another's.
//
// Storage may be forbidden or full; then entries live as long as the page.

import { readJsonText, type Shape } from "./shape";

/** What a browser keeps for one origin is some megabytes in all. */
const MOST_OF_A_VALUE = 8 * 1024 * 1024;

export interface EntryStore<T> {
  load(): T[];
  put(id: string, entry: T): void;
  delete(id: string): void;
}

/** Entries under `prefix` in a Storage, as far as they are of a shape. */
export class BrowserStore<T extends { id: string }> implements EntryStore<T> {
  readonly #storage: Storage | undefined;
  readonly #prefix: string;
  readonly #shape: Shape<T>;

  constructor(storage: Storage | undefined, prefix: string, shape: Shape<T>) {
    this.#storage = storage;
    this.#prefix = `${prefix}:`;
    this.#shape = shape;
  }

  load(): T[] {
    const entries: T[] = [];
    for (let index = 0; index < (this.#storage?.length ?? 0); index += 1) {
      const key = this.#storage?.key(index);
      if (!key?.startsWith(this.#prefix)) continue;
      const entry = readJson(this.#storage, key, this.#shape);
      // Under another key it could never be deleted.
      if (entry && key === this.#prefix + entry.id) entries.push(entry);
    }
    return entries;
  }

  put(id: string, entry: T): void {
    writeJson(this.#storage, this.#prefix + id, entry);
  }

  delete(id: string): void {
    dropKey(this.#storage, this.#prefix + id);
  }
}

/** The window's storage, or nothing where the browser forbids it. */
export function browserStorage(kind: "localStorage" | "sessionStorage"): Storage | undefined {
  try {
    return globalThis[kind];
  } catch {
    return undefined;
  }
}

/** Reads a value; absent, forbidden, damaged and of another shape are all `undefined`. */
export function readJson<T>(
  storage: Storage | undefined,
  key: string,
  shape: Shape<T>,
): T | undefined {
  try {
    const text = storage?.getItem(key);
    return text ? readJsonText(text, shape, MOST_OF_A_VALUE) : undefined;
  } catch {
    return undefined;
  }
}

/** Writes a value, or does nothing where storage is forbidden or full. */
export function writeJson(storage: Storage | undefined, key: string, value: unknown): void {
  try {
    storage?.setItem(key, JSON.stringify(value));
  } catch {
    // The page goes on with what it has in memory.
  }
}

/** Removes a value. */
export function dropKey(storage: Storage | undefined, key: string): void {
  try {
    storage?.removeItem(key);
  } catch {
    // Nothing was stored, then.
  }
}
