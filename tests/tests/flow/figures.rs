//! What happened, counted by `frontdesk ctl figures`.

use crate::terminal::{ctl, ctl_json};
use frontdesk_client::Carrier;
use frontdesk_proto::v1::{AgentStatus, CloseConversation, RateConversation};
use frontdesk_tests::server::Server;
use frontdesk_tests::wire::Wire;

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_is_counted() {
    let server = Server::start().await;
    let mut quitter = Wire::visitor(&server, Carrier::WebSocketJson).await;
    let gone = quitter.start("Never mind").await.conversation_id;
    quitter.call(CloseConversation { conversation_id: gone }).await;
    let mut visitor = Wire::visitor(&server, Carrier::Grpc).await;
    let id = visitor.start("Hello").await.conversation_id;
    let mut alex = Wire::staff(&server, Carrier::Grpc, &server.agent(0)).await;
    alex.status(AgentStatus::Online).await;
    alex.take(&id).await;
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
    let nothing = ctl_json(&server, &["figures", "--from", "2000-01-01", "--to", "2000-01-02"]);
    assert!(nothing["rows"].is_null());
}
