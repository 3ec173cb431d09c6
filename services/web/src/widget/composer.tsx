// Where the visitor writes: Enter sends, Shift+Enter breaks the line; files come
// by button, by pasting or by dropping them.

import { useRef, useState } from "preact/hooks";
import { ClipIcon, CloseIcon, FileIcon, SendIcon } from "../ui/icons";
import type { Upload } from "../ui/uploads";
import type { Chat } from "./chat";
import { fill, type Texts } from "./texts";

interface Props {
  chat: Chat;
  texts: Texts;
}

export function Composer({ chat, texts }: Props) {
  const [text, setText] = useState(chat.draft);
  const [dropping, setDropping] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  const { uploads } = chat;
  const ready = !uploads.busy && (text.trim() !== "" || uploads.done.length > 0);

  const send = () => {
    if (!ready) return;
    chat.send(text.trim());
    setText("");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // Enter also chooses a word in an input method; that one is not ours.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  const take = (files: FileList | undefined | null) => uploads.add(files ?? []);

  return (
    <form
      class="composer"
      data-dropping={dropping}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      onDragOver={(event) => {
        event.preventDefault();
        setDropping(true);
      }}
      onDragLeave={() => setDropping(false)}
      onDrop={(event) => {
        event.preventDefault();
        setDropping(false);
        take(event.dataTransfer?.files);
      }}
    >
      {uploads.list.length > 0 && (
        <ul class="uploads">
          {uploads.list.map((upload) => (
            <UploadView
              key={upload.id}
              upload={upload}
              texts={texts}
              remove={() => uploads.remove(upload.id)}
            />
          ))}
        </ul>
      )}
      <div class="row">
        <button
          type="button"
          class="tool"
          aria-label={texts.attach}
          title={texts.attach}
          onClick={() => picker.current?.click()}
        >
          <ClipIcon />
        </button>
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          aria-label={texts.attach}
          onChange={(event) => {
            take(event.currentTarget.files);
            event.currentTarget.value = "";
          }}
        />
        <textarea
          rows={1}
          maxLength={8000}
          data-autofocus
          aria-label={texts.writeMessage}
          placeholder={dropping ? texts.dropFiles : texts.writeMessage}
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
            chat.typed(event.currentTarget.value);
          }}
          onKeyDown={onKeyDown}
          onPaste={(event) => take(event.clipboardData?.files)}
        />
        <button
          type="submit"
          class="send"
          disabled={!ready}
          aria-label={texts.send}
          title={texts.send}
        >
          <SendIcon />
        </button>
      </div>
    </form>
  );
}

interface UploadProps {
  upload: Upload;
  texts: Texts;
  remove(): void;
}

function UploadView({ upload, texts, remove }: UploadProps) {
  return (
    <li class="upload" data-state={upload.state}>
      {upload.state === "uploading" ? <span class="spinner" /> : <FileIcon />}
      <span class="file-name">{upload.name}</span>
      <span class="hidden" role="status">
        {upload.state === "uploading" && texts.uploading}
      </span>
      {upload.problem && (
        <span class="problem" role="alert">
          {problemText(upload.problem, texts)}
        </span>
      )}
      <button
        type="button"
        class="tool"
        aria-label={fill(texts.removeFile, { name: upload.name })}
        onClick={remove}
      >
        <CloseIcon />
      </button>
    </li>
  );
}

function problemText(problem: NonNullable<Upload["problem"]>, texts: Texts): string {
  if (problem === "too-large") return texts.fileTooLarge;
  return problem === "kind" ? texts.fileKind : texts.fileFailed;
}
