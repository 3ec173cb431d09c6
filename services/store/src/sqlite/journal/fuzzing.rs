//! What lies in the journal's file, for whoever feeds it with damage. See
//! `crate::sqlite::fuzzing`.

use super::job::{parse_summary, summary_json};
use super::packed::{fingerprint, group, pack, run, without_place};
use crate::journal::{DedupKey, Record};
use crate::shape::MAX_KEY_BYTES;
use bytes::Bytes;
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_core::party::Audience;
use uuid::Uuid;

/// A group as it is committed: packed again, its records are the same.
pub fn packed_group(bytes: &[u8]) -> bool {
    let Ok(all) = group(bytes).collect::<Result<Vec<_>, _>>() else { return false };
    let (mut again, mut of_run) = (Vec::new(), Vec::new());
    for (id, seq, packed) in &all {
        of_run.extend_from_slice(packed.bytes);
        let record = packed.to_record(*seq);
        // Longer keys are never stored; a reader takes them all the same.
        if record.dedup.as_ref().is_some_and(|key| key.client_msg_id.len() > MAX_KEY_BYTES) {
            return true;
        }
        pack(&mut again, *id, &record, packed.fingerprint);
    }
    let records = |bytes: &[u8]| {
        let read = group(bytes).map(|item| item.map(|(id, seq, p)| (id, p.to_record(seq))));
        read.collect::<Result<Vec<_>, _>>()
    };
    assert_eq!(records(&again).expect("what was packed"), records(bytes).expect("as before"));
    assert_eq!(run(&of_run).count(), all.len());
    !all.is_empty()
}

/// A row of records that are filed.
pub fn packed_run(bytes: &[u8]) -> bool {
    let Ok(all) = run(bytes).collect::<Result<Vec<_>, _>>() else { return false };
    assert_eq!(all.iter().map(|packed| packed.bytes.len()).sum::<usize>(), bytes.len());
    !all.is_empty()
}

/// The line of a conversation in the lists.
pub fn summary(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Ok(summary) = parse_summary(text) else { return false };
    let again = summary_json(&summary).expect("what was read is written");
    assert_eq!(parse_summary(&again).expect("what was written is read"), summary);
    true
}

/// A group of two records, and the run of the first.
pub fn sample_group() -> [Vec<u8>; 2] {
    let key = DedupKey { sender: Uuid::from_u128(5), client_msg_id: "m1".into() };
    let record = |seq, dedup: Option<DedupKey>| Record {
        seq: Seq::new(seq),
        prev_public: Seq::new(seq - 1),
        audience: if dedup.is_some() { Audience::Public } else { Audience::Internal },
        dedup,
        payload: Bytes::from_static(b"an event"),
    };
    let (mut all, id) = (Vec::new(), ConversationId::from_uuid(Uuid::from_u128(9)));
    let print = fingerprint(&key);
    pack(&mut all, id, &record(1, Some(key)), print);
    let run = without_place(&all).to_vec();
    pack(&mut all, id, &record(2, None), 0);
    [all, run]
}
