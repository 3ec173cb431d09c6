// The agent's files: uploads, downloads, transcripts.

import {
  type Attachment,
  downloadAttachment,
  downloadTranscript,
  uploadAttachment,
} from "../protocol";
import type { AgentSession } from "./session";

export class AgentFiles {
  readonly #session: AgentSession;

  constructor(session: AgentSession) {
    this.#session = session;
  }

  async upload(conversationId: string, file: File): Promise<Attachment> {
    const token = await this.#session.current();
    return uploadAttachment(this.#session.origin, token, conversationId, file);
  }

  async transcript(conversationId: string, format: "json" | "text"): Promise<Blob> {
    const token = await this.#session.current();
    return downloadTranscript(this.#session.origin, token, conversationId, format);
  }

  readonly fetchBytes = async (attachmentId: string): Promise<Blob> =>
    downloadAttachment(this.#session.origin, await this.#session.current(), attachmentId);
}
