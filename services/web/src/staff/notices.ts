// What happened in a conversation, in words for the staff. Pure.

import type {
  AlarmKind,
  ClosedReason,
  Event,
  OfferOutcome,
  Queued,
  QueuedReason,
  Released,
  Transferred,
} from "../protocol";
import { stars, starsLacking } from "../ui/format";

const QUEUED_TEXTS: Record<QueuedReason, string> = {
  QUEUED_REASON_STARTED: "Waits in",
  QUEUED_REASON_REOPENED: "Back in",
  QUEUED_REASON_TRANSFERRED: "Handed to",
  QUEUED_REASON_AGENT_LOST: "The agent went away; back in",
  QUEUED_REASON_OUT_OF_HOURS: "Out of hours; on to",
  QUEUED_REASON_QUEUE_FULL: "The queue was full; on to",
  QUEUED_REASON_WAITED_TOO_LONG: "Waited too long; on to",
  QUEUED_REASON_CONTACT_LEFT: "Left word; waits in",
  QUEUED_REASON_RELEASED: "Put back into",
  QUEUED_REASON_TRANSFER_RETURNED: "Nobody took it; back in",
  QUEUED_REASON_ALARM: "Moved by an alarm to",
};

const CLOSED_TEXTS: Partial<Record<ClosedReason, string>> = {
  CLOSED_REASON_BY_VISITOR: "The visitor ended the chat",
  CLOSED_REASON_OUT_OF_HOURS: "Ended: out of hours",
  CLOSED_REASON_QUEUE_FULL: "Ended: the queue was full",
  CLOSED_REASON_WAITED_TOO_LONG: "Ended: waited too long",
  CLOSED_REASON_VISITOR_LOST: "Ended: the visitor was gone",
  CLOSED_REASON_ERASED: "Ended: what was said is erased",
};

const OUTCOME_TEXTS: Record<OfferOutcome, string> = {
  OFFER_OUTCOME_DECLINED: "declined",
  OFFER_OUTCOME_EXPIRED: "did not answer",
  OFFER_OUTCOME_WITHDRAWN: "could not be asked",
};

/** An alarm in a word or two, for badges. */
const ALARM_NAMES: Record<AlarmKind, string> = {
  ALARM_KIND_LATE: "Late",
  ALARM_KIND_LONG_WAIT: "Long wait",
  ALARM_KIND_UNANSWERED: "Unanswered",
  ALARM_KIND_ABANDONED: "Abandoned",
  ALARM_KIND_VISITOR_LOST: "Visitor gone",
};

/** An alarm in a sentence. */
const ALARM_TEXTS: Record<AlarmKind, string> = {
  ALARM_KIND_LATE: "Late: the visitor has waited longer than was promised",
  ALARM_KIND_LONG_WAIT: "The visitor has waited for long",
  ALARM_KIND_UNANSWERED: "The visitor's message has no answer yet",
  ALARM_KIND_ABANDONED: "The visitor left before anybody answered",
  ALARM_KIND_VISITOR_LOST: "The visitor is no longer connected",
};

/** An alarm in a word or two, also one that a newer server raises. */
export function alarmName(kind: AlarmKind): string {
  return ALARM_NAMES[kind] ?? "Alarm";
}

/** An alarm in a sentence, also one that a newer server raises. */
export function alarmText(kind: AlarmKind): string {
  return ALARM_TEXTS[kind] ?? "An alarm";
}

/** "tax 3, german 1". */
export function skillsText(skills: Record<string, number>): string {
  return Object.entries(skills)
    .map(([name, level]) => `${name} ${level}`)
    .join(", ");
}

/** "+10 min" or "−5 min". */
export function minutesText(minutes: number): string {
  return `${minutes < 0 ? "−" : "+"}${Math.abs(minutes)} min`;
}

/** An event without a text, in words. */
export function noticeText(event: Event): string {
  return (
    lifeText(event) ?? careText(event) ?? teamText(event) ?? wordText(event) ?? "Something happened"
  );
}

/** How it began, ended, and was rated. */
function lifeText(event: Event): string | undefined {
  if (event.started) return `${event.by?.name || "The visitor"} started the chat`;
  if (event.closed) {
    const text = event.closed.reason && CLOSED_TEXTS[event.closed.reason];
    return text ?? `${event.by?.name || "The agent"} ended the chat`;
  }
  if (event.erased) return "What was said is erased";
  if (event.reopened) return "The visitor took the chat up again";
  if (event.rated) {
    const { score = 0, comment } = event.rated;
    const said = comment ? ` “${comment}”` : "";
    return `Rated ${stars(score)}${starsLacking(score)}${said}`;
  }
  return undefined;
}

/** Who has it, and who was asked to. */
function careText(event: Event): string | undefined {
  if (event.queued) return queuedText(event.queued);
  if (event.assigned) return `${event.assigned.agent?.name || "An agent"} took the chat`;
  if (event.released) return releasedText(event.released, event.by?.name);
  if (event.offerEnded) {
    const { agent, outcome, reason } = event.offerEnded;
    const what = (outcome && OUTCOME_TEXTS[outcome]) ?? "did not take it";
    return `${agent?.name || "An agent"} ${what}${reason ? ` (${reason})` : ""}`;
  }
  if (event.transferred) return transferredText(event.transferred);
  if (event.transferReturned) {
    const to = event.transferReturned.toAgent?.name;
    return `Nobody took it: ${to ? `it goes back to ${to}` : "it goes back"}`;
  }
  return undefined;
}

function queuedText({ queue, reason }: Queued): string {
  return `${(reason && QUEUED_TEXTS[reason]) ?? "Waits in"} ${queue ?? "the queue"}`;
}

function releasedText({ agent, reason }: Released, by: string | undefined): string {
  const name = agent?.name || "the agent";
  const boss = by || "A supervisor";
  if (reason === "RELEASED_REASON_TAKEN_OVER") return `${boss} took it over from ${name}`;
  if (reason === "RELEASED_REASON_FORCED") return `${boss} took it from ${name}`;
  return `${agent?.name || "The agent"} left`;
}

function transferredText({ toAgent, toQueue, toSkills, note, warm }: Transferred): string {
  const skills = toSkills && Object.keys(toSkills).length > 0 ? skillsText(toSkills) : undefined;
  const bySkill = skills && `whoever has ${skills}`;
  const goal = toAgent?.name || bySkill || toQueue || "someone else";
  const how = warm ? ", who is introduced" : "";
  return `Handed to ${goal}${how}${note ? `: ${note}` : ""}`;
}

/** Who else takes part, and what is done about it. */
function teamText(event: Event): string | undefined {
  const by = event.by?.name || "A colleague";
  if (event.invited) {
    const { agent, note } = event.invited;
    return `${by} asked ${agent?.name || "a colleague"} to join${note ? `: ${note}` : ""}`;
  }
  if (event.joined) return `${event.joined.agent?.name || "A colleague"} joined`;
  if (event.left) {
    const name = event.left.agent?.name || "A colleague";
    return event.left.byOther ? `${by} let ${name} go` : `${name} left`;
  }
  if (event.priorityChanged) {
    const { extraMinutes = 0 } = event.priorityChanged;
    return extraMinutes === 0 ? "Priority as usual" : `Priority ${minutesText(extraMinutes)}`;
  }
  if (event.alarmRaised?.kind) return alarmText(event.alarmRaised.kind);
  return undefined;
}

/** Tags, and where the visitor may be reached. */
function wordText(event: Event): string | undefined {
  if (event.tagsChanged) return `Tags: ${event.tagsChanged.tags?.join(", ") || "none"}`;
  if (event.contactAsked) return "The visitor was asked where to be reached";
  if (event.contactLeft) {
    const { email, phone, text } = event.contactLeft;
    const given = [email, phone, text && `“${text}”`].filter(Boolean);
    return `The visitor may be reached: ${given.join(", ")}`;
  }
  return undefined;
}
