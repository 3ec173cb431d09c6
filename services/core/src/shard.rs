//! Which shard a conversation belongs to.
//!
//! The number of shards and the hash are fixed for the life of a cluster:
//! changing either would send a conversation to an owner without its journal.

use crate::ids::{ConversationId, SiteId};
use serde::{Deserialize, Serialize};

/// Shards of a cluster, fixed at bootstrap.
pub const SHARDS: u16 = 256;

/// One of the `SHARDS` shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShardId(u16);

impl ShardId {
    /// The shard with this number, if there is one.
    pub const fn new(n: u16) -> Option<Self> {
        if n < SHARDS { Some(Self(n)) } else { None }
    }

    /// The number, below `SHARDS`.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// All shards.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..SHARDS).map(Self)
    }

    /// The shard of a conversation: 64-bit FNV-1a of its 16 bytes, modulo `SHARDS`.
    pub fn of(id: ConversationId) -> Self {
        Self::hash(id.as_bytes())
    }

    /// The shard of a site, for the roles that work by site: the same hash of its
    /// name.
    pub fn of_site(site: &SiteId) -> Self {
        Self::hash(site.as_str().as_bytes())
    }

    fn hash(bytes: &[u8]) -> Self {
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0100_0000_01b3;
        let hash = bytes.iter().fold(OFFSET, |h, b| (h ^ u64::from(*b)).wrapping_mul(PRIME));
        Self((hash % u64::from(SHARDS)) as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    /// The mapping is part of the stored format: these values may never change.
    #[test]
    fn the_mapping_is_pinned() {
        let shard = |n: u128| ShardId::of(ConversationId::from_uuid(Uuid::from_u128(n))).get();
        assert_eq!(
            [shard(1), shard(2), shard(0x0192_0000_0000_7000_8000_0000_0000_0001)],
            [178, 255, 13]
        );
    }

    #[test]
    fn shards_fill_evenly() {
        let mut count = [0u32; SHARDS as usize];
        for n in 0..25_600u128 {
            let id = ConversationId::from_uuid(Uuid::from_u128(0x0192_0000_0000_7000 << 64 | n));
            count[usize::from(ShardId::of(id).get())] += 1;
        }
        assert!(count.iter().all(|c| (50..200).contains(c)), "{count:?}");
    }
}
