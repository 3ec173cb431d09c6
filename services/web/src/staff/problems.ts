// What the staff are told when a request fails.

import { type ClientRequests, ConnectionLost, type ErrorCode, RequestError } from "../protocol";

type Verb = keyof ClientRequests;

/** Where more can be said than the code alone says. */
const SPECIFIC: Partial<Record<Verb, Partial<Record<ErrorCode, string>>>> = {
  invite: {
    ERROR_CODE_FAILED_PRECONDITION: "The chat has ended, or your colleague is no longer here.",
  },
  join: {
    ERROR_CODE_FAILED_PRECONDITION: "The chat has ended, or has as many guests as it may.",
    ERROR_CODE_NOT_FOUND: "The chat is no longer open to you.",
  },
  takeOver: {
    ERROR_CODE_FAILED_PRECONDITION: "To take it over, be online with a free slot.",
  },
  forceRelease: { ERROR_CODE_FAILED_PRECONDITION: "No agent has it any more." },
  setPriority: { ERROR_CODE_FAILED_PRECONDITION: "It no longer waits." },
  transfer: {
    ERROR_CODE_FAILED_PRECONDITION:
      "The chat is no longer yours, or nobody of its queue who is here has these skills.",
    ERROR_CODE_INVALID_ARGUMENT: "It cannot go there.",
  },
};

export function problemText(error: unknown, verb?: Verb): string {
  if (error instanceof ConnectionLost) return "Not connected. Please try again in a moment.";
  const code = error instanceof RequestError ? error.code : "ERROR_CODE_UNSPECIFIED";
  if (code === "ERROR_CODE_UNSPECIFIED") return "That did not work. Please try again.";
  const specific = verb && SPECIFIC[verb]?.[code];
  if (specific) return specific;
  if (code === "ERROR_CODE_FAILED_PRECONDITION") return "That is no longer possible.";
  if (code === "ERROR_CODE_NOT_FOUND") return "That no longer exists.";
  if (code === "ERROR_CODE_RATE_LIMITED") return "Too fast. Please try again in a moment.";
  if (code === "ERROR_CODE_PERMISSION_DENIED") return "You may not do that.";
  if (code === "ERROR_CODE_UNIMPLEMENTED") return "This server cannot do that yet.";
  return "That did not work. Please try again.";
}
