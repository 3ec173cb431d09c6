// The HTTP calls beside the live connection: tokens, files, transcripts.

import { attachment, MOST_OF_AN_ANSWER, token as tokenShape } from "./frame-shape";
import type { Attachment, Token } from "./messages";
import { readJsonText, type Shape } from "./shape";

/** A refused or failed call. `status` is 0 when no answer came that could be read. */
export class HttpError extends Error {
  readonly status: number;
  /** Milliseconds from `Retry-After`; 0 when there was none. */
  readonly retryAfterMs: number;

  constructor(status: number, retryAfterMs = 0) {
    super(status === 0 ? "no answer" : `HTTP status ${status}`);
    this.name = "HttpError";
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether the same call may succeed later. */
  get retryable(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

const CALL_TIMEOUT_MS = 15_000;
/** A large file over a slow mobile line. */
const FILE_TIMEOUT_MS = 300_000;

async function call(
  url: string,
  init: RequestInit,
  timeoutMs = CALL_TIMEOUT_MS,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, {
      ...init,
      credentials: "omit",
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch {
    throw new HttpError(0);
  }
  if (!response.ok) {
    const seconds = Number(response.headers.get("Retry-After"));
    const known = Number.isFinite(seconds) && seconds > 0;
    throw new HttpError(response.status, known ? seconds * 1000 : 0);
  }
  return response;
}

/**
 * What an answer says. Rejects with `HttpError` when it breaks off or is something else,
 * as where a network asks to be signed in to first.
 */
export async function readAnswer<T>(response: Response, shape: Shape<T>): Promise<T> {
  let answer: T | undefined;
  try {
    answer = readJsonText(await response.text(), shape, MOST_OF_AN_ANSWER);
  } catch {
    throw new HttpError(0);
  }
  if (answer === undefined) throw new HttpError(0);
  return answer;
}

async function postForToken(url: string, body: unknown): Promise<Token> {
  const response = await call(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return readAnswer(response, tokenShape);
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/** A token for an anonymous visitor; with `previousToken` for the same one. */
export function visitorToken(
  origin: string,
  siteKey: string,
  previousToken?: string,
): Promise<Token> {
  return postForToken(`${origin}/v1/visitor/token`, { siteKey, previousToken });
}

/** A token for an agent or supervisor. */
export function signIn(
  origin: string,
  site: string,
  email: string,
  password: string,
): Promise<Token> {
  return postForToken(`${origin}/v1/agent/sign-in`, { site, email, password });
}

/** Uploads a file for a message of this conversation. 413 and 415 are final. */
export async function uploadAttachment(
  origin: string,
  token: string,
  conversationId: string,
  file: File,
): Promise<Attachment> {
  const response = await call(
    `${origin}/v1/conversations/${encodeURIComponent(conversationId)}/attachments`,
    {
      method: "POST",
      headers: {
        ...bearer(token),
        "Content-Type": file.type || "application/octet-stream",
        "X-File-Name": encodeURIComponent(file.name),
      },
      body: file,
    },
    FILE_TIMEOUT_MS,
  );
  return readAnswer(response, attachment);
}

/** The bytes of an attachment. */
export async function downloadAttachment(
  origin: string,
  token: string,
  attachmentId: string,
): Promise<Blob> {
  const url = `${origin}/v1/attachments/${encodeURIComponent(attachmentId)}`;
  return (await call(url, { headers: bearer(token) }, FILE_TIMEOUT_MS)).blob();
}

/** A conversation's transcript. */
export async function downloadTranscript(
  origin: string,
  token: string,
  conversationId: string,
  format: "json" | "text",
): Promise<Blob> {
  const id = encodeURIComponent(conversationId);
  const url = `${origin}/v1/conversations/${id}/transcript?format=${format}`;
  return (await call(url, { headers: bearer(token) }, FILE_TIMEOUT_MS)).blob();
}

/** The live connection's address on the same host. */
export function liveUrl(origin: string): string {
  return `${origin.replace(/^http/, "ws")}/v1/ws`;
}
