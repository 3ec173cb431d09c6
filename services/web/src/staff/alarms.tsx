// The alarms of a conversation as badges.

import type { AlarmKind } from "../protocol";
import { alarmName, alarmText } from "./notices";

export function AlarmBadges({ alarms }: { alarms: readonly AlarmKind[] }) {
  return (
    <>
      {alarms.map((kind) => (
        <span key={kind} class="alarm" title={alarmText(kind)}>
          {alarmName(kind)}
        </span>
      ))}
    </>
  );
}
