// What the loader and the app agree on. The app is loaded by the loader and may
// be newer than it (the loader may lie in a cache), so changes only add.

import { flag, id, message } from "../protocol/shape";

/** The script tag's data attributes. */
export interface WidgetConfig {
  /** Scheme, host and port that the loader came from. */
  origin: string;
  siteKey: string;
  queue: string | undefined;
  /** The chosen language, such as "en". */
  language: string;
  /** Name to show the agent; prefills the form. */
  visitorName: string | undefined;
  /** From `data-attribute-…`: what the page knows of its visitor. */
  attributes: Record<string, string>;
}

/** The launcher, as the app may steer it. */
export interface Launcher {
  button: HTMLButtonElement;
  showUnread(count: number): void;
  showOpen(open: boolean): void;
}

export interface WidgetHandle {
  open(): void;
  close(): void;
}

/** What the app puts on `window` for the loader. */
export interface WidgetApp {
  mount(root: ShadowRoot, config: WidgetConfig, launcher: Launcher): WidgetHandle;
}

declare global {
  interface Window {
    frontdeskWidget?: WidgetApp;
  }
}

/** Where the widget keeps what must outlive the page. */
export const storageKeys = (siteKey: string) => ({
  token: `frontdesk:${siteKey}:token`,
  conversation: `frontdesk:${siteKey}:conversation`,
  open: `frontdesk:${siteKey}:open`,
  draft: `frontdesk:${siteKey}:draft`,
  outbox: `frontdesk:${siteKey}:outbox`,
});

export interface StoredConversation {
  id: string;
  closed: boolean;
}

export const storedConversation = message<StoredConversation>({ id, closed: flag }, "id", "closed");
