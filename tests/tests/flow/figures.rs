//! What happened, counted by `frontdesk ctl figures`.

use crate::terminal::{ctl, ctl_json, frontdesk};
use frontdesk_client::Carrier;
use frontdesk_proto::v1::{AgentStatus, CloseConversation, RateConversation};
use frontdesk_tests::server::Server;
use frontdesk_tests::wire::Wire;

/// One who gives up, and one whom Alex takes: their ends of it, and the conversation.
async fn two_have_come(server: &Server) -> (Wire, Wire, String) {
    let mut quitter = Wire::visitor(server, Carrier::WebSocketJson).await;
    let gone = quitter.start("Never mind").await.conversation_id;
    quitter.call(CloseConversation { conversation_id: gone }).await;
    let mut visitor = Wire::visitor(server, Carrier::Grpc).await;
    let id = visitor.start("Hello").await.conversation_id;
    let mut alex = Wire::staff(server, Carrier::Grpc, &server.agent(0)).await;
    alex.status(AgentStatus::Online).await;
    alex.take(&id).await;
    (visitor, alex, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_is_counted() {
    let server = Server::start().await;
    let (mut visitor, mut alex, id) = two_have_come(&server).await;
    alex.say(&id, "How can I help?").await;
    visitor.say(&id, "I have it already").await;
    alex.close(&id).await;
    let (score, comment) = (5, String::new());
    visitor.call(RateConversation { conversation_id: id, score, comment }).await;

    let counted = ctl_json(&server, &["figures", "--from", "1h", "--by", "queue,agent"]);
    assert_eq!(counted["conversations"], 2);
    let rows = counted["rows"].as_array().expect("rows");
    let of = |agent: bool| {
        let mut found = rows.iter().filter(|row| row["key"][0] == "general");
        found.find(|row| (row["key"][1] != "") == agent).expect("a row")
    };
    let (nobody, alex) = (of(false), of(true));
    assert_eq!(
        (&nobody["counts"]["arrivals"], &nobody["counts"]["abandoned"]),
        (&1.into(), &1.into())
    );
    assert_eq!(
        (&alex["counts"]["served"], &alex["counts"]["staff_messages"]),
        (&1.into(), &1.into())
    );
    assert_eq!(alex["durations"]["handling"]["count"], 1);
    assert_eq!((&alex["rating"], &alex["concurrency"]), (&5.0.into(), &1.0.into()));
    let id = alex["key"][1].as_str().expect("an id");
    assert_eq!(counted["agentNames"][id], "Alex");

    let csv = ctl(&server, &["figures", "--from", "1h", "--by", "agent", "--format", "csv"]);
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let heading = lines.next().expect("a heading");
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.len() == heading.len()), "{csv}");
    let column = heading.iter().position(|name| *name == "wait_count").expect("a column");
    assert_eq!((lines[1][1], lines[1][column]), ("Alex", "1"));
    let staff = ctl_json(&server, &["staff", "--from", "1h"]);
    let staff = staff.as_array().expect("an hour or two");
    assert!(staff.iter().any(|hour| hour["patient"]["agents"] == 1), "{staff:?}");
    assert!(staff.iter().any(|hour| hour["levels"][0]["atOnce"] == 1), "{staff:?}");
    assert_eq!((&alex["counts"]["resolved"], &alex["counts"]["requeues"]), (&1.into(), &0.into()));
    assert_eq!(alex["occupancy"].as_f64(), Some(0.25), "one chat of four slots");
    let nothing = ctl_json(&server, &["figures", "--from", "2000-01-01", "--to", "2000-01-02"]);
    assert!(nothing["rows"].is_null());
}

/// One who gives up and one who is served, through rules that send them elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn what_came_is_run_through_other_rules() {
    let server = Server::start().await;
    let (_visitor, mut alex, id) = two_have_come(&server).await;
    alex.close(&id).await;

    let temp = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = temp.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("UTF-8").to_owned()
    };
    let rules = "default_queue: other\nqueues:\n  - name: other\n  - name: general\n";
    let rules = file("rules.yaml", rules);
    let report = ctl_json(&server, &["replay", "--from", "1h", "--rules", &rules]);
    let total = &report["total"];
    assert_eq!((&report["conversations"], &report["agents"]), (&2.into(), &1.into()), "{report}");
    assert_eq!((&total["real"]["served"], &total["real"]["gaveUp"]), (&1.into(), &1.into()));
    // The rules have chosen the default before: now it is another.
    let came = |queue: &str, what: &str| {
        let queues = report["queues"].as_array().expect("queues");
        let found = queues.iter().find(|both| both["queue"] == queue).expect("a queue");
        found[what]["arrivals"].clone()
    };
    assert_eq!((came("general", "real"), came("general", "replayed")), (2.into(), 0.into()));
    assert_eq!((came("other", "real"), came("other", "replayed")), (0.into(), 2.into()));
    assert_eq!(total["replayed"]["served"], 1, "{report}");
    let table = ctl(&server, &["replay", "--from", "1h", "--rules", &rules]);
    assert!(table.contains("other") && table.contains("2 conversations, 1 agents"), "{table}");

    // One who would be new is there all the time, and takes the one who went.
    let more = "queues:\n  - name: other\nagents:\n  - { email: nova@b.example, name: Nova }\n";
    let report =
        ctl_json(&server, &["replay", "--from", "1h", "--rules", &file("more.yaml", more)]);
    assert_eq!((&report["agents"], &report["newcomers"]), (&2.into(), &1.into()), "{report}");
    assert_eq!(report["total"]["replayed"]["served"], 2, "{report}");

    let wrong = file("wrong.yaml", "queues:\n  - { name: a, weight: 0 }\n");
    let words = ["ctl", "replay", "--rules", &wrong];
    let refused = frontdesk(&server, Some(&server.supervisor()), &words).output();
    let refused = refused.expect("the binary runs");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("wrong.yaml:2:"), "{said}");
}
