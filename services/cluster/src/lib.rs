//! The Raft group behind presence, membership and placement.
//!
//! `PresenceGroup` replicates `frontdesk_core::presence::PresenceState`. Which
//! consensus library does it is known only in here: no type of it is public.
//! Nothing here decides what a command does; that is `core`.

mod changes;
mod clock;
mod error;
mod group;
mod leadership;
mod metrics;
mod network;
mod router;
mod settings;
mod storage;
mod transport;
mod types;
mod voter;

pub use changes::PlacementChange;
pub use clock::{Clock, SystemClock};
pub use error::GroupError;
pub use group::PresenceGroup;
pub use router::LocalRouter;
pub use settings::GroupSettings;
pub use transport::{Peer, PeerRequest, RaftTransport, RequestKind, TransportError, VoterId};
