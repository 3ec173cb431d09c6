// The board as a page: the header, the tables at the left, and at the right the
// conversation that is watched.

import { useEffect } from "preact/hooks";
import { LANGUAGE } from "../staff/language";
import { OfferCards } from "../staff/offer-cards";
import { SetAside } from "../staff/set-aside";
import { Mark } from "../staff/sign-in";
import { StatusSwitch } from "../staff/status";
import { Toast } from "../staff/toast";
import { clock } from "../ui/format";
import { useModel } from "../ui/model";
import { AgentTable } from "./agent-table";
import type { Board } from "./board";
import { ConversationTable } from "./conversation-table";
import { QueueTable } from "./queue-table";
import { totals } from "./rows";
import { Tiles } from "./tiles";
import { Watch } from "./watch";

export function BoardView({ desk }: { desk: Board }) {
  useModel(desk);
  const { refusal, selected, latest } = desk;
  const waiting = latest ? totals(latest).waiting : 0;
  useEffect(() => {
    document.title = `${waiting > 0 ? `(${waiting}) ` : ""}Supervisor board · Frontdesk`;
  }, [waiting]);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const busy = document.querySelector("dialog[open], .menu, .mentions");
      if (event.key === "Escape" && !event.defaultPrevented && !busy) desk.lookAway();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [desk]);
  return (
    <div class="board-page">
      <Header desk={desk} />
      <div class="messages">
        {desk.trouble && (
          <p class="trouble" role="status">
            <span class="spinner" /> Reconnecting… the board shows how it was
          </p>
        )}
        <SetAside desk={desk} />
        <OfferCards desk={desk} />
      </div>
      <main data-watching={selected !== undefined}>
        <div class="board">
          {refusal ? (
            <Refusal desk={desk} refusal={refusal} />
          ) : latest ? (
            <>
              <Tiles desk={desk} board={latest} />
              <QueueTable desk={desk} board={latest} />
              <ConversationTable desk={desk} board={latest} />
              <AgentTable desk={desk} board={latest} />
            </>
          ) : (
            <p class="soft nothing">Connecting…</p>
          )}
        </div>
        {selected && <Watch key={selected.id} desk={desk} chat={selected} />}
      </main>
      <Toast desk={desk} />
    </div>
  );
}

function Header({ desk }: { desk: Board }) {
  const at = desk.latest?.at;
  return (
    <header class="board-header">
      <h1>
        <Mark /> Supervisor board
      </h1>
      <span class="soft site">{desk.site}</span>
      {at && (
        <span class="soft as-of" title="When this was so">
          as of {clock(Date.parse(at), LANGUAGE)}
        </span>
      )}
      <a class="secondary" href="/console/">
        Console
      </a>
      <div class="who">
        <strong>{desk.me.name}</strong>
        <StatusSwitch desk={desk} />
      </div>
    </header>
  );
}

function Refusal({ desk, refusal }: { desk: Board; refusal: "role" | "server" }) {
  return (
    <section class="nothing">
      <h2>{refusal === "role" ? "Only for supervisors" : "No board here yet"}</h2>
      <p class="soft">
        {refusal === "role"
          ? "You are signed in as an agent. The console has your chats."
          : "This server is older than the page. Please try again after the upgrade."}
      </p>
      <div class="actions">
        <a class="primary" href="/console/">
          To the console
        </a>
        <button type="button" class="secondary" onClick={() => desk.signOut()}>
          Sign out
        </button>
      </div>
    </section>
  );
}
