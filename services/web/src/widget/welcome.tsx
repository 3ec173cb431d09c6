// Before a chat: a name if the visitor likes, and the first message.

import { useState } from "preact/hooks";
import type { Chat } from "./chat";
import type { Texts } from "./texts";

export function Welcome({ chat, texts }: { chat: Chat; texts: Texts }) {
  const [name, setName] = useState(chat.config.visitorName ?? "");
  const [text, setText] = useState(chat.draft);
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
      <button type="submit" class="primary" disabled={!text.trim()}>
        {texts.startChat}
      </button>
    </form>
  );
}
