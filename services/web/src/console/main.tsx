// The agent console: the sign-in form, or the desk of whoever is signed in.

import "./base.css";
import "./dialogs.css";
import "./sidebar.css";
import "./status.css";
import "./messages.css";
import "./details.css";
import "./pane.css";
import { render } from "preact";
import { useState } from "preact/hooks";
import { Desk } from "./desk";
import { DeskView } from "./desk-view";
import { AgentSession } from "./session";
import { SignIn } from "./sign-in";

const session = new AgentSession();

function Console() {
  const [reason, setReason] = useState<string>();
  const openDesk = () =>
    new Desk(session, (why) => {
      setReason(why);
      setDesk(undefined);
    });
  const [desk, setDesk] = useState<Desk | undefined>(() =>
    session.signedIn ? openDesk() : undefined,
  );
  if (desk) return <DeskView desk={desk} />;
  return <SignIn session={session} reason={reason} done={() => setDesk(openDesk())} />;
}

const place = document.getElementById("console");
if (place) render(<Console />, place);
