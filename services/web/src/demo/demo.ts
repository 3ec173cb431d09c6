// Puts the chat on the demo shop: exactly the script tag that a real shop pastes
// into its pages, with the site key of this installation.
// `?language=zh` on the page's address chooses the chat's language.

interface DemoConfig {
  siteKey: string;
}

async function addWidget(): Promise<void> {
  const response = await fetch("/demo/config.json");
  if (!response.ok) throw new Error(`no demo site: HTTP status ${response.status}`);
  const { siteKey } = (await response.json()) as DemoConfig;
  const language = new URLSearchParams(location.search).get("language");
  const script = document.createElement("script");
  script.src = "/widget/loader.js";
  script.async = true;
  script.dataset.siteKey = siteKey;
  script.dataset.attributeShop = "Harbour & Pine";
  if (language) script.dataset.language = language;
  document.head.append(script);
}

void addWidget();
