// The site in a few numbers.

import type { BoardPush } from "../protocol";
import { useNow } from "../ui/model";
import type { Board } from "./board";
import { totals, waitClock } from "./rows";

export function Tiles({ desk, board }: { desk: Board; board: BoardPush }) {
  useNow(1_000);
  const { waiting, assigned, oldestSince, online, arrivals, abandoned } = totals(board);
  const longest = oldestSince === undefined ? "–" : waitClock(desk.serverNow() - oldestSince);
  return (
    <dl class="tiles" aria-label="The site now">
      <Tile name="Waiting" value={String(waiting)} />
      <Tile name="Longest wait" value={longest} />
      <Tile name="With agents" value={String(assigned)} />
      <Tile name="Agents online" value={String(online)} />
      <Tile name="Chats today" value={String(arrivals)} />
      <Tile name="Abandoned today" value={String(abandoned)} />
    </dl>
  );
}

function Tile({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
