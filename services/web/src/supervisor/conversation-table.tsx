// The conversations that wait or are with an agent, with a filter; one opens beside.

import type { BoardPush, ConversationState } from "../protocol";
import { timestampMs } from "../protocol";
import { AlarmBadges } from "../staff/alarms";
import { visitorName } from "../staff/chat";
import { LANGUAGE } from "../staff/language";
import { minutesText } from "../staff/notices";
import { clock } from "../ui/format";
import { SearchIcon } from "../ui/icons";
import { useNow } from "../ui/model";
import type { Board } from "./board";
import { ANY, conversationRows, type Filter, waitClock } from "./rows";
import { Table } from "./table";

interface Props {
  desk: Board;
  board: BoardPush;
}

const COLUMNS = ["Visitor", "Queue", "State", "Waits", "Begun", "Marks"];

export function ConversationTable({ desk, board }: Props) {
  useNow(1_000);
  const isQuiet = (board.conversations?.length ?? 0) === 0;
  return (
    <Table
      name="conversations"
      title="Conversations"
      columns={COLUMNS}
      empty={
        isQuiet ? "Nobody waits, and nobody is being served." : "None of them fits the filter."
      }
      rows={conversationRows(board, desk.filter).map((one) => (
        <ConversationRow key={one.conversationId} desk={desk} state={one} />
      ))}
      tools={<FilterBar desk={desk} board={board} />}
      more={board.moreConversations && "There are more; those that have waited longest are listed."}
    />
  );
}

const STATES: Record<Filter["state"], string> = {
  any: "All states",
  waiting: "Waiting",
  assigned: "With agents",
  alarmed: "With an alarm",
};

function FilterBar({ desk, board }: Props) {
  const { filter } = desk;
  const agent = board.agents?.find((one) => one.state?.agent?.id === filter.agentId);
  const queues = (board.queues ?? []).flatMap((queue) => queue.state?.queue ?? []);
  return (
    <search class="filter">
      <div class="search">
        <SearchIcon />
        <input
          type="search"
          aria-label="Search the conversations"
          placeholder="Visitor, agent, tag…"
          value={filter.text}
          onInput={(event) => desk.show({ text: event.currentTarget.value })}
        />
      </div>
      <select
        aria-label="Queue"
        value={filter.queue}
        onChange={(event) => desk.show({ queue: event.currentTarget.value })}
      >
        <option value="">All queues</option>
        {queues.map((queue) => (
          <option key={queue} value={queue}>
            {queue}
          </option>
        ))}
      </select>
      <select
        aria-label="State"
        value={filter.state}
        onChange={(event) => desk.show({ state: event.currentTarget.value as Filter["state"] })}
      >
        {Object.entries(STATES).map(([state, name]) => (
          <option key={state} value={state}>
            {name}
          </option>
        ))}
      </select>
      {filter.agentId && (
        <button type="button" class="secondary" onClick={() => desk.show(ANY)}>
          Only {agent?.state?.agent?.name || "one agent"}: show all
        </button>
      )}
    </search>
  );
}

function ConversationRow({ desk, state }: { desk: Board; state: ConversationState }) {
  const chosen = state.conversationId === desk.selectedId;
  const begun = timestampMs(state.startedAt, 0);
  const waits = state.phase !== "PHASE_ASSIGNED";
  const since = waits ? timestampMs(state.waitingSince, begun) : 0;
  const { alarms = [], extraPriorityMinutes = 0, tags = [] } = state;
  return (
    <tr data-chosen={chosen}>
      <th scope="row">
        <button
          type="button"
          class="cell"
          aria-pressed={chosen}
          title="Watch this conversation"
          onClick={() => (chosen ? desk.lookAway() : desk.lookAt(state))}
        >
          {visitorName(state.visitor, state.conversationId)}
        </button>
        {state.language && <small class="soft">{state.language}</small>}
      </th>
      <td>{state.queue}</td>
      <td>{stateText(state)}</td>
      <td>{since > 0 ? waitClock(desk.serverNow() - since) : "–"}</td>
      <td>{begun > 0 ? clock(begun, LANGUAGE) : "–"}</td>
      <td class="marks">
        <AlarmBadges alarms={alarms} />
        {extraPriorityMinutes !== 0 && (
          <span class="part" title="Extra priority">
            {minutesText(extraPriorityMinutes)}
          </span>
        )}
        {tags.map((tag) => (
          <span key={tag} class="part">
            {tag}
          </span>
        ))}
      </td>
    </tr>
  );
}

function stateText(state: ConversationState): string {
  const position = state.queuePosition?.position ?? 0;
  if (state.phase === "PHASE_WAITING") return position > 0 ? `waits, no. ${position}` : "waits";
  if (state.phase === "PHASE_OFFERED") return "is offered";
  const guests = state.guests?.length ?? 0;
  return `${state.agent?.name || "An agent"}${guests > 0 ? ` and ${guests} more` : ""}`;
}
