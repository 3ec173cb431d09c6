// The widget's app: puts the panel into the loader's shadow root.

import { render } from "preact";
import { browserStorage, dropKey, writeJson } from "../protocol";
import baseStyles from "../ui/base.css?inline";
import { usableLanguage } from "../ui/format";
import threadStyles from "../ui/thread.css?inline";
import { Chat } from "./chat";
import { type Launcher, storageKeys, type WidgetConfig, type WidgetHandle } from "./contract";
import formStyles from "./forms.css?inline";
import messageStyles from "./messages.css?inline";
import { Panel } from "./panel";
import type { Texts } from "./texts";
import en from "./texts/en.json";
import styles from "./widget.css?inline";

const STYLES = [baseStyles, styles, formStyles, threadStyles, messageStyles];

const texts = import.meta.glob<Texts>("./texts/*.json", { eager: true, import: "default" });

function mount(root: ShadowRoot, config: WidgetConfig, launcher: Launcher): WidgetHandle {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLES.join("\n"));
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  const place = document.createElement("div");
  root.append(place);

  const chat = new Chat(config);
  const keys = storageKeys(config.siteKey);
  const words = texts[`./texts/${config.language}.json`] ?? en;
  let open = false;

  // The visitor's own region decides on clocks and dates where the language agrees.
  const own = navigator.languages.find(
    (tag) => tag.split("-")[0] === config.language.split("-")[0],
  );
  const language = usableLanguage(own, config.language);
  const draw = () => {
    const panel = <Panel chat={chat} texts={words} language={language} close={close} />;
    render(open ? panel : null, place);
  };
  const setOpen = (next: boolean) => {
    if (open === next) return;
    open = next;
    const storage = browserStorage("sessionStorage");
    if (open) writeJson(storage, keys.open, true);
    else dropKey(storage, keys.open);
    chat.shown(open);
    launcher.showUnread(open ? 0 : chat.unread);
    launcher.showOpen(open);
    draw();
  };
  function close() {
    setOpen(false);
    launcher.button.focus();
  }
  chat.watch(() => {
    if (!open) launcher.showUnread(chat.unread);
  });
  return { open: () => setOpen(true), close };
}

window.frontdeskWidget = { mount };
