// Durations and timestamps of the proto3 JSON mapping, in milliseconds.

import type { Duration, Timestamp } from "./messages";

/** `"1.5s"` is 1500; absent or unreadable is `fallback`. */
export function durationMs(duration: Duration | undefined, fallback: number): number {
  if (duration === undefined) return fallback;
  const seconds = /^(-?\d+(?:\.\d+)?)s$/.exec(duration)?.[1];
  return seconds === undefined ? fallback : Number(seconds) * 1000;
}

/** Milliseconds since 1970; absent or unreadable is `fallback`. */
export function timestampMs(timestamp: Timestamp | undefined, fallback: number): number {
  if (timestamp === undefined) return fallback;
  const parsed = Date.parse(timestamp);
  return Number.isNaN(parsed) ? fallback : parsed;
}
