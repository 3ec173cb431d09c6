// Puts the chat on the demo shop: exactly the script tag that a real shop pastes
// into its pages, with the site key of this installation.
// `?language=zh` on the page's address chooses the chat's language.

import { message, readJsonText, text } from "../protocol/shape";

const demoConfig = message<{ siteKey: string }>({ siteKey: text }, "siteKey");
const MOST_OF_A_CONFIG = 64 * 1024;

async function addWidget(): Promise<void> {
  const response = await fetch("/demo/config.json");
  if (!response.ok) throw new Error(`no demo site: HTTP status ${response.status}`);
  const config = readJsonText(await response.text(), demoConfig, MOST_OF_A_CONFIG);
  if (!config) throw new Error("no demo site: its settings cannot be read");
  const language = new URLSearchParams(location.search).get("language");
  const script = document.createElement("script");
  script.src = "/widget/loader.js";
  script.async = true;
  script.dataset.siteKey = config.siteKey;
  script.dataset.attributeShop = "Harbour & Pine";
  if (language) script.dataset.language = language;
  document.head.append(script);
}

void addWidget();
