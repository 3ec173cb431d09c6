//! Which shards a role owns here, for roles whose state is derived: they hear of
//! a shard's conversations from the moment it is theirs, and answer for it once
//! they know all of them.

use frontdesk_core::shard::ShardId;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

/// Shared by the parts of a role. Changed only as a `ShardHost` is told.
#[derive(Debug, Clone)]
pub struct Ownership(Arc<RwLock<Shards>>);

#[derive(Debug, Default)]
struct Shards {
    /// Heard of and worked on.
    held: BTreeSet<ShardId>,
    /// Answered for.
    served: BTreeSet<ShardId>,
}

impl Ownership {
    /// Nothing yet.
    pub fn nothing() -> Self {
        Self(Arc::default())
    }

    /// Everything, for good: all roles are in one process.
    pub fn everything() -> Self {
        let all: BTreeSet<ShardId> = ShardId::all().collect();
        Self(Arc::new(RwLock::new(Shards { held: all.clone(), served: all })))
    }

    /// Whether a shard is worked on here.
    pub fn holds(&self, shard: ShardId) -> bool {
        self.read(|shards| shards.held.contains(&shard))
    }

    /// Whether questions about a shard are answered here.
    pub fn serves(&self, shard: ShardId) -> bool {
        self.read(|shards| shards.served.contains(&shard))
    }

    /// Shards are worked on from now on.
    pub fn hold(&self, shards: impl IntoIterator<Item = ShardId>) {
        self.change(|known| known.held.extend(shards));
    }

    /// All that is worked on is known: it is answered for from now on.
    pub fn serve(&self, shards: impl IntoIterator<Item = ShardId>) {
        self.change(|known| known.served.extend(shards));
    }

    /// Shards are another node's.
    pub fn drop_all(&self, shards: &[ShardId]) {
        self.change(|known| {
            known.held.retain(|shard| !shards.contains(shard));
            known.served.retain(|shard| !shards.contains(shard));
        });
    }

    fn read<T>(&self, read: impl FnOnce(&Shards) -> T) -> T {
        // Sets are whole whatever panicked while they were locked.
        read(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut Shards)) {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_held_before_it_is_served() {
        let owned = Ownership::nothing();
        let shard = ShardId::new(3).unwrap();
        owned.hold([shard]);
        assert!(owned.holds(shard) && !owned.serves(shard));
        owned.serve([shard]);
        assert!(owned.clone().serves(shard));
        owned.drop_all(&[shard]);
        assert!(!owned.holds(shard) && !owned.serves(shard));
        assert!(Ownership::everything().serves(shard));
    }
}
