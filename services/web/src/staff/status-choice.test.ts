import { beforeEach, expect, it, vi } from "vitest";
import { StatusChoice } from "./status-choice";

const online = { status: "AGENT_STATUS_ONLINE", reason: "" } as const;
const away = { status: "AGENT_STATUS_AWAY", connections: 1 } as const;

beforeEach(() => {
  const items = new Map<string, string>();
  vi.stubGlobal("sessionStorage", {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => items.set(key, value),
    removeItem: (key: string) => items.delete(key),
  });
});

it("tells the server again what it no longer holds, also after a reload", () => {
  new StatusChoice().choose(online);
  expect(new StatusChoice().back(away)).toEqual(online);
  expect(new StatusChoice().back({ ...online, connections: 1 })).toBeUndefined();
});

it("says nothing where nothing was chosen", () => {
  const choice = new StatusChoice();
  expect(choice.back(away)).toBeUndefined();
  choice.choose(online);
  choice.forget();
  expect(choice.back(away)).toBeUndefined();
});

it("leaves a newer choice of another connection alone", () => {
  const choice = new StatusChoice();
  choice.choose(online);
  expect(choice.back({ ...away, connections: 2 })).toBeUndefined();
});

it("does not speak for somebody who was gone for long, unless they choose anew", () => {
  const choice = new StatusChoice();
  choice.choose(online);
  choice.away(0);
  choice.away(200_000);
  expect(choice.back(away, 300_001)).toBeUndefined();
  choice.away(400_000);
  choice.choose(online);
  expect(choice.back(away, 900_000)).toEqual(online);
});
