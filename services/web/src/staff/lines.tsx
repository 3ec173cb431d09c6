// The lines of a conversation: messages, private notes, and what happened.

import { AttachmentView } from "../ui/attachment";
import { clock, day } from "../ui/format";
import { AlertIcon, CheckIcon, ChecksIcon, ClockIcon, LockIcon, WhisperIcon } from "../ui/icons";
import { RichText } from "../ui/rich-text";
import type { Line, Mark, MessageLine } from "../ui/thread";
import { LANGUAGE } from "./language";
import { noticeText } from "./notices";
import type { Workplace } from "./workplace";

export function LineView({ line, desk }: { line: Line; desk: Workplace }) {
  if (line.kind === "day") {
    return (
      <p class="day">
        <span>{day(line.at, LANGUAGE)}</span>
      </p>
    );
  }
  if (line.kind === "notice") {
    return (
      <p class="notice" data-alarm={line.event.alarmRaised !== undefined}>
        {noticeText(line.event)} · {clock(line.at, LANGUAGE)}
      </p>
    );
  }
  return <Bubble line={line} desk={desk} />;
}

function Bubble({ line, desk }: { line: MessageLine; desk: Workplace }) {
  const own = line.by.id === desk.me.id;
  const name = own ? "You" : writerName(line);
  return (
    <div
      class="line"
      data-ours={line.ours}
      data-tone={line.tone}
      data-first={line.first}
      data-last={line.last}
    >
      <div class="bubble" data-mark={line.mark}>
        {line.tone === "note" && line.first && (
          <span class="note-label">
            <LockIcon /> Private note
          </span>
        )}
        {line.tone === "whisper" && line.first && (
          <span class="note-label">
            <WhisperIcon /> Whisper, unseen by the visitor
          </span>
        )}
        <span class="hidden">{name}: </span>
        {line.text && <RichText text={line.text} />}
        {line.erased && <em>erased</em>}
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
          {line.mark && !(line.tone !== "said" && line.mark === "read") && (
            <MarkView mark={line.mark} />
          )}
        </p>
      )}
    </div>
  );
}

function writerName({ by, ours }: MessageLine): string {
  if (by.party === "PARTY_SYSTEM") return by.name || "Automatic message";
  return by.name || (ours ? "Agent" : "Visitor");
}

function Failed({ entryId, desk }: { entryId: string; desk: Workplace }) {
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
