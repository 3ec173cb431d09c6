//! The seams between the roles: what each asks of the others.
//!
//! A caller holds an `Arc<dyn Trait>` and cannot tell whether the role runs in
//! this process or behind the network. Types are those of `core`: bytes are
//! parsed at the edge and trusted inside.

mod desk;
mod error;
mod presence;
mod presence_port;
mod queueing;
mod routing;
mod sessions;
mod sign_in;
mod walk;

use frontdesk_core::time::Timestamp;
use std::sync::Arc;

pub use desk::{
    AgentAccount, Applied, AttachmentFilter, AttachmentRecord, AuditPage, Desk, EndedSessions,
    MadeAccount, Problem, QueueConfig, SiteConfig,
};
pub use error::ApiError;
pub use presence::{AgentConnect, Presence, PresenceChange, ReserveRequest};
pub use presence_port::{PresencePort, refused};
pub use queueing::{QueueChange, QueueKey, QueuePosition, QueueView, Queueing, WaitingEntry};
pub use routing::{Explanation, OfferView, Routing, WorkObserver};
pub use sessions::{
    Attach, Attached, Envelope, EventPage, HistoryQuery, ListFilter, PageEvent, Place, RecordPage,
    ReplyFuture, Sessions, SummaryPage,
};
pub use sign_in::{PasswordAttempt, Unbound, Vouched, Whence};
pub use walk::OpenWalk;

/// The time now; never read where a decision is made, but handed to it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
