import { describe, expect, it } from "vitest";
import { afterClose, lostDelayMs } from "./backoff";

const most = () => 0.999_999;
const least = () => 0;

function delay(code: number, attempt: number, random: () => number): number {
  const next = afterClose(code, attempt, random);
  if (next.action === "stop") throw new Error(`${code} stops`);
  return next.delayMs;
}

describe("afterClose", () => {
  it.each([4000, 4001, 4002, 4099])("%d: within a second, however often", (code) => {
    for (const attempt of [0, 3, 20]) {
      expect(delay(code, attempt, least)).toBe(0);
      expect(delay(code, attempt, most)).toBeLessThan(1_000);
    }
  });

  it.each([4100, 4101, 4199])("%d: after at least 5 s, growing, not to be hurried", (code) => {
    expect(delay(code, 0, least)).toBe(5_000);
    expect(delay(code, 3, least)).toBe(5_000);
    expect(delay(code, 3, most)).toBeGreaterThan(delay(code, 0, most));
    expect(delay(code, 50, most)).toBeLessThanOrEqual(65_000);
    expect(afterClose(code, 0, least)).toMatchObject({ action: "retry", patient: true });
  });

  it("4201: at once with a new token, later with care", () => {
    const first = { action: "retry", delayMs: 0, renewToken: true };
    expect(afterClose(4201, 0, most)).toMatchObject(first);
    expect(delay(4201, 2, most)).toBeGreaterThan(3_000);
  });

  it.each([
    [4200, "token-refused"],
    [4202, "protocol"],
    [4203, "protocol"],
    [4204, "protocol"],
    [4205, "signed-out"],
    [4299, "protocol"],
  ])("%d: never, because %s", (code, reason) => {
    expect(afterClose(code, 0, least)).toEqual({ action: "stop", reason });
  });

  it.each([1000, 1001, 1006, 1011, 3999, 4300])("%d: full jitter growing to 30 s", (code) => {
    expect(delay(code, 0, most)).toBeLessThan(1_000);
    expect(delay(code, 3, most)).toBeGreaterThan(7_000);
    expect(delay(code, 3, least)).toBe(0);
    expect(delay(code, 1_000, most)).toBeLessThan(30_000);
    expect(delay(code, 1_000, most)).toBeGreaterThan(29_000);
  });
});

describe("lostDelayMs", () => {
  it("spreads evenly below the ceiling", () => {
    expect(lostDelayMs(2, () => 0.5)).toBe(2_000);
  });
});
