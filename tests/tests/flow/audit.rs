//! What supervisors did, in a log that outlives the process and takes nothing back.

use crate::terminal::{ctl, ctl_json, frontdesk};
use frontdesk_client::Carrier;
use frontdesk_proto::v1::AgentStatus;
use frontdesk_tests::deadline::step;
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::Wire;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

fn all_of(server: &Server, words: &[&str]) -> Vec<Value> {
    let answer = ctl_json(server, &[&["audit"], words].concat());
    answer.as_array().expect("a list").clone()
}

/// But for sign-ins: each command is one.
fn log(server: &Server, words: &[&str]) -> Vec<Value> {
    let mut all = all_of(server, words);
    all.retain(|record| record["act"] != "sign_in");
    all
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
    assert_eq!(all_of(&server, &["--limit", "2", "--act", "read"]), all[1..2]);
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

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_is_written_down_and_who_guesses_once() {
    let plan = Plan::default().set("gateway.sign_in_attempts_per_minute", 1_000);
    let server = plan.start().await;
    let alex = server.agent(0);
    server.sign_in(&alex).await;
    let signed_in = log_of(&server, "sign_in", 2).await;
    let of_alex = signed_in.iter().find(|record| record["actor"]["name"] == "Alex");
    let of_alex = of_alex.expect("the agent's sign-in");
    assert_eq!(of_alex["subject"], of_alex["actor"]["id"]);
    assert_eq!(
        (&of_alex["origin"], &of_alex["details"]["by"]),
        (&"127.0.0.1".into(), &"password".into())
    );

    for email in [&*alex.email, "nobody@demo.example"] {
        for _ in 0..12 {
            let ask = json!({ "site": "demo", "email": email, "password": "a wrong password" });
            let answer = server.http().post("/v1/agent/sign-in", &ask).await;
            assert!([401, 429].contains(&answer.status.as_u16()), "{}", answer.status);
        }
    }
    let refused = log_of(&server, "refused_sign_in", 1).await;
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0]["subject"], of_alex["subject"]);
    assert_eq!(refused[0]["details"]["why"], "delayed");
    assert_eq!(refused[0]["actor"]["name"], "stranger");
}

/// The entries of an act, once there are so many: refusals are written beside the answer.
async fn log_of(server: &Server, act: &str, least: usize) -> Vec<Value> {
    step(format!("{least} of {act}"), async {
        loop {
            let found = all_of(server, &["--act", act]);
            if found.len() >= least {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_taken_out_line_by_line() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("audit.jsonl").display().to_string();
    let mut visitor = Wire::visitor(&server, Carrier::Grpc).await;
    let id = visitor.start("Hello").await.conversation_id;
    let boss = server.supervisor();
    let token = server.sign_in(&boss).await.token;
    // More than a page.
    for _ in 0..101 {
        let path = format!("/v1/conversations/{id}/transcript");
        server.http().get_as(&token, &path).await.expect_ok();
    }
    let said = ctl(&server, &["audit", "export", "--from", "1h", "--to-file", &file]);
    assert!(said.contains("103 entries"), "{said}");
    let text = std::fs::read_to_string(&file).expect("it was written");
    let lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a document a line")).collect();
    assert_eq!(lines.len(), 103);
    // The last command's own sign-in comes first.
    assert_eq!(all_of(&server, &["--from", "1h"])[1..], lines);
    let mode = std::fs::metadata(&file).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let printed = ctl(&server, &["audit", "export", "--act", "apply"]);
    assert_eq!(printed, "", "nothing of it");
    let again = ["ctl", "audit", "export", "--to-file", &file];
    let refused = frontdesk(&server, Some(&boss), &again).output().expect("the binary runs");
    assert!(!refused.status.success(), "it writes over nothing");
    assert_eq!(std::fs::read_to_string(&file).expect("still there"), text);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_bound_to_nobody_is_not_signed_out() {
    let server = Server::start().await;
    let alex = server.agent(0);
    let token = server.sign_in(&alex).await.token;
    let said = ctl(&server, &["agents", "unbind", &alex.email]);
    assert!(said.contains("was bound to nobody"), "{said}");
    assert_eq!(log(&server, &[]), [Value::Null; 0], "nothing was done");
    Wire::open(&server, Carrier::Grpc, &token).await;
}
