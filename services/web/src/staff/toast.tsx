// A short word about something that did not work.

import type { Workplace } from "./workplace";

export function Toast({ desk }: { desk: Workplace }) {
  return (
    <p class="toast" role="status" data-shown={desk.notice !== undefined}>
      {desk.notice}
    </p>
  );
}
