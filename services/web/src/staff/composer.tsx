// Where the staff write: a reply, a private note, or a supervisor's whisper; each
// looks different, so that nobody writes to the wrong people.

import { useLayoutEffect, useRef } from "preact/hooks";
import { FilePicker, UploadList, type UploadWords } from "../ui/composing";
import { LockIcon, SendIcon, WhisperIcon } from "../ui/icons";
import type { AgentChat, Mode } from "./chat";
import { MentionList, useMentions } from "./mention-list";
import type { Workplace } from "./workplace";

interface Props {
  desk: Workplace;
  chat: AgentChat;
}

interface ModeTexts {
  label: string;
  placeholder(name: string): string;
  send: string;
  hint: string;
}

const MODES: Record<Mode, ModeTexts> = {
  reply: {
    label: "Reply",
    placeholder: (name) => `Reply to ${name}…`,
    send: "Send",
    hint: "",
  },
  note: {
    label: "Private note",
    placeholder: () => "Write a note for your team; @ names a colleague…",
    send: "Add note",
    hint: "Only your team sees this",
  },
  whisper: {
    label: "Whisper",
    placeholder: () => "Whisper to the agent…",
    send: "Whisper",
    hint: "Only the agents in this chat see this",
  },
};

const FILES: UploadWords = {
  remove: (name) => `Remove ${name}`,
  problems: {
    "too-large": "too large",
    kind: "this kind of file is not accepted",
    failed: "the upload failed",
  },
};

export function Composer({ desk, chat }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const { uploads, writes } = chat;
  const texts = MODES[writes];
  const modes = chat.modes.filter((mode) => mode !== "whisper" || desk.verbs.can("whisper"));
  const mentions = useMentions(desk, chat, field);
  useLayoutEffect(() => field.current?.focus(), [writes]);
  const files = writes === "reply";
  const ready = !uploads.busy && (chat.draft.trim() !== "" || (files && uploads.done.length > 0));
  const take = (list: FileList | undefined | null) => {
    if (files) uploads.add(list ?? []);
  };
  return (
    <form
      class="composer"
      data-mode={writes}
      onSubmit={(event) => {
        event.preventDefault();
        desk.send(chat);
      }}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        take(event.dataTransfer?.files);
      }}
    >
      <fieldset class="modes" aria-label="What to write">
        {modes.map((mode) => (
          <button
            key={mode}
            type="button"
            aria-pressed={mode === writes}
            title={mode === "whisper" ? undefined : "Alt+N"}
            onClick={() => desk.setMode(chat, mode)}
          >
            {mode === "note" && <LockIcon />}
            {mode === "whisper" && <WhisperIcon />}
            {MODES[mode].label}
          </button>
        ))}
        {texts.hint && <span class="soft">{texts.hint}</span>}
      </fieldset>
      {files && <UploadList uploads={uploads} words={FILES} />}
      <MentionList mentions={mentions} />
      <textarea
        ref={field}
        rows={2}
        maxLength={8000}
        dir="auto"
        aria-label={texts.label}
        placeholder={texts.placeholder(chat.name)}
        value={chat.draft}
        {...mentions.aria}
        onInput={(event) => {
          desk.typed(chat, event.currentTarget.value);
          mentions.moved();
        }}
        onKeyUp={() => mentions.moved()}
        onBlur={() => mentions.close()}
        onKeyDown={(event) => {
          // Enter also chooses a word in an input method; that one is not ours.
          if (event.isComposing || mentions.onKeyDown(event)) return;
          if (event.key !== "Enter" || event.shiftKey) return;
          event.preventDefault();
          desk.send(chat);
        }}
        onPaste={(event) => take(event.clipboardData?.files)}
      />
      <div class="composer-row">
        {files && <FilePicker label="Attach a file" take={take} />}
        <span class="soft hint">Enter to send, Shift + Enter for a new line</span>
        <button type="submit" class="primary" disabled={!ready}>
          {texts.send} <SendIcon />
        </button>
      </div>
    </form>
  );
}
