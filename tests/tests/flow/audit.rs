//! What supervisors did, in a log that outlives the process and takes nothing back.

use crate::terminal::{ctl, ctl_json, frontdesk};
use frontdesk_client::Carrier;
use frontdesk_proto::v1::AgentStatus;
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::Wire;
use serde_json::Value;

fn log(server: &Server, words: &[&str]) -> Vec<Value> {
    let answer = ctl_json(server, &[&["audit"], words].concat());
    answer.as_array().expect("a list").clone()
}

fn acts(log: &[Value]) -> Vec<&str> {
    log.iter().map(|record| record["act"].as_str().expect("an act")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn watching_and_configuring_are_written_down() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let data = folder.path().join("data");
    let mut server = Plan::default().data(&data).start().await;
    let mut visitor = Wire::visitor(&server, Carrier::WebSocketJson).await;
    let id = visitor.start("Hello").await.conversation_id;
    let mut alex = Wire::staff(&server, Carrier::Grpc, &server.agent(0)).await;
    alex.status(AgentStatus::Online).await;
    alex.take(&id).await;
    assert_eq!(log(&server, &[]), [Value::Null; 0], "an agent's own work is none");

    let mut sue = Wire::staff(&server, Carrier::WebSocketProtobuf, &server.supervisor()).await;
    sue.subscribe(&id).await;
    sue.subscribe(&id).await;
    sue.hear("Hello").await;
    ctl(&server, &["show", &id]);
    let file = folder.path().join("desk.yaml");
    std::fs::write(&file, "title: Audited\nqueues: [{ name: general }]\n").expect("written");
    let file = file.display().to_string();
    ctl(&server, &["apply", "-f", &file, "--dry-run"]);
    ctl(&server, &["apply", "-f", &file]);

    let all = log(&server, &[]);
    assert_eq!(acts(&all), ["apply", "read", "watch"]);
    let (applied, watched) = (&all[0], &all[2]);
    assert_eq!(watched["subject"], *id);
    assert_eq!(watched["actor"]["party"], "PARTY_SUPERVISOR");
    assert_eq!(watched["origin"], "127.0.0.1");
    assert_eq!(watched["details"]["queue"], "general");
    let changes = applied["details"]["changes"].as_array().expect("lines");
    assert!(changes.iter().any(|line| line == "- queue sales"), "{changes:?}");

    let name = watched["actor"]["name"].as_str().expect("a name");
    let of_one = log(&server, &["--act", "watch", "--actor", name, "--subject", &id]);
    assert_eq!(of_one, std::slice::from_ref(watched));
    assert_eq!(log(&server, &["--limit", "2"]), all[..2]);
    assert_eq!(log(&server, &["--from", "2000-01-01", "--to", "2000-01-02"]), [Value::Null; 0]);
    let table = ctl(&server, &["audit"]);
    assert!(table.contains("watch") && table.contains(&id) && table.contains(name), "{table}");

    server.kill();
    server.start_again().await;
    assert_eq!(log(&server, &[]), all, "a restart forgets nothing");
    let agent = server.agent(0);
    let forbidden = frontdesk(&server, Some(&agent), &["ctl", "audit"]).output();
    let forbidden = forbidden.expect("the binary runs");
    assert!(String::from_utf8_lossy(&forbidden.stderr).contains("supervisor"));
}
