// Before a chat: a name if the visitor likes, and the first message.

import { useEffect, useState } from "preact/hooks";
import type { ConsentText } from "../protocol";
import { webAddress } from "../ui/links";
import type { Chat } from "./chat";
import { chooseLanguage, type Texts } from "./texts";

interface Props {
  chat: Chat;
  texts: Texts;
  language: string;
}

export function Welcome({ chat, texts, language }: Props) {
  const [name, setName] = useState(chat.config.visitorName ?? "");
  const [text, setText] = useState(chat.draft);
  useEffect(() => chat.greet(), [chat]);
  const begin = (event: SubmitEvent) => {
    event.preventDefault();
    if (!text.trim()) return;
    chat.keepDraft("");
    chat.begin(name, text.trim());
  };
  return (
    <form class="welcome" onSubmit={begin}>
      <div class="greeting">
        <h3>{texts.hello}</h3>
        <p>{texts.helloText}</p>
      </div>
      <label>
        <span class="label">
          {texts.yourName} <span class="optional">{texts.optional}</span>
        </span>
        <input
          type="text"
          autocomplete="name"
          maxLength={80}
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <label>
        <span class="label">{texts.yourMessage}</span>
        <textarea
          rows={4}
          required
          maxLength={8000}
          data-autofocus
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
            chat.keepDraft(event.currentTarget.value);
          }}
        />
      </label>
      {chat.consent && <Consent consent={chat.consent} texts={texts} language={language} />}
      <button type="submit" class="primary" disabled={!text.trim()}>
        {texts.startChat}
      </button>
    </form>
  );
}

/** The browser sees to it that the box is ticked. */
function Consent({ consent, texts, language }: Omit<Props, "chat"> & { consent: ConsentText }) {
  const all = consent.text ?? {};
  const tags = Object.keys(all).map((tag) => tag.toLowerCase());
  const tag = chooseLanguage([language], tags);
  const words =
    Object.entries(all).find(([own]) => own.toLowerCase() === tag) ?? Object.entries(all)[0];
  const link = webAddress(consent.link ?? "");
  return (
    <label class="consent">
      <input type="checkbox" required />
      <span>
        {words?.[1]}{" "}
        {link && (
          <a href={link} target="_blank" rel="noopener noreferrer">
            {texts.consentMore}
          </a>
        )}
      </span>
    </label>
  );
}
