// The queues: who waits, who could take them, and how the day went.

import type { BoardPush, BoardQueue } from "../protocol";
import { LANGUAGE } from "../staff/language";
import { useNow } from "../ui/model";
import type { Board } from "./board";
import { oldestSince, percent, waitClock } from "./rows";
import { FilterRow, Table } from "./table";

interface Props {
  desk: Board;
  board: BoardPush;
}

const COLUMNS = [
  "Queue",
  "Waiting",
  "Offered",
  "With agents",
  "Longest wait",
  "Agents",
  "Free slots",
  "In time",
  "Chats today",
  "Served",
  "Abandoned",
];

export function QueueTable({ desk, board }: Props) {
  useNow(1_000);
  return (
    <Table
      name="queues"
      title="Queues"
      columns={COLUMNS}
      empty="There are no queues."
      rows={(board.queues ?? []).map((queue) => (
        <QueueRow key={queue.state?.queue} desk={desk} queue={queue} />
      ))}
    />
  );
}

function QueueRow({ desk, queue }: { desk: Board; queue: BoardQueue }) {
  const name = queue.state?.queue ?? "";
  const { waiting = 0, offered = 0 } = queue.state ?? {};
  const since = oldestSince(queue);
  const chosen = desk.filter.queue === name;
  return (
    <FilterRow
      chosen={chosen}
      name={name}
      title="List only these conversations"
      toggle={() => desk.show({ queue: chosen ? "" : name })}
      beside={!queue.open && <span class="part">closed</span>}
    >
      <td data-raised={waiting > 0}>{waiting}</td>
      <td>{offered}</td>
      <td>{queue.assigned ?? 0}</td>
      <td>{since === undefined ? "–" : waitClock(desk.serverNow() - since)}</td>
      <td>
        <Count status="ONLINE" name="online" count={queue.agentsOnline} />
        <Count status="BUSY" name="busy" count={queue.agentsBusy} />
        <Count status="AWAY" name="away" count={queue.agentsAway} />
      </td>
      <td>{queue.freeSlots ?? 0}</td>
      <td>{percent(queue.serviceLevel, LANGUAGE)}</td>
      <td>{queue.arrivals ?? 0}</td>
      <td>{queue.served ?? 0}</td>
      <td>{queue.abandoned ?? 0}</td>
    </FilterRow>
  );
}

interface CountProps {
  status: "ONLINE" | "BUSY" | "AWAY";
  name: string;
  count: number | undefined;
}

function Count({ status, name, count = 0 }: CountProps) {
  return (
    <span class="agents-count" title={`${count} ${name}`}>
      <span class="dot" data-status={`AGENT_STATUS_${status}`} /> {count}
      <span class="hidden"> {name}</span>
    </span>
  );
}
