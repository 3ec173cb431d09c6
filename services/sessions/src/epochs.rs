//! Under which epoch each shard is owned here, read with every command.

use frontdesk_core::ids::Epoch;
use frontdesk_core::shard::{SHARDS, ShardId};
use std::sync::atomic::{AtomicU64, Ordering};

/// One number for each shard; 0 when it is not owned.
pub(crate) struct Epochs([AtomicU64; SHARDS as usize]);

impl Default for Epochs {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; SHARDS as usize])
    }
}

impl Epochs {
    /// The default epoch says that the shard is not owned.
    pub(crate) fn set(&self, shard: ShardId, epoch: Epoch) {
        self.0[usize::from(shard.get())].store(epoch.get(), Ordering::Release);
    }

    /// `None` when it is not owned.
    pub(crate) fn get(&self, shard: ShardId) -> Option<Epoch> {
        match self.0[usize::from(shard.get())].load(Ordering::Acquire) {
            0 => None,
            epoch => Some(Epoch::new(epoch)),
        }
    }
}
