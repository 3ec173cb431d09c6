// Files on their way into a message: each is uploaded as soon as it is chosen.

import { type Attachment, HttpError } from "../protocol";

export const MAX_FILES = 10;

export interface Upload {
  id: number;
  name: string;
  state: "uploading" | "done" | "failed";
  attachment?: Attachment;
  /** Why it failed: too large, of a kind that is not taken, or for now. */
  problem?: "too-large" | "kind" | "failed";
}

export class Uploads {
  readonly #upload: (file: File) => Promise<Attachment>;
  readonly #changed: () => void;
  #lastId = 0;
  list: Upload[] = [];

  constructor(upload: (file: File) => Promise<Attachment>, changed: () => void) {
    this.#upload = upload;
    this.#changed = changed;
  }

  get busy(): boolean {
    return this.list.some((upload) => upload.state === "uploading");
  }

  get done(): Attachment[] {
    return this.list.flatMap((upload) => upload.attachment ?? []);
  }

  add(files: Iterable<File>): void {
    for (const file of files) {
      if (this.list.length >= MAX_FILES) return;
      void this.#begin(file);
    }
  }

  remove(id: number): void {
    this.list = this.list.filter((upload) => upload.id !== id);
    this.#changed();
  }

  clear(): void {
    this.list = [];
    this.#changed();
  }

  async #begin(file: File): Promise<void> {
    this.#lastId += 1;
    const upload: Upload = { id: this.#lastId, name: file.name, state: "uploading" };
    this.list = [...this.list, upload];
    this.#changed();
    try {
      upload.attachment = await this.#upload(file);
      upload.state = "done";
    } catch (error) {
      upload.state = "failed";
      upload.problem = problemOf(error);
    }
    this.#changed();
  }
}

function problemOf(error: unknown): NonNullable<Upload["problem"]> {
  const status = error instanceof HttpError ? error.status : 0;
  if (status === 413) return "too-large";
  return status === 415 ? "kind" : "failed";
}
