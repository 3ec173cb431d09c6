// The agent's token, kept for this tab only: closing the tab signs out.

import {
  browserStorage,
  dropKey,
  HttpError,
  message,
  readJson,
  signIn,
  type TokenSource,
  text,
  tokenShape,
  writeJson,
} from "../protocol";
import { redeemPass } from "./provider";

/** What is filled in at the next sign-in; never the password. */
export interface Remembered {
  site: string;
  email: string;
}

const TOKEN_KEY = "frontdesk:console:token";
const REMEMBERED_KEY = "frontdesk:console:remembered";
const UNAUTHORIZED = 401;

const rememberedShape = message<Remembered>({ site: text, email: text }, "site", "email");

export class AgentSession implements TokenSource {
  readonly origin = location.origin;
  readonly #storage = browserStorage("sessionStorage");
  #token = readJson(this.#storage, TOKEN_KEY, tokenShape);

  get signedIn(): boolean {
    return this.#token !== undefined && Date.parse(this.#token.expiresAt) > Date.now();
  }

  /** The site that the page's address names. */
  get askedSite(): string | null {
    return new URLSearchParams(location.search).get("site");
  }

  get remembered(): Remembered {
    const asked = this.askedSite;
    const stored = readJson(browserStorage("localStorage"), REMEMBERED_KEY, rememberedShape);
    return { site: asked ?? stored?.site ?? "", email: stored?.email ?? "" };
  }

  /** Rejects with `HttpError`. */
  async signIn(site: string, email: string, password: string): Promise<void> {
    const token = await signIn(this.origin, site, email, password);
    this.keep(token.token, token.expiresAt);
    writeJson(browserStorage("localStorage"), REMEMBERED_KEY, { site, email });
  }

  /** Signs in whoever has just come back from the provider. Rejects with `HttpError`. */
  async redeem(): Promise<void> {
    const token = await redeemPass();
    this.keep(token.token, token.expiresAt);
  }

  signOut(): void {
    this.#token = undefined;
    dropKey(this.#storage, TOKEN_KEY);
  }

  async current(): Promise<string> {
    if (!this.#token || !this.signedIn) throw new HttpError(UNAUTHORIZED);
    return this.#token.token;
  }

  /** An agent's expired token is renewed only by signing in again. */
  async renewed(): Promise<string> {
    throw new HttpError(UNAUTHORIZED);
  }

  keep(token: string, expiresAt: string): void {
    this.#token = { token, expiresAt };
    writeJson(this.#storage, TOKEN_KEY, this.#token);
  }
}
