// The left column: who one is, the offers, and the list of one's own chats.

import type { RefObject } from "preact";
import { useState } from "preact/hooks";
import { AlarmBadges } from "../staff/alarms";
import { type AgentChat, fromVisitor } from "../staff/chat";
import { OfferCards, waitText } from "../staff/offer-cards";
import { SetAside } from "../staff/set-aside";
import { StatusSwitch } from "../staff/status";
import { Avatar } from "../ui/avatar";
import { shortAge } from "../ui/format";
import { BellIcon, BoardIcon, CloseIcon, SearchIcon } from "../ui/icons";
import { useNow } from "../ui/model";
import type { Desk } from "./desk";

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
      <SetAside desk={desk} />
      <OfferCards desk={desk} />
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
  const said = chat.events.map(
    ({ message, note, whisper }) => (message ?? note ?? whisper)?.text ?? "",
  );
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
      {desk.supervises && (
        <a class="tool" href="/supervisor/" aria-label="Supervisor board" title="Supervisor board">
          <BoardIcon />
        </a>
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

function ChatRow({ desk, chat, number }: { desk: Desk; chat: AgentChat; number: number }) {
  const now = useNow(20_000);
  const waiting = chat.part === "holder" ? chat.waitingSince : undefined;
  const unread = chat.speaks ? chat.unread : 0;
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
          {chat.typingIn.typing && chat.typist?.party === "PARTY_VISITOR" ? (
            <em>is typing…</em>
          ) : (
            lastText(desk, chat)
          )}
        </span>
        <span class="chat-marks">
          <AlarmBadges alarms={chat.open ? chat.alarms.slice(-1) : []} />
          {chat.open && chat.part !== "holder" && <span class="part">{PARTS[chat.part]}</span>}
          {unread > 0 && (
            <span class="count" title={`${unread} unread`}>
              {unread}
            </span>
          )}
          {unread === 0 && waiting !== undefined && chat.alarms.length === 0 && (
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

const PARTS = { guest: "guest", reader: "reading", none: "" } as const;

function lastText(desk: Desk, chat: AgentChat): string {
  if (chat.closed) return "Ended";
  if (!chat.open) return "Handed on";
  const last = chat.lastMessage;
  if (!last) return "";
  const text = last.message?.text || last.note?.text || last.whisper?.text || "📎 File";
  if (last.note) return `Note: ${text}`;
  if (last.whisper) return `Whisper: ${text}`;
  if (fromVisitor(last)) return text;
  const own = last.by?.id === desk.me.id;
  return `${own ? "You" : last.by?.name || "Automatic"}: ${text}`;
}
