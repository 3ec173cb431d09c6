//! Which keys stand in the conversations that are appended to: a filter before
//! any look-up in the file. It may take a new key for a known one, never the
//! other way round.

use frontdesk_core::ids::ConversationId;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// Keys remembered in each of the two generations: with about 9 bytes a key and
/// 130 a conversation, 20 MiB together. A conversation that has more by itself
/// stays as long as it is written to.
const GENERATION_KEYS: usize = 1024 * 1024;
/// What a conversation counts for besides its keys.
const CONVERSATION_KEYS: usize = 16;

/// Fingerprints of all keys of one conversation.
pub(super) type Fingerprints = HashSet<u32, BuildHasherDefault<AsItIs>>;

/// Conversations that were appended to of late. What is in use stays in `young`;
/// what was not used for a generation goes.
#[derive(Debug, Default)]
pub(super) struct Known {
    young: HashMap<ConversationId, Fingerprints>,
    old: HashMap<ConversationId, Fingerprints>,
    young_keys: usize,
}

impl Known {
    /// The fingerprints of a conversation; `load` reads them all when it is not
    /// remembered. Until `end_group` they stay, and more may be added.
    pub(super) fn of<E>(
        &mut self,
        conversation: ConversationId,
        load: impl FnOnce() -> Result<Fingerprints, E>,
    ) -> Result<Remembered<'_>, E> {
        let prints = match self.young.entry(conversation) {
            Entry::Occupied(young) => young.into_mut(),
            Entry::Vacant(place) => {
                let prints = self.old.remove(&conversation).map_or_else(load, Ok)?;
                self.young_keys += prints.len() + CONVERSATION_KEYS;
                place.insert(prints)
            }
        };
        Ok(Remembered { prints, young_keys: &mut self.young_keys })
    }

    /// Forgets what was not used for long when there is too much. Never within a
    /// group: what it has added is nowhere else yet.
    pub(super) fn end_group(&mut self) {
        if self.young_keys > GENERATION_KEYS {
            self.old = std::mem::take(&mut self.young);
            self.young_keys = 0;
        }
    }
}

/// The fingerprints of one conversation.
pub(super) struct Remembered<'k> {
    prints: &'k mut Fingerprints,
    young_keys: &'k mut usize,
}

impl Remembered<'_> {
    /// Whether a key of this fingerprint may stand in the conversation.
    pub(super) fn may_have(&self, fingerprint: u32) -> bool {
        self.prints.contains(&fingerprint)
    }

    /// A key of this fingerprint is being appended.
    pub(super) fn add(&mut self, fingerprint: u32) {
        *self.young_keys += usize::from(self.prints.insert(fingerprint));
    }
}

/// Fingerprints are hashes already.
#[derive(Debug, Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0 << 8 | u64::from(*byte));
    }

    fn write_u32(&mut self, print: u32) {
        // The table takes its places from the low bits and its tags from the
        // high ones.
        self.0 = u64::from(print) << 32 | u64::from(print);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use uuid::Uuid;

    fn id(n: usize) -> ConversationId {
        ConversationId::from_uuid(Uuid::from_u128(n as u128 + 1))
    }

    fn loaded(prints: &[u32]) -> Result<Fingerprints, Infallible> {
        Ok(prints.iter().copied().collect())
    }

    #[test]
    fn a_conversation_is_loaded_once_and_added_to() {
        let mut known = Known::default();
        let mut first = known.of(id(1), || loaded(&[1, 2])).unwrap();
        assert!(first.may_have(1) && !first.may_have(3));
        first.add(3);
        let again = known.of(id(1), || -> Result<_, Infallible> { panic!("remembered") }).unwrap();
        assert!(again.may_have(3));
    }

    #[test]
    fn what_is_in_use_stays_and_the_rest_goes() {
        let mut known = Known::default();
        let mut loads = 0;
        for n in 0..4 * GENERATION_KEYS / CONVERSATION_KEYS {
            for conversation in [id(0), id(n)] {
                known
                    .of(conversation, || {
                        loads += usize::from(conversation == id(0));
                        loaded(&[7])
                    })
                    .unwrap();
            }
            known.end_group();
        }
        assert_eq!(loads, 1);
        assert!(known.young_keys <= GENERATION_KEYS);
        let most = GENERATION_KEYS / CONVERSATION_KEYS + 1;
        assert!(known.young.len() <= most && known.old.len() <= most);
        let mut again = 0;
        let count = || {
            again += 1;
            loaded(&[])
        };
        known.of(id(1), count).unwrap();
        assert_eq!(again, 1);
    }
}
