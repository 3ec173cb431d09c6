//! Who is there and has room, which nodes there are, and who owns which shard:
//! the state machine the Raft group replicates.
//!
//! Every replica applies the same commands at the same log indexes and must
//! arrive at the same state. So nothing here reads a clock, draws a random
//! number, or iterates a map whose order is not fixed; time comes in with the
//! command and the epoch of a shard is the index at which it was assigned.

mod agent;
mod claim;
mod command;
mod founding;
pub mod limits;
mod nodes;
mod placement;
mod plan;
mod requests;
mod state;
#[cfg(test)]
mod tests;
mod view;

pub use claim::Claim;
pub use command::{Action, AgentKey, Applied, Command, Refusal, Reply, RequestId};
pub use founding::{Founding, FoundingStep, next_founding_step};
pub use nodes::{Member, NodeRole, incarnation_id, node_name};
pub use placement::{Move, Place, PlacedBy, Placement};
pub use plan::{plan, shares};
pub use state::PresenceState;
pub use view::{AgentProfile, AgentStatus, AgentView, Hold, Reservation};
