// Who the visitor is and which conversation is theirs, kept over reloads in the
// browser's storage.

import {
  browserStorage,
  dropKey,
  HttpError,
  readJson,
  type Token,
  type TokenSource,
  tokenShape,
  visitorToken,
  writeJson,
} from "../protocol";
import {
  type StoredConversation,
  storageKeys,
  storedConversation,
  type WidgetConfig,
} from "./contract";

/** A token is not used in its last half minute: the way to the server takes time. */
const SPARE_MS = 30_000;

export class VisitorSession implements TokenSource {
  readonly #config: WidgetConfig;
  readonly #storage = browserStorage("localStorage");
  readonly #keys: ReturnType<typeof storageKeys>;
  #token: Token | undefined;

  constructor(config: WidgetConfig) {
    this.#config = config;
    this.#keys = storageKeys(config.siteKey);
    this.#token = readJson(this.#storage, this.#keys.token, tokenShape);
  }

  async current(): Promise<string> {
    const token = this.#token;
    if (token && Date.parse(token.expiresAt) - Date.now() > SPARE_MS) return token.token;
    return this.renewed();
  }

  async renewed(): Promise<string> {
    const { origin, siteKey } = this.#config;
    const previous = this.#token?.token;
    let issued: Token;
    try {
      issued = await visitorToken(origin, siteKey, previous);
    } catch (error) {
      // Too old to be continued: go on as a new visitor.
      const refused = error instanceof HttpError && (error.status === 400 || error.status === 401);
      if (!refused || previous === undefined) throw error;
      issued = await visitorToken(origin, siteKey);
    }
    this.keep(issued.token, issued.expiresAt);
    return issued.token;
  }

  keep(token: string, expiresAt: string): void {
    this.#token = { token, expiresAt };
    writeJson(this.#storage, this.#keys.token, this.#token);
  }

  /** Forgets who the visitor was. */
  forget(): void {
    this.#token = undefined;
    dropKey(this.#storage, this.#keys.token);
    this.conversation = undefined;
  }

  get conversation(): StoredConversation | undefined {
    return readJson(this.#storage, this.#keys.conversation, storedConversation);
  }

  set conversation(conversation: StoredConversation | undefined) {
    if (conversation) writeJson(this.#storage, this.#keys.conversation, conversation);
    else dropKey(this.#storage, this.#keys.conversation);
  }
}
