// A round picture of somebody: the initials, or a figure where there is no name.

import { initials } from "./format";
import { PersonIcon } from "./icons";

export function Avatar({ name }: { name: string | undefined }) {
  return (
    <span class="avatar" aria-hidden="true">
      {initials(name ?? "") || <PersonIcon />}
    </span>
  );
}
