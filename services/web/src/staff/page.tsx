// A page for the staff: the sign-in form, or the workplace of whoever is signed in.

import { type ComponentType, render } from "preact";
import { useState } from "preact/hooks";
import { AgentSession } from "./session";
import { SignIn } from "./sign-in";
import type { Workplace } from "./workplace";

export interface StaffPage<W extends Workplace> {
  /** What one signs in for. */
  purpose: string;
  open(session: AgentSession, signedOut: (reason: string | undefined) => void): W;
  View: ComponentType<{ desk: W }>;
}

/** Draws the page into the element with this id. */
export function mount<W extends Workplace>(id: string, page: StaffPage<W>): void {
  const session = new AgentSession();
  const place = document.getElementById(id);
  if (place) render(<Page page={page} session={session} />, place);
}

interface Props<W extends Workplace> {
  page: StaffPage<W>;
  session: AgentSession;
}

function Page<W extends Workplace>({ page, session }: Props<W>) {
  const { View } = page;
  const [reason, setReason] = useState<string>();
  const open = () =>
    page.open(session, (why) => {
      setReason(why);
      setDesk(undefined);
    });
  const [desk, setDesk] = useState<W | undefined>(() => (session.signedIn ? open() : undefined));
  if (desk) return <View desk={desk} />;
  return (
    <SignIn purpose={page.purpose} session={session} reason={reason} done={() => setDesk(open())} />
  );
}
