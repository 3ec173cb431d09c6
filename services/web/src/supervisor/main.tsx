// The supervisor board.

import "../ui/base.css";
import "../staff/base.css";
import "../staff/dialogs.css";
import "../staff/status.css";
import "../staff/offers.css";
import "../ui/thread.css";
import "../staff/messages.css";
import "../staff/details.css";
import "../staff/pane.css";
import "./board.css";
import "./watch.css";
import { mount } from "../staff/page";
import { Board } from "./board";
import { BoardView } from "./board-view";

void mount("supervisor", {
  purpose: "Sign in to see how your site is doing.",
  open: (session, signedOut) => new Board(session, signedOut),
  View: BoardView,
});
