//! What operators do to a cluster, with `frontdesk ctl` and `frontdesk doctor`,
//! while conversations go on under audit.

use crate::{BESIDE, cluster, passed, steady};
use frontdesk_tests::binary;
use frontdesk_tests::cluster::Cluster;
use frontdesk_tests::deadline::until;
use frontdesk_tests::load::Load;
use frontdesk_tests::process::Process;
use serde_json::Value;
use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::Duration;

const SECONDS: u64 = 45;

/// Runs the program with the cluster's settings.
fn frontdesk(cluster: &Cluster, words: &[&str]) -> Output {
    let mut command = Command::new(binary::frontdesk());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("FRONTDESK_") {
            command.env_remove(name);
        }
    }
    let settings = cluster.ready().settings.as_os_str();
    command.args(words).arg("--config").arg(settings);
    command.output().expect("the program can be run")
}

/// Runs `frontdesk ctl`, which must succeed.
#[track_caller]
fn ctl(cluster: &Cluster, words: &[&str]) -> String {
    let output = frontdesk(cluster, &[&["ctl"], words].concat());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ctl {words:?}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

#[track_caller]
fn ctl_json(cluster: &Cluster, words: &[&str]) -> Value {
    let printed = ctl(cluster, &[&["-o", "json"], words].concat());
    serde_json::from_str(&printed).unwrap_or_else(|e| panic!("{e}: {printed}"))
}

/// Runs `frontdesk ctl`, which must refuse, and gives what it said.
#[track_caller]
fn refused(cluster: &Cluster, words: &[&str]) -> String {
    let output = frontdesk(cluster, &[&["ctl"], words].concat());
    assert_eq!(output.status.code(), Some(1), "ctl {words:?}");
    String::from_utf8(output.stderr).expect("text")
}

/// A conversation that is under way, as a supervisor finds it.
fn a_conversation(cluster: &Cluster) -> String {
    let found = by_supervisor(cluster, &["conversations", "--open"]);
    let id = &found["conversations"][0]["conversationId"];
    id.as_str().expect("conversations are under way").to_owned()
}

/// Each once, whatever was tried again, and with who did it.
fn what_operators_did_is_written_down(cluster: &Cluster) {
    let log = by_supervisor(cluster, &["audit", "--actor", "operator"]);
    let log = log.as_array().expect("a list");
    let of = |act: &str| {
        let of_act = log.iter().filter(|record| record["act"] == act);
        of_act.map(|record| text(&record["subject"]).to_owned()).collect::<Vec<_>>()
    };
    let drained = of("drain");
    assert_eq!(drained.len(), 2, "{log:?}");
    assert!(drained[0].starts_with("sessions-1") && drained[1].starts_with("gateway-1"));
    assert!(of("move").len() >= 2 && of("move").iter().all(|what| what.starts_with("sessions ")));
    assert!(of("raft").contains(&"transfer 2".to_owned()), "{log:?}");
    assert!(log.iter().all(|record| text(&record["origin"]).contains(" at ")), "{log:?}");
}

/// What `frontdesk ctl` says to a supervisor of the site.
fn by_supervisor(cluster: &Cluster, words: &[&str]) -> Value {
    let supervisor = cluster.ready().agents.iter().find(|a| a.email.starts_with("supervisor"));
    let supervisor = supervisor.expect("the demo site has one");
    let mut command = Command::new(binary::frontdesk());
    let password = supervisor.password.as_ref().expect("it is new");
    command.env("FRONTDESK_PASSWORD", password);
    command.args(["ctl", "-o", "json", "--target", cluster.gateways()[1]]);
    let said = command.args(["--email", &supervisor.email]).args(words).output();
    let said = said.expect("it runs").stdout;
    serde_json::from_slice(&said).unwrap_or_else(|e| panic!("ctl {words:?}: {e}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_move_shards_clients_and_voters_under_load() {
    let (cluster, _turn) = cluster().await;
    let cluster = cluster.parts_may_fail();
    let load = Load::start(
        cluster.announced(),
        &cluster.gateways(),
        &steady("operators-at-work", SECONDS),
    );
    // The conversations have begun.
    tokio::time::sleep(Duration::from_secs(6)).await;

    assert_eq!(ctl_json(&cluster, &["nodes"]).as_array().expect("a list").len(), 9);
    assert!(ctl(&cluster, &["reservations"]).contains("chat"));
    pages_of_every_role(&cluster);
    a_shard_is_moved(&cluster).await;
    voters_change(&cluster).await;
    ctl(&cluster, &["drain", "gateway-1"]);
    ctl(&cluster, &["drain", "sessions-1"]);
    what_operators_did_is_written_down(&cluster);
    let nodes = ctl_json(&cluster, &["nodes"]);
    for node in nodes.as_array().expect("a list") {
        let drains = ["gateway-1", "sessions-1"].contains(&text(&node["name"]));
        assert_eq!(node["draining"], drains, "{node}");
    }
    // As after an upgrade: what comes back is another incarnation, which takes part.
    for name in ["gateway-1", "sessions-1"] {
        let before = cluster.member(name);
        cluster.signal("term", &[name]);
        cluster.restarted(&before).await;
    }
    let nodes = ctl_json(&cluster, &["nodes"]);
    assert!(nodes.as_array().expect("a list").iter().all(|n| n["draining"] == false), "{nodes}");
    passed(&load.finish(Duration::from_secs(SECONDS) + BESIDE));
    cluster.stop();
}

/// Each is found by its name, the token in the settings.
fn pages_of_every_role(cluster: &Cluster) {
    for (process, page, holds) in [
        ("gateway-1", "connections", "visitor"),
        ("sessions-1", "tasks", "sessions.shard"),
        ("queueing-1", "groups", "MAILBOX_LIMIT"),
        // Which of the routers has a site, and so a way to gateways, is for the cluster.
        ("routing-1", "tasks", "routing.router"),
        ("sessions-1", "bus", "gateway-"),
        ("presence-3", "raft", "LEADS"),
        ("desk-1", "threads", "tokio"),
    ] {
        let shown = ctl(cluster, &["debug", page, "--process", process]);
        assert!(shown.contains(holds), "{process}: {shown}");
    }
    let both = ctl(cluster, &["debug", "bus", "--process", "gateway-1", "--process", "gateway-2"]);
    assert!(both.starts_with("PROCESS") && both.contains("\ngateway-2"), "{both}");
}

/// The shard of a conversation goes where it is told to go, and stays there.
async fn a_shard_is_moved(cluster: &Cluster) {
    let id = a_conversation(cluster);
    let before = ctl_json(cluster, &["where", &id]);
    let owner = text(&before["node"]);
    let other = if owner.starts_with("sessions-1") { "sessions-2" } else { "sessions-1" };
    let shard = before["shard"].to_string();
    ctl(cluster, &["move", "sessions", &shard, "--to", other]);
    until("the shard has moved", || async {
        // While it moves, neither owner has it.
        let asked = frontdesk(cluster, &["ctl", "-o", "json", "where", &id]);
        let now: Value = serde_json::from_slice(&asked.stdout).ok()?;
        text(&now["node"])
            .starts_with(other)
            .then(|| assert!(now["epoch"].as_u64() > before["epoch"].as_u64()))
    })
    .await;
    let placement = ctl_json(cluster, &["placement", "--role", "sessions"]);
    let moved =
        placement.as_array().expect("a list").iter().find(|p| p["shard"] == before["shard"]);
    assert_eq!(moved.expect("it is placed")["placedBy"], "operator");
    assert!(ctl(cluster, &["placement"]).contains("pinned"));
    ctl(cluster, &["move", "sessions", &shard, "--unpin"]);
    assert!(!ctl(cluster, &["placement"]).contains("pinned"));
    assert!(refused(cluster, &["move", "sessions", &shard, "--to", "nobody"]).contains("nobody"));
}

/// A fourth voter comes, is given a vote and the lead; a founder goes.
async fn voters_change(cluster: &Cluster) {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
    let address = free.expect("a port is free").to_string();
    let mut fourth = Command::new(binary::frontdesk());
    fourth.arg("presence").arg("--config").arg(&cluster.ready().settings);
    fourth.arg("--data").arg(cluster.folder().join("presence-4"));
    fourth.args(["--name", "presence-4", "--internal-listen", &address]);
    let mut fourth = Process::start(&mut fourth).others_may_fail();

    let voter = ctl_json(cluster, &["raft", "add", &address])["voter"].clone();
    let id = voter.to_string();
    assert!(id.len() >= 4, "ids below 1,000 are the founders': {id}");
    assert_eq!(ctl_json(cluster, &["raft", "add", &address])["voter"].to_string(), id);
    // Refused until it has caught up.
    until("it may vote", || async {
        let asked = frontdesk(cluster, &["ctl", "raft", "promote", &id]);
        asked.status.success().then_some(())
    })
    .await;
    ctl(cluster, &["raft", "transfer", &id]);
    until("it leads", || async {
        let status = ctl_json(cluster, &["raft", "status"]);
        (status["leader"] == voter).then_some(())
    })
    .await;
    assert!(refused(cluster, &["raft", "remove", &id]).contains("leads"));
    ctl(cluster, &["raft", "transfer", "2"]);
    until("a founder leads again", || async {
        let status = ctl_json(cluster, &["raft", "status"]);
        (status["leader"] == 2).then_some(())
    })
    .await;
    ctl(cluster, &["raft", "remove", &id]);
    let status = ctl_json(cluster, &["raft", "status"]);
    assert_eq!(status["voters"].as_array().expect("a list").len(), 3, "{status}");
    assert!(fourth.terminate(Duration::from_secs(20)).success(), "{}", fourth.printed());
}

/// It says that all is well, and what is not.
#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_what_is_wrong() {
    let (cluster, _turn) = cluster().await;
    let cluster = cluster.parts_may_fail();
    let well = frontdesk(&cluster, &["doctor"]);
    let printed = String::from_utf8_lossy(&well.stdout);
    assert!(well.status.success() && !printed.contains("FAIL"), "{printed}");
    for check in [
        "versions",
        "process clocks",
        "reach gateway-1",
        "reach presence-1",
        "open files desk-1",
        "data presence-2",
        "postgres pools",
        "redis version",
        "redis buffers",
        "secret files",
        "cluster.tls names",
    ] {
        assert!(printed.contains(check), "no {check} in {printed}");
    }

    cluster.signal("stop", &["redis", "presence-3", "desk-1"]);
    let sick = frontdesk(&cluster, &["doctor", "-o", "json"]);
    assert_eq!(sick.status.code(), Some(1));
    let findings: Value = serde_json::from_slice(&sick.stdout).expect("a list of findings");
    let found: Vec<(&str, &str)> = findings
        .as_array()
        .expect("a list")
        .iter()
        .filter(|f| f["verdict"] != "ok")
        .map(|f| (text(&f["check"]), text(&f["verdict"])))
        .collect();
    let third = format!("voter {}", cluster.member("presence-3").internal.expect("it has one"));
    for expected in [("redis", "fail"), (third.as_str(), "fail"), ("quorum", "warn")] {
        assert!(found.contains(&expected), "{expected:?} is not among {found:?}");
    }
    let desk = |check: &str| ["reach desk-1", "desk processes"].contains(&check);
    assert!(found.iter().any(|(check, verdict)| desk(check) && *verdict == "fail"), "{found:?}");
    cluster.signal("cont", &["redis", "presence-3", "desk-1"]);
    cluster.stop();
}
