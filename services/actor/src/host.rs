//! What a role does whose shards are placed on nodes by the cluster.

use async_trait::async_trait;
use frontdesk_core::ids::Epoch;
use frontdesk_core::shard::ShardId;

/// Why shards could not be taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AcquireError {
    /// Somebody owns one of them under a higher epoch: there will be other news, unless
    /// that epoch is of another presence group.
    #[error("shard {} is owned under the higher epoch {}", shard.get(), epoch.get())]
    Outdated {
        /// One of them.
        shard: ShardId,
        /// Under which it is owned.
        epoch: Epoch,
    },
    /// Something that is needed is away: try again.
    #[error("{0}")]
    Away(String),
}

/// A role that owns shards for as long as it is told to. Calls come one at a time.
#[async_trait]
pub trait ShardHost: Send + Sync + 'static {
    /// Owns these from now on, each under its epoch; returns once they are served.
    /// On an error none is owned.
    async fn acquire(&self, shards: &[(ShardId, Epoch)]) -> Result<(), AcquireError>;

    /// Finishes what is under way and lets go; returns once nothing more is written
    /// for them. What is not here is ignored. Takes seconds at most.
    async fn release(&self, shards: &[ShardId]);
}
