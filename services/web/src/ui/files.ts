// What a page does with the bytes of an attachment or a transcript.

import type { Attachment } from "../protocol";

/** The only kinds that are shown as pictures; everything else is downloaded. */
const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

export function isPicture(attachment: Attachment): boolean {
  return PICTURES.has(attachment.mediaType ?? "");
}

/** Hands the bytes to the browser as a download. */
export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download has its own hold on the bytes once it has begun.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
