// The open panel: its header, the state of the connection, and whichever of the
// form, the conversation and its end belongs inside.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Avatar } from "../ui/avatar";
import { DownIcon, LeaveIcon } from "../ui/icons";
import { useModel } from "../ui/model";
import type { Chat } from "./chat";
import { Closing } from "./closing";
import { Composer } from "./composer";
import { Contact } from "./contact";
import { Conversation } from "./conversation";
import type { Texts } from "./texts";
import { Welcome } from "./welcome";

interface Props {
  chat: Chat;
  texts: Texts;
  language: string;
  close(): void;
}

const FOCUSABLE = "button:not([disabled]), input, textarea, a[href], [tabindex='0']";

export function Panel({ chat, texts, language, close }: Props) {
  useModel(chat);
  const [ending, setEnding] = useState(false);
  const panel = useRef<HTMLElement>(null);
  const started = chat.conversationId !== undefined;

  useLayoutEffect(() => {
    panel.current?.querySelector<HTMLElement>("[data-autofocus]")?.focus();
  }, [started, chat.closed, chat.asked]);

  const onKeyDown = (event: KeyboardEvent) => {
    // The page behind must not take the keys for its own shortcuts.
    event.stopPropagation();
    if (event.key === "Escape") {
      if (ending) setEnding(false);
      else close();
    } else if (event.key === "Tab" && panel.current) keepFocusIn(panel.current, event);
  };

  return (
    <section
      ref={panel}
      class="panel"
      role="dialog"
      aria-modal="true"
      aria-label={texts.chatTitle}
      onKeyDown={onKeyDown}
    >
      <Header
        chat={chat}
        texts={texts}
        close={close}
        end={started && !chat.closed && !chat.stopped ? () => setEnding(true) : undefined}
      />
      {chat.trouble && (
        <p class="trouble" role="status">
          <span class="spinner" />
          {texts.reconnecting}
        </p>
      )}
      {chat.stopped ? (
        <Stopped chat={chat} texts={texts} />
      ) : started ? (
        <>
          <Conversation chat={chat} texts={texts} language={language} />
          {chat.asked && <Contact chat={chat} texts={texts} language={language} />}
          {chat.closed ? (
            <Closing chat={chat} texts={texts} />
          ) : (
            <Composer chat={chat} texts={texts} />
          )}
        </>
      ) : (
        <Welcome chat={chat} texts={texts} language={language} />
      )}
      {ending && (
        <EndQuestion
          texts={texts}
          answer={(yes) => {
            setEnding(false);
            if (yes) chat.end();
          }}
        />
      )}
    </section>
  );
}

interface HeaderProps {
  chat: Chat;
  texts: Texts;
  close(): void;
  end: (() => void) | undefined;
}

function Header({ chat, texts, close, end }: HeaderProps) {
  const name = chat.agent?.name;
  return (
    <div class="header">
      {name && <Avatar name={name} />}
      <div class="title">
        <h2>{name ?? texts.chatTitle}</h2>
        {name && !chat.closed && <p class="presence">{texts.online}</p>}
      </div>
      {end && (
        <button
          type="button"
          class="tool"
          onClick={end}
          aria-label={texts.endChat}
          title={texts.endChat}
        >
          <LeaveIcon />
        </button>
      )}
      <button
        type="button"
        class="tool"
        onClick={close}
        aria-label={texts.closeChat}
        title={texts.closeChat}
      >
        <DownIcon />
      </button>
    </div>
  );
}

function Stopped({ chat, texts }: { chat: Chat; texts: Texts }) {
  return (
    <div class="stopped" role="alert">
      <h3>{texts.stoppedTitle}</h3>
      <p>{texts.stoppedText}</p>
      <button type="button" class="primary" data-autofocus onClick={() => chat.startOver()}>
        {texts.startAgain}
      </button>
    </div>
  );
}

function EndQuestion({ texts, answer }: { texts: Texts; answer(yes: boolean): void }) {
  const yes = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => yes.current?.focus(), []);
  return (
    <div class="question" role="alertdialog" aria-label={texts.endQuestion}>
      <p>{texts.endQuestion}</p>
      <div class="row">
        <button type="button" class="secondary" onClick={() => answer(false)}>
          {texts.endNo}
        </button>
        <button ref={yes} type="button" class="primary" onClick={() => answer(true)}>
          {texts.endYes}
        </button>
      </div>
    </div>
  );
}

/** Tab goes round within the dialog. */
function keepFocusIn(panel: HTMLElement, event: KeyboardEvent): void {
  const stops = [...panel.querySelectorAll<HTMLElement>(FOCUSABLE)].filter(
    (element) => element.offsetParent !== null,
  );
  const root = panel.getRootNode() as ShadowRoot;
  const goal = event.shiftKey ? stops.at(-1) : stops[0];
  const edge = event.shiftKey ? stops[0] : stops.at(-1);
  if (root.activeElement !== edge && panel.contains(root.activeElement)) return;
  event.preventDefault();
  goal?.focus();
}
