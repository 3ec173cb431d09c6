import { expect, it } from "vitest";
import { randomId, uuidV7, uuidV7Ms } from "./ids";
import { durationMs, timestampMs } from "./times";

it("reads durations", () => {
  expect(durationMs("1.5s", 0)).toBe(1_500);
  expect(durationMs("25s", 0)).toBe(25_000);
  expect(durationMs("0.000000001s", 0)).toBeCloseTo(0.000_001);
  expect(durationMs(undefined, 7)).toBe(7);
  expect(durationMs("soon", 7)).toBe(7);
});

it("reads timestamps", () => {
  expect(timestampMs("1970-01-01T00:00:01.500Z", 0)).toBe(1_500);
  expect(timestampMs("1970-01-01T00:00:01.500000001Z", 0)).toBe(1_500);
  expect(timestampMs(undefined, 7)).toBe(7);
  expect(timestampMs("yesterday", 7)).toBe(7);
});

it("makes UUIDv7 that sort by time", () => {
  const early = uuidV7(1_700_000_000_000);
  const late = uuidV7(1_700_000_000_001);
  expect(early).toMatch(/^018bcfe5-6800-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(early < late).toBe(true);
  expect(uuidV7Ms(early)).toBe(1_700_000_000_000);
});

it("makes ids of 128 random bits", () => {
  expect(randomId()).toMatch(/^[0-9a-f]{32}$/);
  expect(randomId()).not.toBe(randomId());
});
