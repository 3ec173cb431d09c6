//! How a process of a cluster reaches the others: channels that heal themselves,
//! questions with deadlines, and its view of who is there and owns what.
//!
//! Nothing here decides anything; what a question means is known in `remote`
//! (who asks) and `serve` (who answers).

mod about;
mod ask;
mod calls;
mod channels;
mod cluster;
mod document;
mod follow;
mod member;
mod owners;
mod question;
mod view;
mod voters;

pub use about::About;
pub(crate) use ask::ask;
pub(crate) use calls::{Call, answer, call};
pub use channels::Channels;
pub use cluster::{Cluster, ClusterSettings, ClusterTasks};
pub(crate) use document::{decode, decode_bytes, encode, encode_bytes, what_is_asked};
pub(crate) use follow::News;
pub(crate) use owners::repeat;
pub(crate) use question::Secret;
pub use question::{
    ClusterQuestion, DeskQuestion, FollowQuestion, PresenceQuestion, Question, QueueingQuestion,
    RoutingQuestion, SessionsQuestion,
};
pub use view::ClusterView;
