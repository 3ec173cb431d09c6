// The two ways a request fails.

import type { ErrorCode, ServerError } from "./messages";
import { durationMs } from "./times";

/** The server answered with an error. */
export class RequestError extends Error {
  readonly code: ErrorCode | "ERROR_CODE_UNSPECIFIED";
  readonly retryable: boolean;
  /** Milliseconds to wait before a retry; 0 when the server named none. */
  readonly retryAfterMs: number;

  constructor(error: ServerError) {
    super(error.message ?? error.code ?? "the request failed");
    this.name = "RequestError";
    this.code = error.code ?? "ERROR_CODE_UNSPECIFIED";
    this.retryable = error.retryable ?? false;
    this.retryAfterMs = durationMs(error.retryAfter, 0);
  }
}

/** The connection ended before the answer; whether the request was done is not known. */
export class ConnectionLost extends Error {
  constructor(message = "the connection ended before the answer") {
    super(message);
    this.name = "ConnectionLost";
  }
}
