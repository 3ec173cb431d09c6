// Where the visitor may be reached, asked when nobody can take the chat in time.

import { useState } from "preact/hooks";
import { timestampMs, type UnservedReason } from "../protocol";
import { moment } from "../ui/format";
import type { Chat } from "./chat";
import { fill, type Texts } from "./texts";

interface Props {
  chat: Chat;
  texts: Texts;
  language: string;
}

const TITLES = {
  UNSERVED_REASON_OUT_OF_HOURS: "contactClosed",
  UNSERVED_REASON_QUEUE_FULL: "contactFull",
  UNSERVED_REASON_WAITED_TOO_LONG: "contactTooLong",
} as const satisfies Record<UnservedReason, keyof Texts>;

export function Contact({ chat, texts, language }: Props) {
  const [email, setEmail] = useState("");
  const [phone, setPhone] = useState("");
  const [text, setText] = useState("");
  const asked = chat.asked;
  if (!asked) return null;
  const opensAt = timestampMs(asked.opensAt, -1);
  const leave = (event: SubmitEvent) => {
    event.preventDefault();
    chat.leaveContact(email.trim(), phone.trim(), text.trim());
  };
  return (
    <form class="contact" aria-label={texts.contactTitle} onSubmit={leave}>
      <p>
        <strong>{texts[TITLES[asked.reason ?? "UNSERVED_REASON_QUEUE_FULL"]]}</strong>{" "}
        {opensAt > Date.now() && `${fill(texts.backAt, { when: moment(opensAt, language) })} `}
        {chat.closed ? texts.contactText : texts.callbackText}
      </p>
      <div class="pair">
        <label>
          <span class="label">{texts.yourEmail}</span>
          <input
            type="email"
            autocomplete="email"
            maxLength={254}
            required={!phone.trim()}
            data-autofocus
            value={email}
            onInput={(event) => setEmail(event.currentTarget.value)}
          />
        </label>
        <label>
          <span class="label">
            {texts.yourPhone} <span class="optional">{texts.optional}</span>
          </span>
          <input
            type="tel"
            autocomplete="tel"
            maxLength={32}
            pattern="[0-9+\-().\/ ]*[0-9][0-9+\-().\/ ]*"
            value={phone}
            onInput={(event) => setPhone(event.currentTarget.value)}
          />
        </label>
      </div>
      {chat.closed && (
        <label>
          <span class="label">
            {texts.contactMessage} <span class="optional">{texts.optional}</span>
          </span>
          <textarea
            rows={2}
            maxLength={1000}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
      )}
      <button type="submit" class="primary" disabled={!email.trim() && !phone.trim()}>
        {texts.contactSend}
      </button>
    </form>
  );
}
