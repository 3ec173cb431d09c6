// The alarms of a conversation as badges.

import type { AlarmKind } from "../protocol";
import { ALARM_NAMES, ALARM_TEXTS } from "./notices";

export function AlarmBadges({ alarms }: { alarms: readonly AlarmKind[] }) {
  return (
    <>
      {alarms.map((kind) => (
        <span key={kind} class="alarm" title={ALARM_TEXTS[kind]}>
          {ALARM_NAMES[kind] ?? "Alarm"}
        </span>
      ))}
    </>
  );
}
