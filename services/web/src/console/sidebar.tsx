// The left column: who one is, the offers, and the list of one's own chats.

import type { RefObject } from "preact";
import { useState } from "preact/hooks";
import type { OfferPush } from "../protocol";
import { Avatar } from "../ui/avatar";
import { shortAge } from "../ui/format";
import { BellIcon, CloseIcon, SearchIcon } from "../ui/icons";
import { useNow } from "../ui/model";
import { type AgentChat, fromVisitor } from "./chat";
import type { Desk } from "./desk";
import { StatusSwitch } from "./status";

interface Props {
  desk: Desk;
  search: RefObject<HTMLInputElement | null>;
}

export function Sidebar({ desk, search }: Props) {
  const [query, setQuery] = useState("");
  const open = desk.open.filter((chat) => matches(chat, query));
  const done = desk.done.filter((chat) => matches(chat, query));
  return (
    <aside class="sidebar">
      <Profile desk={desk} />
      {desk.trouble && (
        <p class="trouble" role="status">
          <span class="spinner" /> Reconnecting… what you write is kept
        </p>
      )}
      <Offers desk={desk} />
      <div class="search">
        <SearchIcon />
        <input
          ref={search}
          type="search"
          aria-label="Search your chats"
          placeholder="Search your chats"
          value={query}
          onInput={(event) => setQuery(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            setQuery("");
            event.currentTarget.blur();
          }}
        />
        <kbd>/</kbd>
      </div>
      <nav class="chats" aria-label="Your chats">
        {open.length + done.length === 0 && (
          <p class="empty soft">{query ? "Nothing found." : "You have no chats yet."}</p>
        )}
        <ul>
          {open.map((chat) => (
            <ChatRow key={chat.id} desk={desk} chat={chat} number={desk.open.indexOf(chat) + 1} />
          ))}
        </ul>
        {done.length > 0 && <h3>Finished</h3>}
        <ul>
          {done.map((chat) => (
            <ChatRow key={chat.id} desk={desk} chat={chat} number={0} />
          ))}
        </ul>
      </nav>
    </aside>
  );
}

function matches(chat: AgentChat, query: string): boolean {
  const wanted = query.trim().toLocaleLowerCase();
  if (!wanted) return true;
  const said = chat.events.map((event) => event.message?.text ?? event.note?.text ?? "");
  return [chat.name, chat.queue, ...chat.tags, ...said].some((text) =>
    text.toLocaleLowerCase().includes(wanted),
  );
}

function Profile({ desk }: { desk: Desk }) {
  const { capacity = 0, load = 0 } = desk.state;
  return (
    <header class="profile">
      <Avatar name={desk.me.name} />
      <div class="who">
        <strong>{desk.me.name || "Agent"}</strong>
        <StatusSwitch desk={desk} />
      </div>
      {capacity > 0 && (
        <span class="load" title="Slots taken by chats, offers and wrap-ups">
          {load}/{capacity}
        </span>
      )}
      <button
        type="button"
        class="tool"
        aria-pressed={desk.signals.enabled}
        aria-label="Sounds and notifications"
        title={desk.signals.enabled ? "Sounds and notifications are on" : "Sounds are off"}
        onClick={() => desk.toggleSignals()}
      >
        <BellIcon />
      </button>
    </header>
  );
}

function Offers({ desk }: { desk: Desk }) {
  // Drawn anew each second for the countdown; expired offers drop out by it.
  useNow(1_000, true);
  return (
    <section class="offers" aria-label="Offers" aria-live="assertive">
      {desk.offers.map((offer, index) => (
        <OfferCard key={offer.offerId} desk={desk} offer={offer} first={index === 0} />
      ))}
    </section>
  );
}

function OfferCard({ desk, offer, first }: { desk: Desk; offer: OfferPush; first: boolean }) {
  const left = Math.ceil((Date.parse(offer.expiresAt) - desk.serverNow()) / 1000);
  const waited = offer.waitingSince ? desk.serverNow() - Date.parse(offer.waitingSince) : 0;
  return (
    <article class="offer">
      <header>
        <strong>{offer.visitor?.name || "New visitor"}</strong>
        <span class="countdown" role="timer" aria-live="off" data-urgent={left <= 5}>
          {left} s
        </span>
      </header>
      {offer.preview && (
        <p class="preview" dir="auto">
          {offer.preview}
        </p>
      )}
      {offer.note && <p class="hand-over">{offer.note}</p>}
      <p class="soft">
        {[offer.queue, offer.language, `waits ${waitText(waited)}`].filter(Boolean).join(" · ")}
      </p>
      <div class="actions">
        <button
          type="button"
          class="secondary"
          title={first ? "Alt+D" : undefined}
          onClick={() => void desk.decline(offer)}
        >
          Decline
        </button>
        <button
          type="button"
          class="primary"
          title={first ? "Alt+A" : undefined}
          onClick={() => void desk.accept(offer)}
        >
          Accept
        </button>
      </div>
    </article>
  );
}

function ChatRow({ desk, chat, number }: { desk: Desk; chat: AgentChat; number: number }) {
  const now = useNow(20_000);
  const waiting = chat.waitingSince;
  const unread = chat.open ? chat.unread : 0;
  return (
    <li>
      <button
        type="button"
        class="chat-row"
        aria-current={chat.id === desk.selectedId}
        data-unread={unread > 0}
        onClick={() => desk.select(chat.id)}
      >
        <Avatar name={chat.visitor.name} />
        <span class="chat-name">{chat.name}</span>
        <span class="chat-time">{chat.lastAt > 0 && shortAge(now - chat.lastAt)}</span>
        <span class="chat-last" dir="auto">
          {chat.typingIn.typing ? <em>is typing…</em> : lastText(chat)}
        </span>
        <span class="chat-marks">
          {unread > 0 && (
            <span class="count" title={`${unread} unread`}>
              {unread}
            </span>
          )}
          {unread === 0 && waiting !== undefined && (
            <span class="waits" title="Waits for an answer">
              waits {waitText(now - waiting)}
            </span>
          )}
          {number > 0 && number < 10 && <kbd title={`Alt+${number}`}>{number}</kbd>}
        </span>
      </button>
      {!chat.open && (
        <button
          type="button"
          class="tool put-away"
          aria-label={`Put away the chat with ${chat.name}`}
          title="Put away"
          onClick={() => desk.putAway(chat)}
        >
          <CloseIcon />
        </button>
      )}
    </li>
  );
}

function waitText(ms: number): string {
  return ms < 60_000 ? "<1 m" : shortAge(ms);
}

function lastText(chat: AgentChat): string {
  if (chat.left) return "Handed on";
  if (chat.closed) return "Ended";
  const last = chat.lastMessage;
  if (!last) return "";
  const text = last.message?.text || last.note?.text || "📎 File";
  if (last.note) return `Note: ${text}`;
  return fromVisitor(last) ? text : `You: ${text}`;
}
