//! Every broken promise is named, with the ids of the message, and nothing else
//! is: a proxy breaks one in each test.

use crate::{Run, server};
use frontdesk_loadtest::payload::Payload;
use frontdesk_proto::v1::Party;
use frontdesk_results::{Offence, RunResult, Verdict, Violation};
use frontdesk_tests::proxy::{Deed, Fault, Plot, Proxy};
use std::collections::BTreeMap;

/// Three conversations that begin two seconds apart with one agent.
const SCENARIO: &str = r#"
    name = "proof"
    seed = 7
    arrivals = "even"
    joins_per_second = 0.5
    [agents]
    count = 1
    [conversation]
    messages_per_second = 6
    length_bytes = 96
    [[phases]]
    kind = "steady"
    seconds = 6
    conversations = 3
"#;

/// A run in which this happens to the second message of the first conversation.
async fn violated(fault: Fault, by: Party) -> (Deed, RunResult) {
    let server = server().await;
    let proxy = Proxy::before(server.address(), Plot::new(fault, by, 2)).await;
    let result = Run::start(&server, &proxy.address(), SCENARIO).finish();
    let deed = proxy.deed();
    assert_eq!(result.exit_status, 4, "{deed:?}: {:?}", result.reasons);
    assert_eq!(result.verdict, Verdict::Violated);
    assert!(result.reasons.iter().any(|reason| reason.verdict == Verdict::Violated));
    (deed, result)
}

/// What was found, and nothing else.
#[track_caller]
fn expect(result: &RunResult, violations: &[(Violation, u64)]) {
    let expected: BTreeMap<_, _> = violations.iter().copied().collect();
    assert_eq!(result.audit.violations, expected, "{:#?}", result.audit.offences);
}

/// The offence of this kind in the conversation of the deed.
#[track_caller]
fn offence(result: &RunResult, violation: Violation, conversation: &str) -> Offence {
    let mut all = result.audit.offences.iter().filter(|o| o.violation == violation);
    let found = all.find(|o| o.conversation == conversation).cloned();
    found.unwrap_or_else(|| panic!("{violation:?}: {:#?}", result.audit.offences))
}

/// Panics unless the offence names the message that was struck.
#[track_caller]
fn names_the_message(offence: &Offence, deed: &Deed) {
    let payload = Payload::decode(&deed.text).expect("the harness sends payloads");
    assert_eq!(offence.sender.as_deref(), Some(payload.speaker.side.name()), "{offence:?}");
    assert_eq!(offence.number, Some(payload.number), "{offence:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_lost_on_its_way_is_named() {
    for by in [Party::Visitor, Party::Agent] {
        let (deed, result) = violated(Fault::Lose, by).await;
        expect(&result, &[(Violation::Lost, 1)]);
        names_the_message(&offence(&result, Violation::Lost, &deed.conversation), &deed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_acknowledged_but_not_kept_is_named() {
    let (deed, result) = violated(Fault::FalseSent, Party::Visitor).await;
    let lost = &result.audit.offences;
    assert!(lost.iter().all(|offence| offence.violation == Violation::Lost), "{lost:#?}");
    // Once for the agent, who never heard it, and once when it is read back.
    expect(&result, &[(Violation::Lost, 2)]);
    for offence in lost {
        assert_eq!(offence.conversation, deed.conversation);
        names_the_message(offence, &deed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_kept_elsewhere_than_acknowledged_is_named() {
    let (deed, result) = violated(Fault::WrongPlace, Party::Visitor).await;
    expect(&result, &[(Violation::Contradicted, 1)]);
    let contradicted = offence(&result, Violation::Contradicted, &deed.conversation);
    assert_eq!(contradicted.sender.as_deref(), Some("visitor"), "{contradicted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_agent_is_named() {
    let (deed, result) = violated(Fault::TwoAgents, Party::Agent).await;
    expect(&result, &[(Violation::TwoAgents, 1)]);
    let second = offence(&result, Violation::TwoAgents, &deed.conversation);
    assert_eq!(second.seq, Some(deed.seq + 1), "{second:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_with_too_many_chats_is_named() {
    let (deed, result) = violated(Fault::Crowd, Party::Agent).await;
    // The second and the third conversation.
    expect(&result, &[(Violation::OverCapacity, 2)]);
    offence(&result, Violation::OverCapacity, &deed.conversation);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_named() {
    let (deed, result) = violated(Fault::Gap, Party::Visitor).await;
    expect(&result, &[(Violation::Gap, 1)]);
    let gap = offence(&result, Violation::Gap, &deed.conversation);
    assert_eq!(gap.seq, Some(deed.seq + 1), "the event behind it: {gap:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_twice_is_named() {
    let (deed, result) = violated(Fault::Repeat, Party::Visitor).await;
    expect(&result, &[(Violation::Duplicated, 1)]);
    let again = offence(&result, Violation::Duplicated, &deed.conversation);
    assert_eq!(again.seq, Some(deed.seq), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn swapped_frames_are_named() {
    let (deed, result) = violated(Fault::Swap, Party::Visitor).await;
    expect(&result, &[(Violation::Gap, 1), (Violation::Reordered, 1)]);
    let late = offence(&result, Violation::Reordered, &deed.conversation);
    assert_eq!(late.seq, Some(deed.seq), "{late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_have_changed_places_are_named() {
    let (deed, result) = violated(Fault::Exchange, Party::Visitor).await;
    expect(&result, &[(Violation::Reordered, 1)]);
    names_the_message(&offence(&result, Violation::Reordered, &deed.conversation), &deed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_another_conversation_is_named() {
    let (deed, result) = violated(Fault::Misroute, Party::Visitor).await;
    expect(&result, &[(Violation::Lost, 1), (Violation::Misrouted, 1)]);
    let into = deed.into.as_deref().expect("it has arrived somewhere");
    names_the_message(&offence(&result, Violation::Misrouted, into), &deed);
    names_the_message(&offence(&result, Violation::Lost, &deed.conversation), &deed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_message_is_named() {
    let (deed, result) = violated(Fault::Damage, Party::Visitor).await;
    expect(&result, &[(Violation::Lost, 1), (Violation::Phantom, 1)]);
    let phantom = offence(&result, Violation::Phantom, &deed.conversation);
    assert_eq!(phantom.seq, Some(deed.seq), "{phantom:?}");
    names_the_message(&offence(&result, Violation::Lost, &deed.conversation), &deed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_that_reaches_a_visitor_is_named() {
    let (deed, result) = violated(Fault::Leak, Party::Agent).await;
    expect(&result, &[(Violation::Leaked, 1)]);
    let leak = offence(&result, Violation::Leaked, &deed.conversation);
    assert_eq!(leak.seq, Some(deed.seq), "{leak:?}");
}
