//! What happened in a support centre, in figures: every one of them is computed from the
//! events of conversations and from nothing else, so all can be computed again.
//!
//! An *episode* begins when a conversation starts, is reopened, or waits again because
//! its visitor left word, and ends when it closes. What is open still has not been
//! counted where an end is needed. Durations are by the clock on the wall, or by the
//! hours of the queue.
//!
//! | figure | definition |
//! |---|---|
//! | `arrivals` | episodes that began |
//! | `served` | of these, those that an agent took |
//! | `abandoned` | those that the visitor ended, or was lost from, before |
//! | `unserved` | those that their queue ended (out of hours, full, too long) |
//! | `wait` | from the beginning to the first agent, of served ones |
//! | `abandoned_after` | from the beginning to the end, of abandoned ones |
//! | `in_target` | served within the queue's `answer_within` |
//! | `of_target` | served, abandoned later than that, or ended for a full queue or too long a wait; SLA % is the one of the other |
//! | `first_response` | from the beginning to the staff's first message |
//! | `response` | from the visitor's first message that nobody has answered to the staff's next |
//! | `handling` | from an agent's taking a conversation to its release or end, for each agent |
//! | `resolution` | from the beginning to the end, of served ones |
//! | `transfers` | times that an agent handed one on |
//! | `lost` | times that an agent went away with one |
//! | `rewait` | from a transfer or a loss to the next agent |
//! | `offers`, `declined`, `missed` | agents asked; those who refused; who did not answer |
//! | `visitor_messages`, `staff_messages` | messages of either side; notes are none |
//! | `rated`, `rating` | ratings, and their mean |
//! | `concurrency` | conversations of an agent at once: handling time by the time in which the agent had any |
//!
//! What concerns a wait counts for the queue an episode began in, and for the agent who
//! ended it; what an agent did, for the queue it was done in.

mod fold;
mod record;
mod sample;
mod table;
#[cfg(test)]
mod tests;

pub use fold::Fold;
pub use record::{Answer, Asked, End, Episode, OfferFact, Record, Rewait, Stint};
pub use sample::{Count, Rule, Span};
pub use table::{Dimension, Durations, Key, NoDimension, Row, Table};
