// Where the agent writes: a reply, or a private note that looks different.

import { useLayoutEffect, useRef } from "preact/hooks";
import { ClipIcon, CloseIcon, FileIcon, LockIcon, SendIcon } from "../ui/icons";
import type { Upload } from "../ui/uploads";
import type { AgentChat } from "./chat";
import type { Desk } from "./desk";

interface Props {
  desk: Desk;
  chat: AgentChat;
}

export function Composer({ desk, chat }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const { uploads, noteMode } = chat;
  useLayoutEffect(() => field.current?.focus(), [noteMode]);
  const ready =
    !uploads.busy && (chat.draft.trim() !== "" || (!noteMode && uploads.done.length > 0));
  const take = (files: FileList | undefined | null) => {
    if (!noteMode) uploads.add(files ?? []);
  };
  return (
    <form
      class="composer"
      data-note={noteMode}
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
        <button
          type="button"
          aria-pressed={!noteMode}
          title="Alt+N"
          onClick={() => desk.setNoteMode(chat, false)}
        >
          Reply
        </button>
        <button
          type="button"
          aria-pressed={noteMode}
          title="Alt+N"
          onClick={() => desk.setNoteMode(chat, true)}
        >
          <LockIcon /> Private note
        </button>
        {noteMode && <span class="soft">Only your team sees this</span>}
      </fieldset>
      {!noteMode && uploads.list.length > 0 && (
        <ul class="uploads">
          {uploads.list.map((upload) => (
            <UploadView key={upload.id} upload={upload} remove={() => uploads.remove(upload.id)} />
          ))}
        </ul>
      )}
      <textarea
        ref={field}
        rows={2}
        maxLength={8000}
        dir="auto"
        aria-label={noteMode ? "Private note" : "Reply"}
        placeholder={noteMode ? "Write a note for your team…" : `Reply to ${chat.name}…`}
        value={chat.draft}
        onInput={(event) => desk.typed(chat, event.currentTarget.value)}
        onKeyDown={(event) => {
          // Enter also chooses a word in an input method; that one is not ours.
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          desk.send(chat);
        }}
        onPaste={(event) => take(event.clipboardData?.files)}
      />
      <div class="composer-row">
        {!noteMode && (
          <button
            type="button"
            class="tool"
            aria-label="Attach a file"
            title="Attach a file"
            onClick={() => picker.current?.click()}
          >
            <ClipIcon />
          </button>
        )}
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          aria-label="Attach a file"
          onChange={(event) => {
            take(event.currentTarget.files);
            event.currentTarget.value = "";
          }}
        />
        <span class="soft hint">Enter to send, Shift + Enter for a new line</span>
        <button type="submit" class="primary" disabled={!ready}>
          {noteMode ? "Add note" : "Send"} <SendIcon />
        </button>
      </div>
    </form>
  );
}

const PROBLEMS = {
  "too-large": "too large",
  kind: "this kind of file is not accepted",
  failed: "the upload failed",
} as const;

function UploadView({ upload, remove }: { upload: Upload; remove(): void }) {
  return (
    <li class="upload" data-state={upload.state}>
      {upload.state === "uploading" ? <span class="spinner" /> : <FileIcon />}
      <span class="file-name">{upload.name}</span>
      {upload.problem && (
        <span class="problem" role="alert">
          {PROBLEMS[upload.problem]}
        </span>
      )}
      <button type="button" class="tool" aria-label={`Remove ${upload.name}`} onClick={remove}>
        <CloseIcon />
      </button>
    </li>
  );
}
