// What composers have in common: choosing files, and the files that are to be sent.

import { useRef } from "preact/hooks";
import { ClipIcon, CloseIcon, FileIcon } from "./icons";
import type { Upload, Uploads } from "./uploads";

interface PickerProps {
  label: string;
  take(files: FileList | null): void;
}

export function FilePicker({ label, take }: PickerProps) {
  const picker = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        class="tool"
        aria-label={label}
        title={label}
        onClick={() => picker.current?.click()}
      >
        <ClipIcon />
      </button>
      <input
        ref={picker}
        type="file"
        multiple
        hidden
        aria-label={label}
        onChange={(event) => {
          take(event.currentTarget.files);
          event.currentTarget.value = "";
        }}
      />
    </>
  );
}

/** What is said of files that are to be sent. */
export interface UploadWords {
  remove(name: string): string;
  problems: Record<NonNullable<Upload["problem"]>, string>;
  /** For screen readers, while it is under way. */
  uploading?: string;
}

export function UploadList({ uploads, words }: { uploads: Uploads; words: UploadWords }) {
  if (uploads.list.length === 0) return null;
  return (
    <ul class="uploads">
      {uploads.list.map((upload) => (
        <UploadView
          key={upload.id}
          upload={upload}
          words={words}
          remove={() => uploads.remove(upload.id)}
        />
      ))}
    </ul>
  );
}

interface UploadProps {
  upload: Upload;
  words: UploadWords;
  remove(): void;
}

function UploadView({ upload, words, remove }: UploadProps) {
  const { name, state, problem } = upload;
  return (
    <li class="upload" data-state={state}>
      {state === "uploading" ? <span class="spinner" /> : <FileIcon />}
      <span class="file-name">{name}</span>
      {words.uploading && (
        <span class="hidden" role="status">
          {state === "uploading" && words.uploading}
        </span>
      )}
      {problem && (
        <span class="problem" role="alert">
          {words.problems[problem]}
        </span>
      )}
      <button type="button" class="tool" aria-label={words.remove(name)} onClick={remove}>
        <CloseIcon />
      </button>
    </li>
  );
}
