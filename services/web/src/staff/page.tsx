// A page for the staff: the sign-in form, or the workplace of whoever is signed in.

import { type ComponentType, render } from "preact";
import { useState } from "preact/hooks";
import { HttpError } from "../protocol";
import { outcomeText, takeOutcome } from "./provider";
import { AgentSession } from "./session";
import { type PageName, SignIn } from "./sign-in";
import type { Workplace } from "./workplace";

export interface StaffPage<W extends Workplace> {
  /** What one signs in for. */
  purpose: string;
  open(session: AgentSession, signedOut: (reason: string | undefined) => void): W;
  View: ComponentType<{ desk: W }>;
}

/** Draws the page into the element with this id. */
export async function mount<W extends Workplace>(id: PageName, page: StaffPage<W>): Promise<void> {
  const session = new AgentSession();
  const place = document.getElementById(id);
  const reason = await comesBack(session);
  if (place) render(<Page id={id} page={page} session={session} reason={reason} />, place);
}

/** Signs in whoever comes back from the provider; says why not. */
async function comesBack(session: AgentSession): Promise<string | undefined> {
  const outcome = takeOutcome();
  if (outcome === undefined) return undefined;
  if (outcome !== "ok") return outcomeText(outcome);
  try {
    await session.redeem();
    return undefined;
  } catch (error) {
    const away = error instanceof HttpError && error.retryable;
    return outcomeText(away ? "unavailable" : "expired");
  }
}

interface Props<W extends Workplace> {
  id: PageName;
  reason: string | undefined;
  page: StaffPage<W>;
  session: AgentSession;
}

function Page<W extends Workplace>({ id, page, session, reason: first }: Props<W>) {
  const { View } = page;
  const [reason, setReason] = useState(first);
  const open = () =>
    page.open(session, (why) => {
      setReason(why);
      setDesk(undefined);
    });
  const [desk, setDesk] = useState<W | undefined>(() => (session.signedIn ? open() : undefined));
  if (desk) return <View desk={desk} />;
  return (
    <SignIn
      page={id}
      purpose={page.purpose}
      session={session}
      reason={reason}
      done={() => setDesk(open())}
    />
  );
}
