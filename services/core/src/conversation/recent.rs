//! The last sender ids of a conversation, so that a retry is answered from
//! memory. The journal's unique index stands behind it for older ones.
//!
//! Packed into one buffer: every live conversation carries them.

use super::limits::RECENT_IDS;
use crate::ids::{ClientMsgId, Seq};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// As snapshots have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    sender: Uuid,
    id: ClientMsgId,
    seq: Seq,
    at: Timestamp,
}

/// Holds at most `RECENT_IDS` entries, oldest first: of each the length of its
/// key, the key, the seq and the time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Entry>", into = "Vec<Entry>")]
pub(super) struct RecentIds(Vec<u8>);

/// Bytes of the seq and the time behind a key.
const PLACE_BYTES: usize = 4 + 8;
/// The form of an id: as it is, or a UUID's bytes instead of its text.
const AS_IT_IS: u8 = 0;
const UUID: u8 = 1;

/// A sender and an id, as they are packed.
struct Key {
    bytes: [u8; 16 + 1 + ClientMsgId::MAX_BYTES],
    len: usize,
}

impl Key {
    fn new(sender: Uuid, id: &ClientMsgId) -> Self {
        let mut key = Self { bytes: [0; 16 + 1 + ClientMsgId::MAX_BYTES], len: 0 };
        key.put(sender.as_bytes());
        match uuid_of(id.as_str()) {
            Some(uuid) => {
                key.put(&[UUID]);
                key.put(uuid.as_bytes());
            }
            None => {
                key.put(&[AS_IT_IS]);
                key.put(id.as_str().as_bytes());
            }
        }
        key
    }

    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The UUID whose usual text this is.
fn uuid_of(text: &str) -> Option<Uuid> {
    if text.len() != Hyphenated::LENGTH {
        return None;
    }
    let uuid = Uuid::try_parse(text).ok()?;
    let mut usual = [0; Hyphenated::LENGTH];
    (uuid.as_hyphenated().encode_lower(&mut usual) == text).then_some(uuid)
}

impl RecentIds {
    pub(super) fn find(&self, sender: Uuid, id: &ClientMsgId) -> Option<(Seq, Timestamp)> {
        let key = Key::new(sender, id);
        self.iter().find(|(known, ..)| *known == key.as_bytes()).map(|(_, seq, at)| (seq, at))
    }

    pub(super) fn remember(&mut self, sender: Uuid, id: &ClientMsgId, seq: Seq, at: Timestamp) {
        // A stored state may hold more, from when more were remembered.
        let excess = (self.iter().count() + 1).saturating_sub(RECENT_IDS);
        let oldest = self.iter().take(excess);
        let forgotten: usize = oldest.map(|(key, ..)| 1 + key.len() + PLACE_BYTES).sum();
        self.0.drain(..forgotten);
        let key = Key::new(sender, id);
        self.0.reserve_exact(1 + key.len + PLACE_BYTES);
        self.0.push(key.len as u8);
        self.0.extend_from_slice(key.as_bytes());
        self.0.extend_from_slice(&seq.get().to_le_bytes());
        self.0.extend_from_slice(&at.as_millis().to_le_bytes());
    }

    fn iter(&self) -> impl Iterator<Item = (&[u8], Seq, Timestamp)> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            let (&len, after) = rest.split_first()?;
            let (key, after) = after.split_at_checked(usize::from(len))?;
            let (seq, after) = after.split_first_chunk()?;
            let (at, after) = after.split_first_chunk()?;
            rest = after;
            let at = Timestamp::from_millis(u64::from_le_bytes(*at));
            Some((key, Seq::new(u32::from_le_bytes(*seq)), at))
        })
    }
}

impl From<Vec<Entry>> for RecentIds {
    fn from(entries: Vec<Entry>) -> Self {
        let mut recent = Self::default();
        for Entry { sender, id, seq, at } in entries {
            recent.remember(sender, &id, seq, at);
        }
        recent
    }
}

impl From<RecentIds> for Vec<Entry> {
    fn from(recent: RecentIds) -> Self {
        let unpacked = recent.iter().map(|(key, seq, at)| {
            let (sender, id) = key.split_first_chunk().expect("a key begins with its sender");
            let id = match id.split_first() {
                Some((&UUID, uuid)) => Uuid::from_slice(uuid).unwrap_or_default().to_string(),
                Some((_, text)) => String::from_utf8_lossy(text).into_owned(),
                None => String::new(),
            };
            let id = id.parse().expect("only valid ids are packed");
            Entry { sender: Uuid::from_bytes(*sender), id, seq, at }
        });
        unpacked.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: &str = "0193a5b2-7c1e-7def-8000-00000000002a";

    fn id(text: &str) -> ClientMsgId {
        text.parse().unwrap()
    }

    fn sender(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn place(n: u32) -> (Seq, Timestamp) {
        (Seq::new(n), Timestamp::from_millis(1_763_877_600_000 + u64::from(n)))
    }

    #[test]
    fn ids_of_any_form_are_found_and_told_apart() {
        let texts = [LATER, &LATER.to_uppercase(), &LATER.replace('-', ""), "m1", "m1 "];
        let mut recent = RecentIds::default();
        for (n, text) in (0..).zip(texts) {
            assert_eq!(recent.find(sender(1), &id(text)), None, "{text}");
            let (seq, at) = place(n);
            recent.remember(sender(1), &id(text), seq, at);
        }
        for (n, text) in (0..).zip(texts) {
            assert_eq!(recent.find(sender(1), &id(text)), Some(place(n)), "{text}");
            assert_eq!(recent.find(sender(2), &id(text)), None);
        }
        assert_eq!(recent.find(sender(1), &id("m")), None);
    }

    #[test]
    fn the_oldest_are_forgotten_and_the_buffer_grows_no_more() {
        let mut recent = RecentIds::default();
        let mut capacity = 0;
        for n in 0..100 {
            let (seq, at) = place(n);
            recent.remember(sender(1), &id(&format!("{n:064}")), seq, at);
            if n == RECENT_IDS as u32 {
                capacity = recent.0.capacity();
            }
        }
        let known = (0..100).filter(|n| recent.find(sender(1), &id(&format!("{n:064}"))).is_some());
        assert_eq!(known.collect::<Vec<_>>(), (100 - RECENT_IDS as u32..100).collect::<Vec<_>>());
        assert_eq!(recent.0.capacity(), capacity);
    }

    #[test]
    fn snapshots_have_them_as_before() {
        let mut recent = RecentIds::default();
        for (n, text) in [(1, LATER), (2, "m-2")] {
            let (seq, at) = place(n);
            recent.remember(sender(7), &id(text), seq, at);
        }
        let json = serde_json::to_string(&recent).unwrap();
        assert_eq!(
            json,
            "[{\"sender\":\"00000000-0000-0000-0000-000000000007\",\
            \"id\":\"0193a5b2-7c1e-7def-8000-00000000002a\",\"seq\":1,\"at\":1763877600001},\
            {\"sender\":\"00000000-0000-0000-0000-000000000007\",\
            \"id\":\"m-2\",\"seq\":2,\"at\":1763877600002}]"
        );
        assert_eq!(serde_json::from_str::<RecentIds>(&json).unwrap(), recent);
    }
}
