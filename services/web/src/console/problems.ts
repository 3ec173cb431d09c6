// What the agent is told when a request fails.

import { ConnectionLost, RequestError } from "../protocol";

export function problemText(error: unknown): string {
  if (error instanceof ConnectionLost) return "Not connected. Please try again in a moment.";
  const code = error instanceof RequestError ? error.code : undefined;
  if (code === "ERROR_CODE_FAILED_PRECONDITION") return "That is no longer possible.";
  if (code === "ERROR_CODE_NOT_FOUND") return "That no longer exists.";
  if (code === "ERROR_CODE_RATE_LIMITED") return "Too fast. Please try again in a moment.";
  if (code === "ERROR_CODE_PERMISSION_DENIED") return "You may not do that.";
  return "That did not work. Please try again.";
}
