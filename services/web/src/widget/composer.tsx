// Where the visitor writes: Enter sends, Shift+Enter breaks the line; files come
// by button, by pasting or by dropping them.

import { useState } from "preact/hooks";
import { FilePicker, UploadList, type UploadWords } from "../ui/composing";
import { SendIcon } from "../ui/icons";
import type { Chat } from "./chat";
import { fill, type Texts } from "./texts";

interface Props {
  chat: Chat;
  texts: Texts;
}

export function Composer({ chat, texts }: Props) {
  const [text, setText] = useState(chat.draft);
  const [dropping, setDropping] = useState(false);
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
      <UploadList uploads={uploads} words={fileWords(texts)} />
      <div class="row">
        <FilePicker label={texts.attach} take={take} />
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

function fileWords(texts: Texts): UploadWords {
  return {
    uploading: texts.uploading,
    remove: (name) => fill(texts.removeFile, { name }),
    problems: {
      "too-large": texts.fileTooLarge,
      kind: texts.fileKind,
      failed: texts.fileFailed,
    },
  };
}
