// The agent console.

import "../ui/base.css";
import "../staff/base.css";
import "../staff/dialogs.css";
import "../staff/status.css";
import "../staff/offers.css";
import "../ui/thread.css";
import "../staff/messages.css";
import "../staff/details.css";
import "../staff/pane.css";
import "./sidebar.css";
import { mount } from "../staff/page";
import { Desk } from "./desk";
import { DeskView } from "./desk-view";

void mount("console", {
  purpose: "Sign in to answer your visitors.",
  open: (session, signedOut) => new Desk(session, signedOut),
  View: DeskView,
});
