//! What lies in the journal, in the desk's tables and in backups.

use crate::checks::json;
use crate::{Target, target};
use frontdesk_core::conversation::{Command, Conversation, StartRequest};
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_core::party::{Origin, Principal, Role};
use frontdesk_core::time::Timestamp;
use frontdesk_proto::convert::{decode_event, encode_event};
use frontdesk_proto::v1::Event;
use frontdesk_store::desk::{AccountDetails, StoredSite};
use frontdesk_store::sqlite::fuzzing as store;
use prost::Message as _;
use uuid::Uuid;

pub(crate) fn targets() -> Vec<Target> {
    let (conversation, _) = conversation();
    let snapshot = serde_json::to_vec(&conversation).expect("JSON");
    let summary = serde_json::to_vec(&conversation.summary()).expect("JSON");
    let [group, run] = store::sample_group();
    let site = r#"{"id":"demo","title":"Demo","key":"k","allowed_origins":["*"],
        "default_queue":"general","queues":[]}"#;
    let manifest = r#"{"format":1,"frontdesk":"0.1.0","made_at":1,"journal_format":1,
        "desk_format":1,"contents":{"conversations":1,"events":2,"sites":3,"accounts":4,
        "attachments":5,"audit":6},"files":[{"path":"a","bytes":1,"sha256":"00"}]}"#;
    vec![
        target("events", events(), event),
        target("snapshots", [snapshot], snapshot_of),
        target("summaries", [summary], store::summary),
        target("packed-group", [group], store::packed_group),
        target("packed-run", [run], store::packed_run),
        target("stored-site", [site], json::<StoredSite>),
        target("account-details", ["{}"], json::<AccountDetails>),
        target("manifest", [manifest], store::manifest),
    ]
}

/// The first events of a conversation, encoded.
pub(crate) fn events() -> Vec<Vec<u8>> {
    conversation().1
}

/// An event that is read is what was written, and JSON says the same of it.
fn event(bytes: &[u8]) -> bool {
    let Ok(event) = decode_event(bytes, Seq::ZERO) else { return false };
    let written = encode_event(&event);
    let copy = decode_event(&written, Seq::ZERO).expect("what was written is read");
    assert_eq!(copy, event);
    let proto = Event::decode(&*written).expect("an event");
    if let Ok(json) = serde_json::to_vec(&proto) {
        let read: Event = serde_json::from_slice(&json).expect("what was written is read");
        assert_eq!(read, proto);
    }
    if let Some(state) = Conversation::from_first(&event) {
        let _ = state.summary();
    }
    let _ = encode_event(&event.blanked());
    true
}

/// A snapshot: it is written again as the same, and what is asked of it is answered.
fn snapshot_of(bytes: &[u8]) -> bool {
    let Ok(state) = serde_json::from_slice::<Conversation>(bytes) else { return false };
    let summary = state.summary();
    assert_eq!(summary.id, state.id());
    json::<Conversation>(bytes)
}

fn conversation() -> (Conversation, Vec<Vec<u8>>) {
    let who = Principal {
        site: "demo".parse().expect("a name"),
        role: Role::Visitor,
        id: Uuid::from_u128(0x0192_f0c0_0000_7000_8000_0000_0000_0002),
        name: "Vi".into(),
    };
    let start = StartRequest {
        queue: "general".parse().expect("a name"),
        attributes: [("plan".into(), "gold".into())].into(),
        page: "https://shop.example/cart".into(),
        language: "de-AT".into(),
        channel: Some("web".into()),
        extra_minutes: 3,
        consent: None,
        first_message: Some(("m1".parse().expect("an id"), "grüße".into())),
    };
    let id = Uuid::from_u128(0x0192_f0c0_0000_7000_8000_0000_0000_0001);
    let (id, at) = (ConversationId::from_uuid(id), Timestamp::from_millis(1));
    let opened = Conversation::open(id, &Origin::Client(who), &Command::Start(start), at);
    let (conversation, step) = opened.expect("a visitor may begin");
    let events = step.events.iter().map(|event| encode_event(event).to_vec()).collect();
    (conversation, events)
}
