// The one script tag: draws the launcher button and nothing else. The app is
// loaded on the first click, or at once when a chat is still under way.

import { flag } from "../protocol/shape";
import { browserStorage, readJson } from "../protocol/storage";
import {
  type Launcher,
  storageKeys,
  storedConversation,
  type WidgetConfig,
  type WidgetHandle,
} from "./contract";
import styles from "./launcher.css?inline";
import { chooseLanguage, languageOfPath } from "./texts";

const openLabels = import.meta.glob<string>("./texts/*.json", { eager: true, import: "openChat" });
const closeLabels = import.meta.glob<string>("./texts/*.json", {
  eager: true,
  import: "closeChat",
});

const ATTRIBUTE = "attribute";
const SVG = "http://www.w3.org/2000/svg";
const BUBBLE = "M4 5.5h16v11H11l-4.5 3.7v-3.7H4z";
const CROSS = "M6 6l12 12M18 6L6 18";

function readConfig(script: HTMLScriptElement): WidgetConfig | undefined {
  const { siteKey, queue, language, name } = script.dataset;
  if (!siteKey) {
    console.error("Frontdesk: the script tag needs data-site-key");
    return undefined;
  }
  const attributes: Record<string, string> = {};
  for (const [key, value] of Object.entries(script.dataset)) {
    const rest = key.startsWith(ATTRIBUTE) ? key.slice(ATTRIBUTE.length) : "";
    if (rest && value) attributes[rest.charAt(0).toLowerCase() + rest.slice(1)] = value;
  }
  const available = Object.keys(openLabels).map(languageOfPath);
  return {
    origin: new URL(script.src).origin,
    siteKey,
    queue,
    language: chooseLanguage(language ? [language] : navigator.languages, available),
    visitorName: name,
    attributes,
  };
}

function drawing(path: string): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

function drawLauncher(root: ShadowRoot, language: string): Launcher {
  const labels = {
    open: openLabels[`./texts/${language}.json`] ?? "",
    close: closeLabels[`./texts/${language}.json`] ?? "",
  };
  const button = document.createElement("button");
  button.type = "button";
  button.className = "launcher";
  const badge = document.createElement("span");
  badge.className = "badge";
  badge.hidden = true;
  const opened = drawing(CROSS);
  opened.classList.add("when-open");
  const closed = drawing(BUBBLE);
  closed.classList.add("when-closed");
  button.append(closed, opened, badge);
  root.append(button);
  const launcher: Launcher = {
    button,
    showUnread(count) {
      badge.hidden = count === 0;
      badge.textContent = count > 9 ? "9+" : String(count);
      if (count) button.setAttribute("aria-label", `${labels.open} (${count})`);
    },
    showOpen(open) {
      button.setAttribute("aria-expanded", String(open));
      button.setAttribute("aria-label", open ? labels.close : labels.open);
    },
  };
  launcher.showOpen(false);
  return launcher;
}

/** A classic script, so that other origins need no CORS headers for it. */
function loadApp(origin: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${origin}/widget/app.js`;
    script.onload = () => resolve();
    script.onerror = () => {
      script.remove();
      reject(new Error("the chat could not be loaded"));
    };
    document.head.append(script);
  });
}

function begin(config: WidgetConfig): void {
  const host = document.createElement("div");
  host.id = "frontdesk-widget";
  host.lang = config.language;
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styles);
  root.adoptedStyleSheets = [sheet];
  const launcher = drawLauncher(root, config.language);
  document.body.append(host);

  let handle: Promise<WidgetHandle | undefined> | undefined;
  const app = () => {
    launcher.button.dataset.busy = "";
    handle ??= loadApp(config.origin).then(
      () => window.frontdeskWidget?.mount(root, config, launcher),
      () => {
        // The next click tries again.
        handle = undefined;
        return undefined;
      },
    );
    void handle.then(() => delete launcher.button.dataset.busy);
    return handle;
  };
  launcher.button.addEventListener("click", async () => {
    const open = launcher.button.getAttribute("aria-expanded") === "true";
    const widget = await app();
    if (open) widget?.close();
    else widget?.open();
  });

  const keys = storageKeys(config.siteKey);
  const storage = browserStorage("localStorage");
  const stored = readJson(storage, keys.conversation, storedConversation);
  const wasOpen = readJson(browserStorage("sessionStorage"), keys.open, flag) === true;
  if (wasOpen) void app().then((widget) => widget?.open());
  else if (stored && !stored.closed) void app();
}

const script = document.currentScript;
if (script instanceof HTMLScriptElement) {
  const config = readConfig(script);
  if (config && document.body) begin(config);
  else if (config) document.addEventListener("DOMContentLoaded", () => begin(config));
}
