//! What is to be done to whom, and what was done: shared by all connections of
//! a proxy, so that a fault happens once.

use frontdesk_proto::v1::Party;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// One way to be wrong. Messages are struck on their way to whom they are for:
/// the other side of their conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is wrong; the message is only noted.
    None,
    /// A message is left out and the events behind it deny it: nobody can tell.
    Lose,
    /// A message is left out: the next event does not follow the last one.
    Gap,
    /// A message comes twice.
    Repeat,
    /// A message comes behind the next event, both with their own numbers.
    Swap,
    /// A message and the sender's next one have changed places: only their
    /// words tell.
    Exchange,
    /// A visitor's message comes in another conversation of the same agent, in
    /// the place of an event about an offer.
    Misroute,
    /// A letter of a message is another one.
    Damage,
    /// A visitor receives a note that is for the staff.
    Leak,
    /// A visitor is told of another agent just before its own is assigned.
    TwoAgents,
    /// An agent is told that it has room for one chat, and gets more.
    Crowd,
    /// A message is acknowledged and thrown away.
    FalseSent,
    /// A message is acknowledged under the next one's number.
    WrongPlace,
    /// Every frame comes this much later.
    Slow(Duration),
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// The conversation; the agent for [`Fault::Crowd`].
    pub conversation: String,
    /// Who sent the message.
    pub by: Party,
    /// `seq` of its event; of the acknowledgement for [`Fault::FalseSent`]; 0
    /// without any.
    pub seq: u32,
    /// The words of the message as they were sent; empty when there were none.
    pub text: String,
    /// The conversation in which a misrouted message came instead.
    pub into: Option<String>,
}

/// A fault and its occasion.
#[derive(Debug)]
pub struct Plot {
    pub(super) fault: Fault,
    pub(super) by: Party,
    pub(super) nth: u32,
    deed: Mutex<Option<Deed>>,
}

impl Plot {
    /// Strikes the first conversation in which this side says so many messages
    /// (`nth` counts from 1): its `nth` one. Faults without a message strike at
    /// the first occasion.
    pub fn new(fault: Fault, by: Party, nth: u32) -> Self {
        Self { fault, by, nth, deed: Mutex::default() }
    }

    /// What was done, if anything was.
    pub fn deed(&self) -> Option<Deed> {
        self.deed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn is_open(&self) -> bool {
        self.deed().is_none()
    }

    /// Whether it is for the caller to do it.
    pub(super) fn claim(&self, deed: Deed) -> bool {
        let mut done = self.deed.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = done.is_none();
        done.get_or_insert(deed);
        mine
    }

    /// A misrouted message has arrived.
    pub(super) fn arrived(&self, into: &str) {
        let mut done = self.deed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(deed) = done.as_mut() {
            deed.into = Some(into.to_owned());
        }
    }
}
