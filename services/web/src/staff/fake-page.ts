// For the tests: a page without a browser, whose connection is the test's.

import { vi } from "vitest";
import { FakeServer, settle, welcome } from "../protocol/fake-server";
import type { Event, Participant, ServerFrame, Welcome } from "../protocol/messages";
import type { AgentSession } from "./session";

export const alex: Participant = { party: "PARTY_AGENT", id: "alex", name: "Alex" };
export const sam: Participant = { party: "PARTY_SUPERVISOR", id: "sam", name: "Sam" };
export const ada: Participant = { party: "PARTY_VISITOR", id: "ada", name: "Ada" };

class FakeStorage {
  readonly #items = new Map<string, string>();
  get length(): number {
    return this.#items.size;
  }
  clear = () => this.#items.clear();
  key = (index: number) => [...this.#items.keys()][index] ?? null;
  getItem = (key: string) => this.#items.get(key) ?? null;
  setItem = (key: string, value: string) => void this.#items.set(key, value);
  removeItem = (key: string) => void this.#items.delete(key);
}

/** Puts what the models use of a browser in place; sockets and clock are the test's. */
export function fakePage(): FakeServer {
  vi.useFakeTimers();
  const server = new FakeServer();
  const listening = { addEventListener: () => {}, removeEventListener: () => {} };
  vi.stubGlobal("document", {
    ...listening,
    visibilityState: "visible",
    hasFocus: () => true,
  });
  vi.stubGlobal("window", listening);
  vi.stubGlobal("sessionStorage", new FakeStorage());
  vi.stubGlobal("localStorage", new FakeStorage());
  vi.stubGlobal("WebSocket", function open() {
    return server.openSocket();
  });
  return server;
}

/** Puts the true browser back. */
export function leavePage(): void {
  vi.useRealTimers();
  vi.unstubAllGlobals();
}

/** Answers the next request of this kind. */
export async function answer(
  server: FakeServer,
  kind: Parameters<FakeServer["last"]["take"]>[0],
  reply: Parameters<FakeServer["last"]["reply"]>[1],
): Promise<void> {
  server.last.reply(server.last.take(kind), reply);
  await settle();
}

/** A session that is signed in and stays so. */
export function fakeSession(): AgentSession {
  const session = {
    origin: "http://host",
    current: async () => "token",
    renewed: async () => "token",
    keep: () => {},
    signOut: () => {},
  };
  return session as unknown as AgentSession;
}

/** Connects a page as somebody; their own conversations are those given. */
export async function connected(
  server: FakeServer,
  you: Participant,
  extra: Welcome = {},
): Promise<void> {
  await settle();
  await welcome(server.last, { you, site: "demo", ...extra });
}

/** Events in their order, from seq `first` on, as the server pushes them. */
export function eventsOf(conversationId: string, bodies: Partial<Event>[], first = 1) {
  return bodies.map(
    (body, index): ServerFrame => ({
      event: {
        event: { conversationId, seq: first + index, at: "2026-01-01T00:00:00Z", ...body },
        prev: first + index - 1,
      },
    }),
  );
}
