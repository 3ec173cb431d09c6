// The lines of a conversation: messages, private notes, and what happened.

import type { ClosedReason, Event } from "../protocol";
import { AttachmentView } from "../ui/attachment";
import { clock, day } from "../ui/format";
import { AlertIcon, CheckIcon, ChecksIcon, ClockIcon, LockIcon } from "../ui/icons";
import { RichText } from "../ui/rich-text";
import type { Line, Mark, MessageLine } from "../ui/thread";
import type { Desk } from "./desk";

const LANGUAGE = navigator.language || "en";

export function LineView({ line, desk }: { line: Line; desk: Desk }) {
  if (line.kind === "day") {
    return (
      <p class="day">
        <span>{day(line.at, LANGUAGE)}</span>
      </p>
    );
  }
  if (line.kind === "notice") {
    return (
      <p class="notice">
        {noticeText(line.event)} · {clock(line.at, LANGUAGE)}
      </p>
    );
  }
  return <Bubble line={line} desk={desk} />;
}

function Bubble({ line, desk }: { line: MessageLine; desk: Desk }) {
  const own = line.by.id === desk.me.id;
  const name = own ? "You" : line.by.name || (line.ours ? "Agent" : "Visitor");
  return (
    <div
      class="line"
      data-ours={line.ours}
      data-note={line.note}
      data-first={line.first}
      data-last={line.last}
    >
      <div class="bubble" data-mark={line.mark}>
        {line.note && line.first && (
          <span class="note-label">
            <LockIcon /> Private note
          </span>
        )}
        <span class="hidden">{name}: </span>
        {line.text && <RichText text={line.text} />}
        {line.attachments.map((attachment) => (
          <AttachmentView
            key={attachment.id}
            attachment={attachment}
            language={LANGUAGE}
            label={`Download ${attachment.name ?? "file"}`}
            fetchBytes={desk.files.fetchBytes}
          />
        ))}
      </div>
      {(line.last || line.mark === "failed" || line.mark === "waiting") && (
        <p class="meta">
          {line.mark === "failed" && line.entryId !== undefined ? (
            <Failed entryId={line.entryId} desk={desk} />
          ) : (
            <>
              {line.ours && !own && <span>{name}</span>}
              <time dateTime={new Date(line.at).toISOString()}>{clock(line.at, LANGUAGE)}</time>
            </>
          )}
          {line.mark && !(line.note && line.mark === "read") && <MarkView mark={line.mark} />}
        </p>
      )}
    </div>
  );
}

function Failed({ entryId, desk }: { entryId: string; desk: Desk }) {
  return (
    <>
      <span class="failed">Not sent</span>
      <button type="button" class="link" onClick={() => desk.retry(entryId)}>
        Try again
      </button>
      <button type="button" class="link" onClick={() => desk.discard(entryId)}>
        Remove
      </button>
    </>
  );
}

const MARKS = {
  waiting: { Icon: ClockIcon, text: "Not sent yet" },
  sent: { Icon: CheckIcon, text: "Sent" },
  read: { Icon: ChecksIcon, text: "Read" },
  failed: { Icon: AlertIcon, text: "Not sent" },
} as const;

function MarkView({ mark }: { mark: Mark }) {
  const { Icon, text } = MARKS[mark];
  return (
    <span class="mark" data-mark={mark} title={text}>
      <Icon />
      <span class="hidden">{text}</span>
    </span>
  );
}

const QUEUED_TEXTS = {
  QUEUED_REASON_STARTED: "Waits in",
  QUEUED_REASON_REOPENED: "Back in",
  QUEUED_REASON_TRANSFERRED: "Handed to",
  QUEUED_REASON_AGENT_LOST: "The agent went away; back in",
  QUEUED_REASON_OUT_OF_HOURS: "Out of hours; on to",
  QUEUED_REASON_QUEUE_FULL: "The queue was full; on to",
  QUEUED_REASON_WAITED_TOO_LONG: "Waited too long; on to",
  QUEUED_REASON_CONTACT_LEFT: "Left word; waits in",
} as const;

const CLOSED_TEXTS: Partial<Record<ClosedReason, string>> = {
  CLOSED_REASON_BY_VISITOR: "The visitor ended the chat",
  CLOSED_REASON_OUT_OF_HOURS: "Ended: out of hours",
  CLOSED_REASON_QUEUE_FULL: "Ended: the queue was full",
  CLOSED_REASON_WAITED_TOO_LONG: "Ended: waited too long",
};

const OUTCOME_TEXTS = {
  OFFER_OUTCOME_DECLINED: "declined",
  OFFER_OUTCOME_EXPIRED: "did not answer",
  OFFER_OUTCOME_WITHDRAWN: "could not be asked",
} as const;

function noticeText(event: Event): string {
  const by = event.by?.name || "The visitor";
  if (event.started) return `${by} started the chat`;
  if (event.queued) {
    const { queue, reason } = event.queued;
    return `${reason ? QUEUED_TEXTS[reason] : "Waits in"} ${queue ?? "the queue"}`;
  }
  if (event.assigned) return `${event.assigned.agent?.name || "An agent"} joined`;
  if (event.released) return `${event.released.agent?.name || "The agent"} left`;
  if (event.offerEnded) {
    const { agent, outcome, reason } = event.offerEnded;
    const what = outcome ? OUTCOME_TEXTS[outcome] : "did not take it";
    return `${agent?.name || "An agent"} ${what}${reason ? ` (${reason})` : ""}`;
  }
  if (event.transferred) {
    const { toAgent, toQueue, note } = event.transferred;
    const goal = toAgent?.name || toQueue || "someone else";
    return `Handed to ${goal}${note ? `: ${note}` : ""}`;
  }
  if (event.tagsChanged) return `Tags: ${event.tagsChanged.tags?.join(", ") || "none"}`;
  if (event.closed) {
    const text = event.closed.reason && CLOSED_TEXTS[event.closed.reason];
    return text ?? `${event.by?.name || "The agent"} ended the chat`;
  }
  if (event.reopened) return "The visitor took the chat up again";
  if (event.rated) {
    const { score = 0, comment } = event.rated;
    return `Rated ${"★".repeat(score)}${"☆".repeat(5 - score)}${comment ? ` “${comment}”` : ""}`;
  }
  if (event.contactAsked) return "The visitor was asked where to be reached";
  if (event.contactLeft) {
    const { email, phone, text } = event.contactLeft;
    const given = [email, phone, text && `“${text}”`].filter(Boolean);
    return `The visitor may be reached: ${given.join(", ")}`;
  }
  return "Something new happened";
}
