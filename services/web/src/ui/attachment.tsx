// One attachment in a message: a picture, or a file to download. The bytes need
// a token, so both are fetched; a picture is shown from memory.

import { useEffect, useState } from "preact/hooks";
import type { Attachment } from "../protocol";
import { isPicture, saveBlob } from "./files";
import { fileSize } from "./format";
import { DownloadIcon, FileIcon } from "./icons";

interface Props {
  attachment: Attachment;
  language: string;
  /** The label of the button; names the file. */
  label: string;
  fetchBytes(attachmentId: string): Promise<Blob>;
}

export function AttachmentView({ attachment, language, label, fetchBytes }: Props) {
  const [failed, setFailed] = useState(false);
  const name = attachment.name || "file";
  const download = () => {
    fetchBytes(attachment.id)
      .then((blob) => saveBlob(blob, name))
      .catch(() => setFailed(true));
  };
  return (
    <div class="attachment">
      {isPicture(attachment) && (
        <Picture id={attachment.id} name={name} fetchBytes={fetchBytes} open={download} />
      )}
      <button type="button" class="file" data-failed={failed} onClick={download} aria-label={label}>
        <FileIcon />
        <span class="file-name">{name}</span>
        <span class="file-size">{fileSize(attachment.size ?? 0, language)}</span>
        <DownloadIcon />
      </button>
    </div>
  );
}

interface PictureProps {
  id: string;
  name: string;
  fetchBytes(attachmentId: string): Promise<Blob>;
  open(): void;
}

function Picture({ id, name, fetchBytes, open }: PictureProps) {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    let made: string | undefined;
    let gone = false;
    fetchBytes(id)
      .then((blob) => {
        if (gone) return;
        made = URL.createObjectURL(blob);
        setUrl(made);
      })
      // The file's button below stays, and says more when it is pressed.
      .catch(() => {});
    return () => {
      gone = true;
      if (made) URL.revokeObjectURL(made);
    };
  }, [id, fetchBytes]);
  if (!url) return null;
  return (
    <button type="button" class="picture" onClick={open}>
      <img src={url} alt={name} onError={() => setUrl(undefined)} />
    </button>
  );
}
