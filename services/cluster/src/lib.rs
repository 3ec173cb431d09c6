//! What makes processes a cluster: the Raft group behind presence, membership and
//! placement, and the ways of the roles to each other.
//!
//! `fabric` connects processes, `remote` has the roles' traits as seen from
//! elsewhere, `serve` offers a process's own roles to the others.
//!
//! `PresenceGroup` replicates `frontdesk_core::presence::PresenceState`. Which
//! consensus library does it is known only in here: no type of it is public.
//! Nothing here decides what a command does; that is `core`.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tasks of tests need no names"))]

mod changes;
mod clock;
mod error;
mod fabric;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod group;
mod leadership;
mod liveness;
mod membership;
mod metrics;
mod network;
mod remote;
mod router;
mod serve;
mod settings;
mod storage;
mod tenure;
pub mod tls;
mod transport;
mod types;
mod voter;

pub use changes::PlacementChange;
pub use clock::{Clock, SystemClock};
pub use error::GroupError;
pub use fabric::{
    About, Channels, Cluster, ClusterQuestion, ClusterSettings, ClusterTasks, ClusterView,
    DeskQuestion, FollowQuestion, PresenceQuestion, Question, QueueingQuestion, RoutingQuestion,
    SessionsQuestion,
};
pub use group::PresenceGroup;
pub use membership::{GroupStatus, MAX_VOTERS, MembershipChange, VoterStatus};
pub use remote::{
    DirectFeed, GrpcTransport, QueueingTasks, RemoteDesk, RemoteObserver, RemotePresence,
    RemoteQueueing, RemoteRouting, RemoteSessions, SessionsTasks,
};
pub use router::LocalRouter;
pub use serve::{Offer, routes};
pub use settings::GroupSettings;
#[cfg(feature = "simulation")]
pub use storage::MemoryDisk;
pub use storage::{Disk, has_log};
pub use tenure::keep;
pub use transport::{Peer, PeerRequest, RaftTransport, RequestKind, TransportError, VoterId};
