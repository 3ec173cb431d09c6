//! Records as bytes, side by side in one blob: what a group commits and what a
//! row of `runs` holds. Part of the stored format; all numbers little-endian.
//!
//! A record: `prev_public` (4), fingerprint of its key or 0 (4), internal (1),
//! with a key its sender (16) and the length (1) and bytes of its client_msg_id,
//! length (4) and bytes of its payload. In a group the conversation (16) and the
//! seq (4) come before each.

use crate::journal::{DedupKey, Record};
use bytes::Bytes;
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_core::party::Audience;
use uuid::Uuid;

/// Bytes of the conversation and the seq before a record of a group.
const PLACE_BYTES: usize = 16 + 4;

/// Bytes that are no packed records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("packed records are cut short or malformed")]
pub(super) struct Malformed;

/// A few bits of a key: those of different keys mostly differ. Never 0.
pub(super) fn fingerprint(key: &DedupKey) -> u32 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |hash: u64, word: u64| {
        let mixed = (hash ^ word).wrapping_mul(FACTOR);
        mixed ^ (mixed >> 32)
    };
    let (high, low) = key.sender.as_u64_pair();
    let id = key.client_msg_id.as_bytes();
    let (words, rest) = id.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let start = mix(mix(id.len() as u64, high), low);
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let hash = words.chain([u64::from_le_bytes(last)]).fold(start, mix);
    ((hash >> 32) as u32).max(1)
}

/// Packs a record of a group; `fingerprint` is its key's, or 0 when it has none.
pub(super) fn pack(
    out: &mut Vec<u8>,
    conversation: ConversationId,
    record: &Record,
    fingerprint: u32,
) {
    out.extend_from_slice(conversation.as_bytes());
    out.extend_from_slice(&record.seq.get().to_le_bytes());
    out.extend_from_slice(&record.prev_public.get().to_le_bytes());
    out.extend_from_slice(&fingerprint.to_le_bytes());
    out.push(u8::from(record.audience == Audience::Internal));
    if let Some(key) = &record.dedup {
        debug_assert!(fingerprint != 0 && key.client_msg_id.len() <= crate::shape::MAX_KEY_BYTES);
        out.extend_from_slice(key.sender.as_bytes());
        out.push(key.client_msg_id.len() as u8);
        out.extend_from_slice(key.client_msg_id.as_bytes());
    }
    out.extend_from_slice(&(record.payload.len() as u32).to_le_bytes());
    out.extend_from_slice(&record.payload);
}

/// A record of a group as it stands in a run.
pub(super) fn without_place(packed: &[u8]) -> &[u8] {
    packed.get(PLACE_BYTES..).unwrap_or_default()
}

/// A packed record where it lies; its seq is known from its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packed<'a> {
    prev_public: Seq,
    /// Of its key; 0 without one.
    pub(super) fingerprint: u32,
    /// Who may see it.
    pub(super) audience: Audience,
    key: Option<(Uuid, &'a str)>,
    payload: &'a [u8],
    /// All of it, as it stands in a run.
    pub(super) bytes: &'a [u8],
}

impl<'a> Packed<'a> {
    /// Takes the record at the front of `bytes`.
    fn take(bytes: &mut &'a [u8]) -> Result<Self, Malformed> {
        let whole = *bytes;
        let prev_public = Seq::new(take_u32(bytes)?);
        let fingerprint = take_u32(bytes)?;
        let [internal] = take_array(bytes)?;
        let audience = if internal != 0 { Audience::Internal } else { Audience::Public };
        let key = match fingerprint {
            0 => None,
            _ => {
                let sender = Uuid::from_bytes(take_array(bytes)?);
                let [len] = take_array(bytes)?;
                let id = take_slice(bytes, usize::from(len))?;
                Some((sender, std::str::from_utf8(id).map_err(|_| Malformed)?))
            }
        };
        let len = take_u32(bytes)? as usize;
        let payload = take_slice(bytes, len)?;
        let bytes = &whole[..whole.len() - bytes.len()];
        Ok(Self { prev_public, fingerprint, audience, key, payload, bytes })
    }

    /// Whether it has this key.
    pub(super) fn has(&self, key: &DedupKey) -> bool {
        self.key.is_some_and(|(sender, id)| sender == key.sender && *id == *key.client_msg_id)
    }

    /// A record of its own.
    pub(super) fn to_record(self, seq: Seq) -> Record {
        Record {
            seq,
            prev_public: self.prev_public,
            audience: self.audience,
            dedup: self.key.map(|(sender, id)| DedupKey { sender, client_msg_id: id.into() }),
            payload: Bytes::copy_from_slice(self.payload),
        }
    }
}

/// The records of a run, in order.
pub(super) fn run(mut bytes: &[u8]) -> impl Iterator<Item = Result<Packed<'_>, Malformed>> {
    std::iter::from_fn(move || (!bytes.is_empty()).then(|| Packed::take(&mut bytes)))
        .scan(true, up_to_the_first_error)
}

/// The records of a group with their places, in the order of packing.
pub(super) fn group(
    mut bytes: &[u8],
) -> impl Iterator<Item = Result<(ConversationId, Seq, Packed<'_>), Malformed>> {
    let take = move |bytes: &mut _| {
        let conversation = ConversationId::from_uuid(Uuid::from_bytes(take_array(bytes)?));
        let seq = Seq::new(take_u32(bytes)?);
        Ok((conversation, seq, Packed::take(bytes)?))
    };
    std::iter::from_fn(move || (!bytes.is_empty()).then(|| take(&mut bytes)))
        .scan(true, up_to_the_first_error)
}

fn up_to_the_first_error<T, E>(good: &mut bool, item: Result<T, E>) -> Option<Result<T, E>> {
    std::mem::replace(good, item.is_ok()).then_some(item)
}

fn take_slice<'a>(bytes: &mut &'a [u8], len: usize) -> Result<&'a [u8], Malformed> {
    let (taken, rest) = bytes.split_at_checked(len).ok_or(Malformed)?;
    *bytes = rest;
    Ok(taken)
}

fn take_array<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Malformed> {
    let (taken, rest) = bytes.split_first_chunk::<N>().ok_or(Malformed)?;
    *bytes = rest;
    Ok(*taken)
}

fn take_u32(bytes: &mut &[u8]) -> Result<u32, Malformed> {
    take_array(bytes).map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn a_record() -> impl Strategy<Value = Record> {
        let key = prop::option::of((any::<u128>(), ".{1,60}"));
        let payload = prop::collection::vec(any::<u8>(), 0..300);
        (any::<u32>(), any::<u32>(), any::<bool>(), key, payload).prop_map(
            |(seq, prev_public, internal, key, payload)| Record {
                seq: Seq::new(seq),
                prev_public: Seq::new(prev_public),
                audience: if internal { Audience::Internal } else { Audience::Public },
                dedup: key.map(|(sender, id)| DedupKey {
                    sender: Uuid::from_u128(sender),
                    client_msg_id: id.into(),
                }),
                payload: payload.into(),
            },
        )
    }

    fn packed(records: &[(u128, Record)]) -> Vec<u8> {
        let mut out = Vec::new();
        for (id, record) in records {
            let print = record.dedup.as_ref().map_or(0, fingerprint);
            pack(&mut out, ConversationId::from_uuid(Uuid::from_u128(*id)), record, print);
        }
        out
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(
            records in prop::collection::vec((any::<u128>(), a_record()), 0..8)
        ) {
            let bytes = packed(&records);
            let mut runs = Vec::new();
            let mut unpacked = Vec::new();
            for item in group(&bytes) {
                let (id, seq, packed) = item.unwrap();
                runs.extend_from_slice(packed.bytes);
                unpacked.push((id.as_uuid().as_u128(), packed.to_record(seq)));
            }
            prop_assert_eq!(&unpacked, &records);
            let in_runs = run(&runs).zip(&records).map(|(p, (_, r))| p.unwrap().to_record(r.seq));
            prop_assert_eq!(in_runs.collect::<Vec<_>>(), records.into_iter().map(|(_, r)| r).collect::<Vec<_>>());
        }

        #[test]
        fn anything_else_is_refused_without_harm(bytes in prop::collection::vec(any::<u8>(), 1..200)) {
            prop_assert!(group(&bytes).count() <= bytes.len());
            prop_assert!(run(&bytes).count() <= bytes.len());
        }

        #[test]
        fn what_is_cut_short_is_refused(record in a_record(), cut in 1..20_usize) {
            let bytes = packed(&[(7, record)]);
            let last = group(&bytes[..bytes.len() - cut]).last();
            prop_assert!(matches!(last, Some(Err(Malformed))), "{:?}", last);
        }
    }

    #[test]
    fn fingerprints_tell_keys_apart_and_are_never_nought() {
        let key = |sender, id: &str| DedupKey {
            sender: Uuid::from_u128(sender),
            client_msg_id: id.into(),
        };
        let keys = [key(1, "m1"), key(2, "m1"), key(1, "m2"), key(1, "m1\0"), key(0, "")];
        let prints: std::collections::HashSet<u32> = keys.iter().map(fingerprint).collect();
        assert_eq!(prints.len(), keys.len());
        // Stored in files: it may never change.
        assert_eq!(fingerprint(&key(1, "m1")), fingerprint(&key(1, "m1")));
        assert!(!prints.contains(&0));
    }
}
