//! The roles' traits as seen from another process: each finds who to ask in the
//! placement, asks within a deadline, and asks again where that cannot do harm.

mod desk;
mod fanout;
mod observers;
mod presence;
mod queueing;
mod raft;
mod routing;
mod sessions;

pub use desk::RemoteDesk;
pub use fanout::DirectFeed;
pub use observers::RemoteObserver;
pub use presence::RemotePresence;
pub use queueing::{QueueingTasks, RemoteQueueing};
pub use raft::GrpcTransport;
pub use routing::RemoteRouting;
pub use sessions::{RemoteSessions, SessionsTasks};

use std::time::Duration;

/// For a question to another role, with all its attempts.
const DEADLINE: Duration = Duration::from_secs(4);
/// For a question whose answer may be long.
const LIST_DEADLINE: Duration = Duration::from_secs(5);
