// The agents: their status, for how long, and what they carry.

import type { BoardAgent, BoardPush } from "../protocol";
import { timestampMs } from "../protocol";
import { statusName } from "../staff/status";
import { shortAge } from "../ui/format";
import type { Board } from "./board";
import { agentRows } from "./rows";
import { FilterRow, Table } from "./table";

interface Props {
  desk: Board;
  board: BoardPush;
}

/** A table of thousands, drawn each second, is of no use to anybody. */
const MOST_ROWS = 200;

const COLUMNS = ["Agent", "Status", "Since", "Chats", "Slots"];

export function AgentTable({ desk, board }: Props) {
  const all = agentRows(board);
  const agents = all.slice(0, MOST_ROWS);
  return (
    <Table
      name="agents"
      title="Agents"
      columns={COLUMNS}
      empty="Nobody is signed in."
      rows={agents.map((agent) => (
        <AgentRow key={agent.state?.agent?.id} desk={desk} agent={agent} />
      ))}
      more={all.length > agents.length && `And ${all.length - agents.length} more.`}
    />
  );
}

function AgentRow({ desk, agent }: { desk: Board; agent: BoardAgent }) {
  const { agent: who, status = "AGENT_STATUS_OFFLINE", reason, since } = agent.state ?? {};
  const { load = 0, capacity = 0, missedOffers = 0, languages = [] } = agent.state ?? {};
  const id = who?.id ?? "";
  const chosen = desk.filter.agentId === id && id !== "";
  const at = timestampMs(since, 0);
  return (
    <FilterRow
      chosen={chosen}
      name={who?.name || "Agent"}
      title="List only this agent's conversations"
      toggle={() => desk.show({ agentId: chosen ? "" : id })}
      beside={languages.length > 0 && <small class="soft">{languages.join(", ")}</small>}
    >
      <td>
        <span class="dot" data-status={status} /> {statusName(status)}
        {reason && <span class="soft"> · {reason}</span>}
        {missedOffers > 0 && (
          <span class="alarm" title="Offers in a row that were not answered">
            {missedOffers} missed
          </span>
        )}
      </td>
      <td>{at > 0 ? shortAge(desk.serverNow() - at) : "–"}</td>
      <td>{agent.conversations ?? 0}</td>
      <td data-raised={capacity > 0 && load >= capacity}>
        {load}/{capacity}
      </td>
    </FilterRow>
  );
}
