//! What was said is what is kept, for everyone who may read it.

use super::{Script, Told};
use crate::server::Server;
use crate::wire::{Wire, text};
use frontdesk_client::Carrier;
use frontdesk_proto::v1::{Audience, Event, EventPush, Party};
use serde::Deserialize;
use std::sync::PoisonError;

#[derive(Deserialize)]
struct Transcript {
    events: Vec<EventPush>,
}

/// Reads every dialogue back: over HTTP and over the live protocol, as its
/// visitor and as a supervisor. Panics at the first difference.
pub async fn verify(server: &Server, script: &Script, told: &[Told]) {
    let supervisor = server.supervisor();
    let mut staff = Wire::staff(server, Carrier::Grpc, &supervisor).await;
    let mut kept = Vec::new();
    for told in told {
        let lines = &script.dialogues[told.dialogue].lines;
        let path = format!("/v1/conversations/{}/transcript?format=json", told.conversation);
        let transcript = server.http().get_as(&told.token, &path).await.expect_ok();
        let transcript: Transcript = transcript.json();
        let (mut visitor, _) = Wire::open(server, Carrier::WebSocketProtobuf, &told.token).await;
        let history = visitor.history(&told.conversation).await;
        assert!(transcript.events == history, "transcript and history differ: {told:?}");
        let whole = staff.history(&told.conversation).await;

        check_lines(&history, lines);
        check_lines(&whole, lines);
        check_chain(&history);
        check_chain(&whole);
        assert!(events(&history).all(|e| e.audience() == Audience::Public), "{told:?}");
        assert!(events(&whole).any(|e| e.audience() == Audience::Internal), "{told:?}");
        let gapless = events(&whole).map(|e| e.seq).eq(1..=whole.len() as u32);
        assert!(gapless, "seq leaves something out: {told:?}");
        kept.push(whole);
    }
    check_acknowledged(script, told, &kept);
}

fn events(pushes: &[EventPush]) -> impl Iterator<Item = &Event> {
    pushes.iter().filter_map(|push| push.event.as_ref())
}

/// Every line once, byte for byte, in order, from the right side.
fn check_lines(pushes: &[EventPush], lines: &[String]) {
    let messages: Vec<(&str, Party)> =
        events(pushes).filter_map(|e| Some((text(e)?, e.by.as_ref()?.party()))).collect();
    let side = |n| if n % 2 == 0 { Party::Visitor } else { Party::Agent };
    let expected = lines.iter().enumerate().map(|(n, line)| (line.as_str(), side(n)));
    assert_eq!(messages, expected.collect::<Vec<_>>());
}

fn check_chain(pushes: &[EventPush]) {
    let mut last = 0;
    for push in pushes {
        assert_eq!(push.prev, last, "a gap: {push:?}");
        last = push.event.as_ref().map_or(0, |e| e.seq);
    }
}

/// Whatever was acknowledged stands where the acknowledgement said.
fn check_acknowledged(script: &Script, told: &[Told], kept: &[Vec<EventPush>]) {
    let acknowledged = script.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
    for said in acknowledged.iter() {
        let n = told.iter().position(|t| t.dialogue == said.dialogue).expect("all were told");
        let event = events(&kept[n]).find(|e| e.seq == said.sent.seq).expect("it is kept");
        assert_eq!(text(event), Some(script.dialogues[said.dialogue].lines[said.line].as_str()));
        assert_eq!(event.at, said.sent.at);
    }
}
