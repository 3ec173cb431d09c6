//! How voters reach each other: opaque requests with a deadline. What carries
//! them (this process, gRPC) knows nothing of what is in them.

use async_trait::async_trait;
use std::time::Duration;

/// A voter. Founders have fixed ids; an id is never used again.
pub type VoterId = u64;

/// A voter to talk to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer {
    /// Its id.
    pub id: VoterId,
    /// Where it listens, in the form the transport understands.
    pub address: String,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestKind {
    /// Log entries or a heartbeat.
    Append,
    /// A vote.
    Vote,
    /// Whether a vote would be granted.
    PreVote,
    /// A whole snapshot; may have tens of megabytes.
    Snapshot,
    /// The receiver is to become the leader.
    TransferLeader,
    /// A command for the leader.
    Propose,
    /// The log index a linearizable read has to wait for.
    ReadIndex,
    /// A node lives; for the leader.
    Heartbeat,
    /// A change of who votes; for the leader.
    Membership,
}

/// A request of one voter to another.
#[derive(Debug, Clone)]
pub struct PeerRequest {
    /// What for.
    pub kind: RequestKind,
    /// Encoded; opaque to the transport.
    pub body: Vec<u8>,
}

/// Why a peer did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// There is no way to it now.
    #[error("voter {0} cannot be reached")]
    Unreachable(VoterId),
    /// No answer in time; the request may have been carried out.
    #[error("no answer within {0:?}")]
    Deadline(Duration),
    /// It could not serve the request.
    #[error("refused by the peer: {0}")]
    Refused(String),
}

/// Carries requests between voters.
#[async_trait]
pub trait RaftTransport: Send + Sync + 'static {
    /// Sends a request and waits for the answer, at most `deadline`. Dropping
    /// the future gives the request up.
    async fn call(
        &self,
        peer: &Peer,
        request: PeerRequest,
        deadline: Duration,
    ) -> Result<Vec<u8>, TransportError>;
}
