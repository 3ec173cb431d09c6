// The desk: the list at the left, the selected chat, and what is known of its
// visitor. Also the shortcuts and the dialogs.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { AgentChat } from "../staff/chat";
import { Details } from "../staff/details";
import { Dialog } from "../staff/dialog";
import { Toast } from "../staff/toast";
import { HelpIcon } from "../ui/icons";
import { useModel } from "../ui/model";
import type { Desk } from "./desk";
import { InviteDialog } from "./invite";
import { Pane, type Question } from "./pane";
import { commandOf, SHORTCUTS } from "./shortcuts";
import { Sidebar } from "./sidebar";
import { TransferDialog } from "./transfer";

type Open = "help" | Question | undefined;

export function DeskView({ desk }: { desk: Desk }) {
  useModel(desk);
  const [open, setOpen] = useState<Open>();
  // The same function every time: else a dialog would ask for its data anew
  // whenever anything changes on the desk.
  const close = useCallback(() => setOpen(undefined), []);
  const search = useRef<HTMLInputElement>(null);
  const { selected } = desk;
  const unread =
    desk.open.reduce((sum, chat) => sum + (chat.speaks ? chat.unread : 0), 0) +
    desk.offers.length +
    desk.knocks.length;

  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) Frontdesk` : "Frontdesk";
  }, [unread]);

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const command = commandOf(event, isWriting(event.target));
      if (command === undefined || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      if (command === "search") search.current?.focus();
      else if (command === "help") setOpen("help");
      else if (command === "transfer" || command === "end" || command === "invite") {
        if (desk.selected?.part === "holder") setOpen(command);
      } else run(desk, command);
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [desk]);

  return (
    <div class="desk" data-chat={selected !== undefined}>
      <Sidebar desk={desk} search={search} />
      {selected ? (
        <>
          <Pane key={selected.id} desk={desk} chat={selected} ask={setOpen} />
          <Details key={`d${selected.id}`} desk={desk} chat={selected} />
        </>
      ) : (
        <EmptyPane desk={desk} />
      )}
      <button
        type="button"
        class="help-button tool"
        aria-label="Keyboard shortcuts"
        title="Keyboard shortcuts (?)"
        onClick={() => setOpen("help")}
      >
        <HelpIcon />
      </button>
      {open === "help" && <HelpDialog close={close} />}
      {open === "transfer" && selected && (
        <TransferDialog desk={desk} chat={selected} close={close} />
      )}
      {open === "invite" && selected && <InviteDialog desk={desk} chat={selected} close={close} />}
      {open === "end" && selected && (
        <Dialog title={`End the chat with ${selected.name}?`} close={close}>
          <p class="soft">The visitor can rate it and may take it up again.</p>
          <div class="actions">
            <button type="button" class="secondary" onClick={close}>
              Keep it open
            </button>
            <button
              type="button"
              class="primary"
              onClick={() => {
                desk.close(selected);
                setOpen(undefined);
              }}
            >
              End chat
            </button>
          </div>
        </Dialog>
      )}
      <Toast desk={desk} />
    </div>
  );
}

function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}

type DeskCommand = Exclude<NonNullable<ReturnType<typeof commandOf>>, "search" | "help" | Question>;

function run(desk: Desk, command: DeskCommand): void {
  const chats = desk.open;
  const offer = desk.offers[0];
  if (typeof command === "object") desk.select(chats[command.chat - 1]?.id ?? desk.selectedId);
  else if (command === "accept" && offer) void desk.accept(offer);
  else if (command === "decline" && offer) void desk.decline(offer);
  else if (command === "note" && desk.selected?.open) {
    nextMode(desk, desk.selected);
  } else if (command === "previous" || command === "next") {
    const at = chats.findIndex((chat) => chat.id === desk.selectedId);
    const step = command === "next" ? 1 : -1;
    const next = chats[(at + step + chats.length) % chats.length];
    if (next) desk.select(next.id);
  }
}

/** From one way of writing to the next. */
function nextMode(desk: Desk, chat: AgentChat): void {
  const { modes, writes } = chat;
  const next = modes[(modes.indexOf(writes) + 1) % modes.length];
  if (next) desk.setMode(chat, next);
}

function EmptyPane({ desk }: { desk: Desk }) {
  const offline = (desk.state.status ?? "AGENT_STATUS_OFFLINE") === "AGENT_STATUS_OFFLINE";
  const text = offline
    ? "You are offline, so no chats are offered to you."
    : "New chats appear at the left, with a sound.";
  return (
    <main class="empty-pane">
      <svg viewBox="0 0 96 80" width="96" height="80" aria-hidden="true">
        <path d="M8 14h56v36H34L20 62V50H8z" class="back" />
        <path d="M40 30h48v32H78v11L65 62H40z" class="front" />
      </svg>
      <h1>{desk.loaded ? "No chat selected" : "Connecting…"}</h1>
      <p class="soft">{text}</p>
      {offline && desk.loaded && (
        <button
          type="button"
          class="primary"
          onClick={() => void desk.setStatus("AGENT_STATUS_ONLINE", "")}
        >
          Go online
        </button>
      )}
    </main>
  );
}

function HelpDialog({ close }: { close(): void }) {
  return (
    <Dialog title="Keyboard shortcuts" close={close}>
      <dl class="shortcuts">
        {SHORTCUTS.map(([keys, meaning]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
