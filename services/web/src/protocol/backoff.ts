// What to do after a connection has ended: the close-code bands of chat.proto.
// Pure: the caller brings the attempt number and the randomness.

/** Why the client will not connect again by itself. */
export type StopReason = "token-refused" | "signed-out" | "protocol";

export type AfterClose =
  | { action: "retry"; delayMs: number; renewToken: boolean; patient: boolean }
  | { action: "stop"; reason: StopReason };

const SOON_MS = 1_000;
const LATER_FLOOR_MS = 5_000;
const LATER_CAP_MS = 60_000;
const LOST_CAP_MS = 30_000;

const TOKEN_EXPIRED = 4201;
const SIGNED_OUT = 4205;

/** Full jitter below a ceiling that doubles with each attempt, from 1 s to 30 s. */
export function lostDelayMs(attempt: number, random: () => number): number {
  return random() * Math.min(LOST_CAP_MS, SOON_MS * 2 ** Math.min(attempt, 16));
}

/**
 * Decides what follows a close code.
 *
 * `attempt` counts the connections in a row that did not last, from 0. A
 * `patient` retry must not be hurried by the network coming back: the server
 * itself asked for the wait.
 */
export function afterClose(code: number, attempt: number, random: () => number): AfterClose {
  if (code >= 4000 && code < 4100) {
    return retry(random() * SOON_MS);
  }
  if (code >= 4100 && code < 4200) {
    const spread = Math.min(LATER_CAP_MS, LATER_FLOOR_MS * 2 ** Math.min(attempt, 16));
    return { ...retry(LATER_FLOOR_MS + random() * spread), patient: true };
  }
  if (code === TOKEN_EXPIRED) {
    // The first renewal is at once; a server that refuses the new token too is
    // not asked in a tight loop.
    const delayMs = attempt === 0 ? 0 : lostDelayMs(attempt, random);
    return { ...retry(delayMs), renewToken: true };
  }
  if (code >= 4200 && code < 4300) {
    return { action: "stop", reason: stopReason(code) };
  }
  return retry(lostDelayMs(attempt, random));
}

function retry(delayMs: number): Extract<AfterClose, { action: "retry" }> {
  return { action: "retry", delayMs, renewToken: false, patient: false };
}

function stopReason(code: number): StopReason {
  if (code === 4200) return "token-refused";
  return code === SIGNED_OUT ? "signed-out" : "protocol";
}
