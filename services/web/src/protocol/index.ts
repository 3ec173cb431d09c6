// The client library for the subprotocol `frontdesk.v1.json`.

export { lostDelayMs } from "./backoff";
export {
  hurryWithBrowser,
  type Link,
  LiveClient,
  type LiveHandlers,
  type TokenSource,
} from "./client";
export { ConnectionLost, RequestError } from "./errors";
export { token as tokenShape } from "./frame-shape";
export * from "./http";
export { randomId, uuidV7, uuidV7Ms } from "./ids";
export type * from "./messages";
export { isSaid, type OutboxEntry, type OutboxRequest } from "./outbox";
export { storedEntry } from "./outbox-shape";
export { flag, id, instant, list, message, type Shape, text, word } from "./shape";
export { BrowserStore, browserStorage, dropKey, readJson, writeJson } from "./storage";
export { durationMs, timestampMs } from "./times";
