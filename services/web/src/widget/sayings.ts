// What the visitor is told of the conversation: what happened in it, and how long it
// will take. Pure.

import {
  type ClosedReason,
  durationMs,
  type Event,
  type QueuePush,
  timestampMs,
} from "../protocol";
import { moment, stars } from "../ui/format";
import { fill, type Texts } from "./texts";

/** The form below says why. */
const UNSERVED: readonly ClosedReason[] = [
  "CLOSED_REASON_OUT_OF_HOURS",
  "CLOSED_REASON_QUEUE_FULL",
  "CLOSED_REASON_WAITED_TOO_LONG",
];

/** What an event says to the visitor; undefined when nothing. */
export function noticeText(event: Event, texts: Texts): string | undefined {
  const nameOf = (one: { name?: string } | undefined) => ({ name: one?.name || texts.anAgent });
  if (event.assigned) return fill(texts.joined, nameOf(event.assigned.agent));
  if (event.joined) return fill(texts.joined, nameOf(event.joined.agent));
  if (event.left) return fill(texts.guestLeft, nameOf(event.left.agent));
  if (event.released) {
    // Whoever takes it over is there in the same moment.
    const replaced = event.released.reason === "RELEASED_REASON_TAKEN_OVER";
    return fill(replaced ? texts.guestLeft : texts.left, nameOf(event.released.agent));
  }
  if (event.reopened) return texts.reopened;
  if (event.rated) return `${stars(event.rated.score ?? 0)} ${texts.rateThanks}`;
  if (event.contactLeft) {
    const { email, phone } = event.contactLeft;
    return fill(texts.contactThanks, { address: email || phone || "" });
  }
  return event.closed ? endText(event, texts) : undefined;
}

function endText(event: Event, texts: Texts): string | undefined {
  const reason = event.closed?.reason;
  if (reason === "CLOSED_REASON_BY_VISITOR") return texts.endedByYou;
  if (reason === "CLOSED_REASON_VISITOR_LOST") return texts.endedWhileAway;
  if (reason === "CLOSED_REASON_BY_AGENT") {
    return fill(texts.endedByAgent, { name: event.by?.name || texts.anAgent });
  }
  return reason && UNSERVED.includes(reason) ? undefined : texts.endedBySystem;
}

/** How long it will take, as far as anybody can tell. */
export function placeText(
  place: QueuePush | undefined,
  texts: Texts,
  language: string,
  now = Date.now(),
): string {
  const opensAt = timestampMs(place?.opensAt, -1);
  if (opensAt > now) return fill(texts.backAt, { when: moment(opensAt, language, now) });
  if (place && !place.agentsOnline) return texts.nobodyHere;
  const wait = durationMs(place?.estimatedWait, -1);
  return wait < 0 ? texts.connectingYou : waitText(wait, place?.estimatedWaitUpper, texts);
}

function waitText(wait: number, upper: string | undefined, texts: Texts): string {
  const minutes = Math.round(wait / 60_000);
  const to = Math.round(durationMs(upper, wait) / 60_000);
  if (to > minutes) return fill(texts.waitRange, { from: Math.max(1, minutes), to });
  return minutes < 1 ? texts.waitUnderMinute : fill(texts.waitMinutes, { minutes });
}
