// The right column: what is known of the visitor, the tags, the transcript.

import { useState } from "preact/hooks";
import { type Consent, type Participant, timestampMs } from "../protocol";
import { saveBlob } from "../ui/files";
import { clock, day } from "../ui/format";
import { AlertIcon, CloseIcon, DownloadIcon, TagIcon } from "../ui/icons";
import { webAddress } from "../ui/links";
import type { AgentChat } from "./chat";
import { LANGUAGE } from "./language";
import { alarmText, minutesText } from "./notices";
import type { Workplace } from "./workplace";

interface Props {
  desk: Workplace;
  chat: AgentChat;
}

/** 64 bytes and 20 tags are what the server takes. */
const MAX_TAG = 21;
const MAX_TAGS = 20;

export function Details({ desk, chat }: Props) {
  const save = (format: "json" | "text") => {
    desk.files
      .transcript(chat.id, format)
      .then((blob) => saveBlob(blob, `chat-${chat.id}.${format === "json" ? "json" : "txt"}`))
      .catch(() => desk.say("The transcript could not be fetched."));
  };
  return (
    <aside class="details" aria-label="About this chat">
      {chat.alarms.length > 0 && (
        <ul class="alarms" aria-label="Alarms">
          {chat.alarms.map((kind) => (
            <li key={kind}>
              <AlertIcon /> {alarmText(kind)}
            </li>
          ))}
        </ul>
      )}
      <section>
        <h2>Visitor</h2>
        <dl>
          <Fact name="Name" value={chat.visitor.name || "not given"} />
          <Fact name="E-mail" value={chat.contact?.email ?? ""} />
          <Fact name="Telephone" value={chat.contact?.phone ?? ""} />
          <Fact name="Language" value={languageName(chat.language)} />
          <Fact name="Channel" value={chat.channel} />
          <Fact name="Page" value={chat.page} />
          <Fact name="Agreed to" value={consentText(chat.consent)} />
          <Fact
            name="Started"
            value={
              chat.startedAt > 0
                ? `${day(chat.startedAt, LANGUAGE)}, ${clock(chat.startedAt, LANGUAGE)}`
                : ""
            }
          />
          <Fact
            name="Priority"
            value={chat.extraMinutes === 0 ? "" : minutesText(chat.extraMinutes)}
          />
          {Object.entries(chat.attributes).map(([name, value]) => (
            <Fact key={name} name={name} value={value} />
          ))}
        </dl>
      </section>
      <People desk={desk} chat={chat} />
      <Tags desk={desk} chat={chat} />
      <section>
        <h2>Transcript</h2>
        <div class="downloads">
          <button type="button" class="secondary" onClick={() => save("text")}>
            <DownloadIcon /> Text
          </button>
          <button type="button" class="secondary" onClick={() => save("json")}>
            <DownloadIcon /> JSON
          </button>
        </div>
      </section>
    </aside>
  );
}

/** Which version of the site's text, and when. */
function consentText(consent: Consent | undefined): string {
  if (!consent) return "";
  const at = timestampMs(consent.acceptedAt, -1);
  const when = at > 0 ? `, ${day(at, LANGUAGE)}, ${clock(at, LANGUAGE)}` : "";
  return `version ${consent.version ?? "?"}${when}`;
}

function languageName(tag: string): string {
  try {
    return tag && (new Intl.DisplayNames(LANGUAGE, { type: "language" }).of(tag) ?? tag);
  } catch {
    return tag;
  }
}

function Fact({ name, value }: { name: string; value: string }) {
  if (!value) return null;
  const href = webAddress(value);
  return (
    <div>
      <dt>{name}</dt>
      <dd dir="auto">
        {href ? (
          <a href={href} target="_blank" rel="noopener noreferrer nofollow">
            {value}
          </a>
        ) : (
          value
        )}
      </dd>
    </div>
  );
}

/** Of the staff: who has it, and the guests, who may be let go. */
function People({ desk, chat }: Props) {
  const { agent, guests } = chat;
  const mayDismiss = desk.verbs.can("leave") && (chat.part === "holder" || desk.supervises);
  if (chat.closed || (!agent && guests.length === 0)) return null;
  const nameOf = (one: Participant) => (one.id === desk.me.id ? "You" : one.name || "Agent");
  return (
    <section>
      <h2>In this chat</h2>
      <ul class="people">
        {agent && (
          <li>
            <span>{nameOf(agent)}</span>
            <span class="soft">has the chat</span>
          </li>
        )}
        {guests.map((guest) => (
          <li key={guest.id}>
            <span>{nameOf(guest)}</span>
            <span class="soft">guest</span>
            {mayDismiss && guest.id !== desk.me.id && (
              <button
                type="button"
                class="tool"
                aria-label={`Let ${nameOf(guest)} go`}
                title="Let go"
                onClick={() => void desk.verbs.leave(chat.id, guest.id)}
              >
                <CloseIcon />
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Tags({ desk, chat }: Props) {
  const [text, setText] = useState("");
  const add = (event: SubmitEvent) => {
    event.preventDefault();
    const tag = text.trim();
    if (!tag || chat.tags.includes(tag) || chat.tags.length >= MAX_TAGS) return;
    setText("");
    void desk.verbs.setTags(chat.id, [...chat.tags, tag]);
  };
  return (
    <section>
      <h2>Tags</h2>
      <ul class="tags">
        {chat.tags.map((tag) => (
          <li key={tag}>
            {tag}
            {chat.open && (
              <button
                type="button"
                aria-label={`Remove the tag ${tag}`}
                onClick={() =>
                  void desk.verbs.setTags(
                    chat.id,
                    chat.tags.filter((other) => other !== tag),
                  )
                }
              >
                <CloseIcon />
              </button>
            )}
          </li>
        ))}
      </ul>
      {chat.open && (
        <form class="add-tag" onSubmit={add}>
          <TagIcon />
          <input
            aria-label="Add a tag"
            placeholder="Add a tag"
            maxLength={MAX_TAG}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </form>
      )}
    </section>
  );
}
