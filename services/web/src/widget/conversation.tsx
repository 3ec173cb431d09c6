// The messages, and what is to be known between and below them.

import type { QueuePush } from "../protocol";
import { AttachmentView } from "../ui/attachment";
import { useFollowEnd } from "../ui/follow-end";
import { clock, day } from "../ui/format";
import { AlertIcon, CheckIcon, ChecksIcon, ClockIcon } from "../ui/icons";
import { RichText } from "../ui/rich-text";
import type { Line, Mark, MessageLine } from "../ui/thread";
import type { Chat } from "./chat";
import { noticeText, placeText } from "./sayings";
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
      {chat.typist && (
        <p class="typing" role="status">
          <span class="dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          <span class="hidden">
            {fill(texts.isTyping, { name: chat.typist.name || texts.anAgent })}
          </span>
        </p>
      )}
    </div>
  );
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
  const name = line.ours ? texts.you : writerName(line, texts);
  return (
    <div class="line" data-ours={line.ours} data-first={line.first} data-last={line.last}>
      <div class="bubble" data-mark={line.mark}>
        <span class="hidden">{name}: </span>
        {line.text && <RichText text={line.text} />}
        {line.erased && <em>{texts.erased}</em>}
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

function writerName({ by }: MessageLine, texts: Texts): string {
  return by.name || (by.party === "PARTY_SYSTEM" ? texts.automatic : texts.anAgent);
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
