// Tells an agent that the server has put them away for offers that were missed.

import type { Workplace } from "./workplace";

export function SetAside({ desk }: { desk: Workplace }) {
  if (!desk.setAside) return null;
  return (
    <div class="set-aside" role="alert">
      <p>You are set to away: offers were not answered.</p>
      <button
        type="button"
        class="link"
        onClick={() => void desk.setStatus("AGENT_STATUS_ONLINE", "")}
      >
        Go online
      </button>
      <button
        type="button"
        class="link"
        onClick={() => void desk.setStatus("AGENT_STATUS_AWAY", "")}
      >
        Stay away
      </button>
    </div>
  );
}
