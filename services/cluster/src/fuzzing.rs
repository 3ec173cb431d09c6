//! What peers send, for whoever feeds it with damage: functions of bytes that say whether
//! these were taken, and panic when what was taken breaks a rule. Only there with the
//! feature `fuzzing`; the server has no use for it.

use crate::fabric::{ClusterView, FollowQuestion, News, Question};
use crate::membership::MembershipChange;
use crate::network::{decode, decode_snapshot, encode, encode_snapshot};
use crate::types::{Entry, SnapshotMeta, TypeConfig, Vote};
use frontdesk_core::ids::NodeId;
use frontdesk_core::presence::{Action, Command, PresenceState, RequestId};
use frontdesk_proto::api;
use openraft::raft::{AppendEntriesRequest, TransferLeaderRequest, VoteRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Written again, what was read is read as the same.
fn again<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let value: T = decode(bytes).ok()?;
    let written = encode(&value).expect("what was read is written");
    let copy: T = decode(&written).expect("what was written is read");
    let copy = encode(&copy).expect("what was read is written");
    assert_eq!(copy.escape_ascii().to_string(), written.escape_ascii().to_string());
    Some(value)
}

fn is<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> bool {
    again::<T>(bytes).is_some()
}

/// A request of another voter; the first byte is its kind.
pub fn raft(bytes: &[u8]) -> bool {
    let Some((kind, body)) = bytes.split_first() else { return false };
    match kind {
        b'a' => is::<AppendEntriesRequest<TypeConfig>>(body),
        b'v' => is::<VoteRequest<TypeConfig>>(body),
        b't' => is::<TransferLeaderRequest<TypeConfig>>(body),
        b'p' => is::<(RequestId, Action)>(body),
        b'h' => is::<NodeId>(body),
        b'm' => is::<MembershipChange>(body),
        b's' => snapshot(body),
        // As they lie in a voter's file.
        b'e' => is::<Entry>(body),
        b'd' => is::<(Vote, SnapshotMeta)>(body),
        _ => false,
    }
}

fn snapshot(body: &[u8]) -> bool {
    let Ok((vote, snapshot)) = decode_snapshot(body) else { return false };
    let written = encode_snapshot(&vote, &snapshot).expect("what was read is written");
    let (_, copy) = decode_snapshot(&written).expect("what was written is read");
    assert_eq!(copy.snapshot, snapshot.snapshot);
    is::<PresenceState>(&snapshot.snapshot)
}

/// Commands that the group has agreed on, one a line: every voter comes to the same, also
/// one that starts from a snapshot in between.
pub fn log(bytes: &[u8]) -> bool {
    let lines: Option<Vec<Command>> =
        bytes.split(|byte| *byte == b'\n').map(|line| decode(line).ok()).collect();
    let Some(commands) = lines else { return false };
    let mut state = PresenceState::default();
    let mut restored = PresenceState::default();
    for (index, command) in (1..).zip(commands) {
        state.apply(index, command.clone());
        restored.apply(index, command);
        let snapshot = encode(&restored).expect("a state is written");
        restored = decode(&snapshot).expect("a snapshot of ours is read");
        assert!(restored == state, "a restored state differs after entry {index}");
    }
    let _ = frontdesk_core::presence::plan(&state, state.now());
    true
}

/// A document that roles exchange; the first byte is its kind.
pub fn document(bytes: &[u8]) -> bool {
    let Some((kind, body)) = bytes.split_first() else { return false };
    match kind {
        b'q' => is::<Question>(body),
        b'f' => is::<FollowQuestion>(body),
        b'n' => is::<News>(body),
        b'v' => is::<ClusterView>(body),
        b'e' => is::<api::Envelope>(body),
        b'a' => is::<api::Attach>(body),
        b'A' => is::<api::Attached>(body),
        b'h' => is::<api::HistoryQuery>(body),
        b'r' => is::<api::RecordPage>(body),
        b's' => is::<api::SummaryPage>(body),
        b'S' => is::<api::SiteConfig>(body),
        b'u' => is::<api::AuditPage>(body),
        b'x' => is::<api::Explanation>(body),
        b'p' => is::<api::QueuePosition>(body),
        b'w' => is::<api::QueueView>(body),
        b'd' => is::<api::Applied>(body),
        b'o' => is::<api::AgentAccount>(body),
        _ => false,
    }
}

/// Requests of voters that are taken.
pub fn sample_requests() -> Vec<Vec<u8>> {
    let request = RequestId::from_uuid(uuid::Uuid::from_u128(3));
    let body = |kind: u8, body: std::io::Result<Vec<u8>>| {
        [vec![kind], body.expect("samples are encoded")].concat()
    };
    let vote = Vote::new(3, 1);
    vec![
        body(b'p', encode(&(request, Action::Expire))),
        body(b'h', encode(&"gateway-1-1")),
        body(b'm', encode(&MembershipChange::Add { address: "10.0.0.1:1".into() })),
        body(b'd', encode(&(vote, SnapshotMeta::default()))),
        body(b's', sample_snapshot(vote)),
        body(b'v', encode(&VoteRequest::<TypeConfig>::new(vote, None))),
        body(
            b'a',
            encode(&AppendEntriesRequest::<TypeConfig> {
                vote,
                prev_log_id: None,
                entries: Vec::new(),
                leader_commit: None,
            }),
        ),
    ]
}

fn sample_snapshot(vote: Vote) -> std::io::Result<Vec<u8>> {
    let state = encode(&PresenceState::default())?;
    let snapshot = crate::types::Snapshot { meta: SnapshotMeta::default(), snapshot: state.into() };
    encode_snapshot(&vote, &snapshot)
}
