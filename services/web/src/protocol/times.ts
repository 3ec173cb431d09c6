// Durations and timestamps of the proto3 JSON mapping, in milliseconds.

import type { Duration, Timestamp } from "./messages";

const MOST_OF_A_TIMER = 2 ** 31 - 1;

/** `"1.5s"` is 1500; absent or unreadable is `fallback`. */
export function durationMs(duration: Duration | undefined, fallback: number): number {
  if (duration === undefined) return fallback;
  const seconds = /^(-?\d{1,12}(?:\.\d{1,9})?)s$/.exec(duration)?.[1];
  return seconds === undefined ? fallback : Number(seconds) * 1000;
}

/**
 * What a browser's timer can be set to: it takes anything longer than some 24 days, and
 * anything that is no number, for "at once".
 */
export function timerMs(ms: number): number {
  return Number.isNaN(ms) ? MOST_OF_A_TIMER : Math.min(MOST_OF_A_TIMER, Math.max(0, ms));
}

/** Milliseconds since 1970; absent or unreadable is `fallback`. */
export function timestampMs(timestamp: Timestamp | undefined, fallback: number): number {
  if (timestamp === undefined) return fallback;
  const parsed = Date.parse(timestamp);
  return Number.isNaN(parsed) ? fallback : parsed;
}
