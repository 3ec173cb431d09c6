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
//! | `resolved` | served ones that ended and were not taken up again since |
//! | `transfers` | times that an agent handed one on |
//! | `lost` | times that an agent went away with one |
//! | `requeues` | times that one was made to wait once more or elsewhere: handed on, lost, put back, moved on by its queue |
//! | `rewait` | from a transfer or a loss to the next agent |
//! | `offers`, `declined`, `missed` | agents asked; those who refused; who did not answer |
//! | `visitor_messages`, `staff_messages` | messages of either side; notes are none |
//! | `rated`, `rating` | ratings, and their mean |
//! | `concurrency` | conversations of an agent at once: handling time by the time in which the agent had any |
//! | `levels` | how long they took an agent, by how many it had at once meanwhile, of any queue (the mean over the time, rounded) |
//! | `occupancy` | slots taken by conversations, by the slots of the same agents while they were there; wrap-up counts as free |
//! | `by_bots` | episodes that only bots had |
//!
//! What concerns a wait counts for the queue an episode began in, and for the agent who
//! ended it; what an agent did, for the queue it was done in.
//!
//! A bot is no agent here: what it says is no response, what it has is neither served nor
//! handled, and who was handed on by one has waited for a person since then. Who is a bot,
//! how many slots an agent has and what a queue aims at is as configured now.
//!
//! When agents were there is not in the journal, but what they did is; `there` says what
//! is concluded from it. Occupancy is told by agent and queue only: the time in which
//! nobody came belongs to no hour in which an episode began, no tag and no language.

mod fold;
mod record;
mod sample;
mod table;
#[cfg(test)]
mod tests;
mod there;

pub use fold::Fold;
pub use record::{
    Answer, Asked, End, Episode, MAX_OPENING, OfferFact, Opening, Record, Rewait, Stint,
};
pub use sample::{Count, Rule, Span};
pub use table::{Dimension, Durations, Key, Level, NoDimension, Row, Table};
pub use there::{Acts, Crowd, GAP, Stretch};
