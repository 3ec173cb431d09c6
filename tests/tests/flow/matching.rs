//! Who gets what by a site's rules: languages, caps, turns, and offers nobody answers.

use crate::terminal::{ctl, ctl_json};
use frontdesk_client::Carrier;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{AgentState, AgentStatus, Phase, StartConversation};
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::{Wire, fresh_id};
use std::time::Duration;

/// An offer that stays open for 5 s, missed once, and slack.
const MISSED_AND_MORE: Duration = Duration::from_secs(40);

fn apply(server: &Server, document: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("desk.yaml");
    std::fs::write(&file, document).expect("a file can be written");
    let done = ctl(server, &["apply", "-f", &file.display().to_string()]);
    assert!(done.contains("is in force"), "{done}");
}

fn begin(queue: &str, language: &str) -> StartConversation {
    StartConversation {
        conversation_id: fresh_id(),
        queue: queue.into(),
        language: language.into(),
        channel: "web".into(),
        ..StartConversation::default()
    }
}

async fn state(wire: &mut Wire, what: &str, is_so: impl Fn(&AgentState) -> bool) -> AgentState {
    wire.push(what, |frame| match frame {
        Frame::AgentState(state) if is_so(state) => Some(state.clone()),
        _ => None,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_needs_no_answer_and_keeps_to_the_cap() {
    let server = Server::start().await;
    let email = server.agent(0).email;
    apply(
        &server,
        &format!(
            "queues:\n  - {{ name: given, acceptance: auto }}\nagents:\n  - {{ email: {email}, name: Alex, queues: [{{ name: given, max: 1 }}] }}\n"
        ),
    );
    let mut agent = Wire::staff(&server, Carrier::WebSocketJson, &server.agent(0)).await;
    agent.status(AgentStatus::Online).await;
    let mut visitor = Wire::visitor(&server, Carrier::WebSocketProtobuf).await;
    let id = visitor.start("Is this automatic?").await.conversation_id;
    // It follows the conversation without having asked for it.
    agent.hear("Is this automatic?").await;
    agent.say(&id, "It is.").await;
    visitor.hear("It is.").await;
    let second = visitor.start("And me?").await.conversation_id;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let why = ctl_json(&server, &["explain", &second]);
    assert_eq!(why["candidates"][0]["verdict"], "queue_cap");
    // What follows the wrap-up of the first.
    visitor.close(&id).await;
    agent.patience(Duration::from_secs(30));
    agent.hear("And me?").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_misses_an_offer_is_away_on_every_device() {
    let server = Plan::default().extra_agents(1).start().await;
    apply(&server, "away_after_missed: 1\nqueues:\n  - { name: general, offer_timeout: 5s }\n");
    let token = server.sign_in(&server.agent(0)).await.token;
    let (mut desk, _) = Wire::open(&server, Carrier::WebSocketJson, &token).await;
    let (mut phone, _) = Wire::open(&server, Carrier::WebSocketProtobuf, &token).await;
    // The status is the agent's, whichever device sets it.
    phone.status(AgentStatus::Online).await;
    let online = state(&mut desk, "online", |s| s.status() == AgentStatus::Online).await;
    assert_eq!(online.connections, 2);
    let mut visitor = Wire::visitor(&server, Carrier::Grpc).await;
    let id = visitor.start("Anybody?").await.conversation_id;
    assert_eq!(desk.offer(&id).await, phone.offer(&id).await, "it rings on all of them");
    for device in [&mut desk, &mut phone] {
        device.patience(MISSED_AND_MORE);
        let away = state(device, "a missed offer", |s| s.missed_offers == 1).await;
        assert_eq!((away.status(), away.load), (AgentStatus::Away, 0));
        assert_eq!(away.reason, "missed an offer");
    }
    let mut other = Wire::staff(&server, Carrier::Grpc, &server.agent(1)).await;
    other.status(AgentStatus::Online).await;
    assert_eq!(other.take(&id).await.phase(), Phase::Assigned);
    assert_eq!(desk.status(AgentStatus::Online).await.missed_offers, 0, "it is back");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_visitors_language_finds_its_agent() {
    let server = Plan::default().extra_agents(1).start().await;
    let (first, second) = (server.agent(0).email, server.agent(1).email);
    let agent = |email: &str, code: &str| {
        format!("  - {{ email: {email}, name: {code}, languages: [{code}] }}\n")
    };
    let document = format!(
        "queues:\n  - {{ name: general, language: {{ require: true, relax_after: 1h }} }}\nagents:\n{}{}",
        agent(&first, "en"),
        agent(&second, "de"),
    );
    apply(&server, &document);
    let mut english = Wire::staff(&server, Carrier::WebSocketJson, &server.agent(0)).await;
    english.status(AgentStatus::Online).await;
    let mut visitor = Wire::visitor(&server, Carrier::WebSocketJson).await;
    // Nobody who is there speaks it: it is not waited for.
    let alone = visitor.call(begin("general", "de-AT")).await.conversation_id;
    english.take(&alone).await;
    let mut german = Wire::staff(&server, Carrier::Grpc, &server.agent(1)).await;
    assert_eq!(german.status(AgentStatus::Online).await.languages, ["de"]);
    for _ in 0..2 {
        let id = visitor.call(begin("general", "de")).await.conversation_id;
        german.take(&id).await;
        let why = ctl_json(&server, &["explain", &id]);
        assert_eq!(why["language"], "de");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_gives_a_head_start_by_channel_and_hours() {
    let server = Server::start().await;
    apply(
        &server,
        "queues: [{ name: general }, { name: vip }]\n\
         calendars:\n  - { name: day, zone: Europe/Berlin, week: { mon-fri: ['09:00-18:00'] } }\n\
         routes:\n\
         \x20 - { name: app by day, queue: vip, when: { channel: [app], during: day } }\n\
         \x20 - { name: gold, queue: general, priority: 10m, when: { attributes: { tier: [gold] } } }\n\
         agents:\n  - { email: agent@demo.example, name: Alex, capacity: 1 }\n",
    );
    let ask = |at: &str, channel: &str| {
        let ask = ["route", "--channel", channel, "--at", at, "--explain"];
        ctl_json(&server, &ask)
    };
    let open = ask("2026-11-23T10:00:00+01:00", "app");
    assert_eq!((&open["queue"], &open["rule"]), (&"vip".into(), &"app by day".into()));
    let condition = |answer: &serde_json::Value| answer["missed"][0]["condition"].clone();
    assert_eq!(condition(&ask("2026-11-23T20:00:00+01:00", "app")), "during");
    assert_eq!(condition(&ask("2026-11-23T10:00:00+01:00", "web")), "channel");

    let mut visitor = Wire::visitor(&server, Carrier::WebSocketProtobuf).await;
    let plain = visitor.call(begin("", "en")).await;
    assert_eq!((plain.extra_priority_minutes, plain.channel.as_str()), (0, ""), "not for visitors");
    let gold = StartConversation {
        attributes: [("tier".to_owned(), "gold".to_owned())].into(),
        ..begin("", "en")
    };
    let gold = visitor.call(gold).await.conversation_id;
    let listed = ctl_json(&server, &["conversations"]);
    let listed = listed["conversations"].as_array().expect("a list");
    let found = listed.iter().find(|c| c["conversationId"] == *gold).expect("it is listed");
    assert_eq!((&found["extraPriorityMinutes"], &found["channel"]), (&10.into(), &"web".into()));
    // Who has one slot is asked for the later one with the head start.
    let mut agent = Wire::staff(&server, Carrier::Grpc, &server.agent(0)).await;
    agent.status(AgentStatus::Online).await;
    let first = agent
        .push("the first offer", |frame| match frame {
            Frame::Offer(offer) => Some(offer.conversation_id.clone()),
            _ => None,
        })
        .await;
    assert_eq!(first, gold);
}
