// The messages, and what is to be known between and below them.

import {
  type ClosedReason,
  durationMs,
  type Event,
  type QueuePush,
  timestampMs,
} from "../protocol";
import { AttachmentView } from "../ui/attachment";
import { useFollowEnd } from "../ui/follow-end";
import { clock, day, moment } from "../ui/format";
import { AlertIcon, CheckIcon, ChecksIcon, ClockIcon } from "../ui/icons";
import { RichText } from "../ui/rich-text";
import type { Line, Mark, MessageLine } from "../ui/thread";
import type { Chat } from "./chat";
import { fill, type Texts } from "./texts";

interface Props {
  chat: Chat;
  texts: Texts;
  language: string;
}

export function Conversation({ chat, texts, language }: Props) {
  const { view, onScroll } = useFollowEnd();
  const waiting = chat.phase === "PHASE_WAITING" || chat.phase === "PHASE_OFFERED" || !chat.phase;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has no mouse scrolls it by keys.
    <div ref={view} class="log-view" onScroll={onScroll} tabIndex={0}>
      <div class="log" role="log" aria-live="polite" aria-label={texts.messages}>
        {chat.lines.map((line) => (
          <LineView key={line.key} line={line} chat={chat} texts={texts} language={language} />
        ))}
      </div>
      {waiting && <Place chat={chat} texts={texts} language={language} />}
      {chat.agentTyping && (
        <p class="typing" role="status">
          <span class="dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          <span class="hidden">{fill(texts.isTyping, { name: agentName(chat, texts) })}</span>
        </p>
      )}
    </div>
  );
}

function agentName(chat: Chat, texts: Texts): string {
  return chat.agent?.name || texts.anAgent;
}

function LineView({ line, chat, texts, language }: Props & { line: Line }) {
  if (line.kind === "day") return <p class="day">{day(line.at, language)}</p>;
  if (line.kind === "notice") {
    const text = noticeText(line.event, texts);
    return text ? <p class="notice">{text}</p> : null;
  }
  return <Bubble line={line} chat={chat} texts={texts} language={language} />;
}

function Bubble({ line, chat, texts, language }: Props & { line: MessageLine }) {
  const name = line.ours ? texts.you : line.by.name || texts.anAgent;
  return (
    <div class="line" data-ours={line.ours} data-first={line.first} data-last={line.last}>
      <div class="bubble" data-mark={line.mark}>
        <span class="hidden">{name}: </span>
        {line.text && <RichText text={line.text} />}
        {line.attachments.map((attachment) => (
          <AttachmentView
            key={attachment.id}
            attachment={attachment}
            language={language}
            label={fill(texts.downloadFile, { name: attachment.name ?? "" })}
            fetchBytes={chat.fetchBytes}
          />
        ))}
      </div>
      {(line.last || line.mark === "failed" || line.mark === "waiting") && (
        <p class="meta">
          {line.mark === "failed" && line.entryId !== undefined ? (
            <Failed entryId={line.entryId} chat={chat} texts={texts} />
          ) : (
            <time dateTime={new Date(line.at).toISOString()}>{clock(line.at, language)}</time>
          )}
          {line.mark && <MarkView mark={line.mark} texts={texts} />}
        </p>
      )}
    </div>
  );
}

function Failed({ entryId, chat, texts }: { entryId: string; chat: Chat; texts: Texts }) {
  return (
    <>
      <span class="failed">{texts.markFailed}</span>
      <button type="button" class="link" onClick={() => chat.retry(entryId)}>
        {texts.retry}
      </button>
      <button type="button" class="link" onClick={() => chat.discard(entryId)}>
        {texts.discard}
      </button>
    </>
  );
}

const MARKS = {
  waiting: { Icon: ClockIcon, text: "markWaiting" },
  sent: { Icon: CheckIcon, text: "markSent" },
  read: { Icon: ChecksIcon, text: "markRead" },
  failed: { Icon: AlertIcon, text: "markFailed" },
} as const;

function MarkView({ mark, texts }: { mark: Mark; texts: Texts }) {
  const { Icon, text } = MARKS[mark];
  return (
    <span class="mark" data-mark={mark} title={texts[text]}>
      <Icon />
      <span class="hidden">{texts[text]}</span>
    </span>
  );
}

const UNSERVED: readonly ClosedReason[] = [
  "CLOSED_REASON_OUT_OF_HOURS",
  "CLOSED_REASON_QUEUE_FULL",
  "CLOSED_REASON_WAITED_TOO_LONG",
];

function noticeText(event: Event, texts: Texts): string | undefined {
  if (event.assigned) {
    return fill(texts.joined, { name: event.assigned.agent?.name || texts.anAgent });
  }
  if (event.released) {
    return fill(texts.left, { name: event.released.agent?.name || texts.anAgent });
  }
  if (event.reopened) return texts.reopened;
  if (event.rated) return `${"★".repeat(event.rated.score ?? 0)} ${texts.rateThanks}`;
  if (event.contactLeft) {
    const { email, phone } = event.contactLeft;
    return fill(texts.contactThanks, { address: email || phone || "" });
  }
  if (event.closed?.reason === "CLOSED_REASON_BY_VISITOR") return texts.endedByYou;
  if (event.closed?.reason === "CLOSED_REASON_BY_AGENT") {
    return fill(texts.endedByAgent, { name: event.by?.name || texts.anAgent });
  }
  // The form below says why.
  if (event.closed?.reason && UNSERVED.includes(event.closed.reason)) return undefined;
  return event.closed ? texts.endedBySystem : undefined;
}

function Place({ chat, texts, language }: Props) {
  const { place } = chat;
  return (
    <div class="place" role="status">
      <span class="pulse" aria-hidden="true" />
      <div>
        <strong>{placeTitle(place, texts)}</strong>
        <p>{chat.contact ? texts.contactKept : placeText(place, texts, language)}</p>
      </div>
    </div>
  );
}

function placeTitle(place: QueuePush | undefined, texts: Texts): string {
  const position = place?.position ?? 0;
  if (position === 0) return texts.waitingTitle;
  return position === 1 ? texts.nextInLine : fill(texts.placeInLine, { position });
}

function placeText(place: QueuePush | undefined, texts: Texts, language: string): string {
  const opensAt = timestampMs(place?.opensAt, -1);
  if (opensAt > Date.now()) return fill(texts.backAt, { when: moment(opensAt, language) });
  if (place && !place.agentsOnline) return texts.nobodyHere;
  const wait = durationMs(place?.estimatedWait, -1);
  if (wait < 0) return texts.connectingYou;
  const minutes = Math.round(wait / 60_000);
  return minutes < 1 ? texts.waitUnderMinute : fill(texts.waitMinutes, { minutes });
}
