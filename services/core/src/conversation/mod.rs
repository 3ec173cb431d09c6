//! One conversation: the machine behind promises P2, P3 and P6.
//!
//! `Conversation::step` decides on a command and applies what it decided. It
//! must never refuse what it has accepted before under the same
//! `client_msg_id`, and never let an event be seen by an audience it is not for.

mod alarm;
mod check;
mod command;
mod decide;
mod erase;
mod event;
mod guests;
mod handover;
mod limits;
mod recent;
mod rights;
mod state;
mod summary;
mod supervise;
#[cfg(test)]
mod tests;
mod unserved;
mod watch;

pub use alarm::{ActionName, Alarm, AlarmAction, AlarmKind, RaisedAlarm, Texts};
pub use check::is_channel;
pub use command::{Command, Instead, Outcome, Reject, StartRequest, TransferTarget};
pub use event::{
    Attachment, Body, ClosedReason, Consent, Contact, ErasedWhy, Event, OfferOutcome, QueuedReason,
    ReleasedReason, Unserved,
};
pub use guests::{Asked, AskedTo};
pub use limits::*;
pub use state::{Conversation, Offer, Phase, Step};
pub use summary::Summary;
pub use unserved::{Arrival, Reachable};
pub use watch::{Facts, HandedOn, Remembered, Stage, VisitorSeen, Watch};
