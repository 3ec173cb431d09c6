// Signing in by way of a provider: which there is, and the token after the way there and
// back. The gateway says in one word of the address's fragment how it went; the token
// comes in the answer to a request that only this page can make.

import { flag, HttpError, message, readAnswer, type Token, text, tokenShape } from "../protocol";
import { webAddress } from "../ui/links";

/** How one can sign in. */
export interface SignInMethods {
  password: boolean;
  oidc: Provider | null;
}

interface Provider {
  label: string;
  /** A web address. */
  start: string;
}

const CALL_TIMEOUT_MS = 15_000;
const FRAGMENT = /^#sign-in=([a-z-]+)$/;
/** What holds for a gateway that does not say. */
const PASSWORD_ONLY: SignInMethods = { password: true, oidc: null };

const provider = message<Provider>(
  { label: text, start: (value) => webAddress(text(value) ?? "") },
  "label",
  "start",
);
const methods = message<{ password?: boolean; oidc?: Provider }>({
  password: flag,
  oidc: provider,
});

const PROBLEMS: Record<string, string> = {
  unavailable: "The sign-in service does not answer. Please try again in a moment.",
  busy: "Very many are signing in just now. Please try again in a moment.",
  expired: "That sign-in was not begun here, took too long, or is over. Please try again.",
  denied: "The sign-in service did not let you in.",
  refused: "The sign-in service's answer could not be trusted. Please tell your administrator.",
  unverified: "Your e-mail address is not verified there. Please verify it and try again.",
  "not-allowed": "Your account there may not sign in here. Please ask your administrator.",
  "no-account": "You have no account here yet. Please ask your administrator.",
  disabled: "Your account here is disabled.",
};
const UNKNOWN = "Signing in did not work. Please try again.";

async function call(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, signal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
  } catch {
    throw new HttpError(0);
  }
  if (!response.ok) throw new HttpError(response.status);
  return response;
}

/** How one can sign in here. */
export async function signInMethods(): Promise<SignInMethods> {
  try {
    const response = await call("/auth/methods", { credentials: "omit" });
    const { password, oidc = null } = await readAnswer(response, methods);
    // There is always some way in, if only to be told that it is closed.
    return { password: password !== false || !oidc, oidc };
  } catch {
    return PASSWORD_ONLY;
  }
}

/** Where the provider's sign-in begins. */
export function startAddress(start: string, page: string, site: string | null): string {
  const url = new URL(start);
  url.searchParams.set("page", page);
  if (site) url.searchParams.set("site", site);
  return url.href;
}

/** The token of whoever has just come back. Rejects with `HttpError`. */
export async function redeemPass(): Promise<Token> {
  const init: RequestInit = { method: "POST", credentials: "same-origin" };
  return readAnswer(await call("/auth/oidc/token", init), tokenShape);
}

/** How a sign-in went that has just ended, and nothing of it in the address any more. */
export function takeOutcome(): string | undefined {
  const word = FRAGMENT.exec(location.hash)?.[1];
  if (word) history.replaceState(null, "", location.pathname + location.search);
  return word;
}

/** What somebody is told for a word. */
export function outcomeText(word: string): string {
  // The word is anybody's who writes an address: "constructor" is one, too.
  return (Object.hasOwn(PROBLEMS, word) && PROBLEMS[word]) || UNKNOWN;
}
