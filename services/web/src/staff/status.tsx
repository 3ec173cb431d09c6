// The agent's status: shown, and changed with a reason.

import { useEffect, useRef, useState } from "preact/hooks";
import type { AgentStatus } from "../protocol";
import type { Workplace } from "./workplace";

const STATUS_NAMES: Record<AgentStatus, string> = {
  AGENT_STATUS_ONLINE: "Online",
  AGENT_STATUS_BUSY: "Busy",
  AGENT_STATUS_AWAY: "Away",
  AGENT_STATUS_OFFLINE: "Offline",
};

/** A status in a word, also one that a newer server has. */
export function statusName(status: AgentStatus): string {
  return STATUS_NAMES[status] ?? "Unknown";
}

const MEANINGS: Record<AgentStatus, string> = {
  AGENT_STATUS_ONLINE: "New chats are offered to you",
  AGENT_STATUS_BUSY: "At work, no new chats",
  AGENT_STATUS_AWAY: "Not at the desk",
  AGENT_STATUS_OFFLINE: "Not working",
};

const STATUSES = Object.keys(STATUS_NAMES) as AgentStatus[];

export function StatusSwitch({ desk }: { desk: Workplace }) {
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState(desk.state.reason ?? "");
  const menu = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const onPointerDown = (event: PointerEvent) => {
      if (!menu.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", onPointerDown);
    return () => document.removeEventListener("pointerdown", onPointerDown);
  }, [open]);
  const status = desk.state.status ?? "AGENT_STATUS_OFFLINE";
  const choose = (next: AgentStatus) => {
    setOpen(false);
    void desk.setStatus(next, next === "AGENT_STATUS_ONLINE" ? "" : reason.trim());
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Esc is heard from any control inside.
    <div
      ref={menu}
      class="status"
      onKeyDown={(event) => {
        if (event.key === "Escape") setOpen(false);
      }}
    >
      <button
        type="button"
        class="status-button"
        aria-expanded={open}
        aria-haspopup="true"
        onClick={() => setOpen(!open)}
      >
        <span class="dot" data-status={status} />
        {statusName(status)}
        {desk.state.reason && <span class="soft"> · {desk.state.reason}</span>}
      </button>
      {open && (
        <div class="menu">
          {STATUSES.map((choice) => (
            <button
              key={choice}
              type="button"
              aria-pressed={choice === status}
              onClick={() => choose(choice)}
            >
              <span class="dot" data-status={choice} />
              <span>
                <b>{STATUS_NAMES[choice]}</b>
                <small>{MEANINGS[choice]}</small>
              </span>
            </button>
          ))}
          <label>
            Reason
            <input
              maxLength={60}
              placeholder="Lunch, training…"
              value={reason}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          </label>
          <button type="button" class="sign-out" onClick={() => desk.signOut()}>
            Sign out
          </button>
        </div>
      )}
    </div>
  );
}
