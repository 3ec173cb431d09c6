//! What a server tells of itself: metrics that are all in the catalog, a log that holds
//! nothing of what people say, and levels that change while it runs.

use bytes::Bytes;
use frontdesk_client::Carrier;
use frontdesk_proto::v1::{AddNote, AgentStatus};
use frontdesk_telemetry::catalog::{self, Kind};
use frontdesk_tests::binary;
use frontdesk_tests::http::Http;
use frontdesk_tests::logs;
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::{Wire, fresh_id};
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;

const TOKEN: &str = "an-admin-token-of-a-test";
/// What people say and are called in this test, and nothing else.
const SAID: [&str; 4] = ["Quokka-in-a-message", "Quokka-in-a-note", "Quokka-in-a-plan", "Quokka-x"];

struct Operated {
    server: Server,
    health: SocketAddr,
}

impl Operated {
    async fn start(level: &str) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let health = free.local_addr().expect("it is bound");
        drop(free);
        let plan = Plan::default()
            .set("log.level", level)
            .set("cluster.health_listen", health)
            .set("telemetry.admin_token", TOKEN)
            // Of its election at the start; the usual level leaves it out.
            .expects(" WARN openraft::");
        Self { server: plan.start().await, health }
    }

    fn ops(&self) -> Http {
        Http::new(self.health)
    }

    /// What it has logged so far holds these words.
    fn logged(&self, text: &str) -> bool {
        self.server.process().lines().iter().any(|line| line.contains(text))
    }
}

/// A visitor and an agent meet, talk, and note something.
async fn conversation(server: &Server) -> String {
    let carrier = Carrier::WebSocketJson;
    let mut visitor = Wire::visitor(server, carrier).await;
    let mut agent = Wire::staff(server, carrier, &server.agent(0)).await;
    agent.status(AgentStatus::Online).await;
    let attributes = BTreeMap::from([("plan".to_owned(), SAID[2].to_owned())]);
    let id = visitor.start_with(SAID[0], attributes).await.conversation_id;
    agent.take(&id).await;
    agent.say(&id, SAID[0]).await;
    visitor.hear(SAID[0]).await;
    let note = AddNote {
        conversation_id: id.clone(),
        client_msg_id: fresh_id(),
        text: SAID[1].into(),
        ..AddNote::default()
    };
    agent.call(note).await;
    id
}

#[test]
fn a_warning_that_nobody_expects_is_noticed() {
    let lines = [
        "2026-11-29T16:25:07.8Z  WARN frontdesk_bus: lost",
        "2026-11-29T16:25:07.8Z ERROR frontdesk_bus: broken",
        "{\"timestamp\":\"2026\",\"level\":\"WARN\",\"message\":\"lost\"}",
        "thread 'main' (7) panicked at src/main.rs:1:1:",
    ];
    assert!(lines.iter().all(|line| logs::is_alarm(line)));
    assert!(!logs::is_alarm("2026-11-29T16:25:07.8Z  INFO frontdesk_bus: WARN me"));
    let lines: Vec<String> = lines.iter().map(|line| line.to_string()).collect();
    let unlisted = logs::unlisted(lines.clone(), &["lost".to_owned()]);
    assert_eq!(unlisted, [lines[1].clone(), lines[3].clone()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_tells_how_it_does_and_nothing_of_what_is_said() {
    let operated = Operated::start("trace").await;
    let id = conversation(&operated.server).await;
    let wrong = json!({ "site": "demo", "email": "quokka-x@example.org", "password": SAID[3] });
    operated.server.http().post("/v1/agent/sign-in", &wrong).await;

    let page = operated.ops().get("/metrics").await.expect_ok().text();
    every_series_is_in_the_catalog(&page);
    nothing_personal_is_logged(&operated, &id);
    the_admin_token_guards(&operated).await;
    pages_show_what_the_process_is_at(&operated, &id).await;
    a_browser_looks_and_changes_nothing(&operated).await;
    ctl_shows_pages(&operated);
    levels_change_and_return(&operated).await;
}

fn every_series_is_in_the_catalog(page: &str) {
    let mut series = 0;
    for line in page.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, rest) = line.split_at(line.find(['{', ' ']).expect("a name and a value"));
        let metric = catalog::of_series(name).unwrap_or_else(|| panic!("not listed: {line}"));
        let labels = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        for pair in labels.map_or("", |(labels, _)| labels).split(',').filter(|p| !p.is_empty()) {
            let (label, value) = pair.split_once('=').expect("a label has a value");
            let is_bucket = label == "le" && metric.kind == Kind::Histogram;
            let listed = |l: &&catalog::Label| {
                l.name == label && l.values.contains(&value.trim_matches('"'))
            };
            assert!(is_bucket || metric.labels.iter().any(|l| listed(&l)), "not listed: {line}");
        }
        series += 1;
    }
    assert!(series > 100, "only {series} series:\n{page}");
    // Each is described, and what the conversation did was measured.
    let kinds = page.lines().filter(|line| line.starts_with("# TYPE ")).count();
    assert_eq!(page.lines().filter(|line| line.starts_with("# HELP ")).count(), kinds);
    for happened in [
        "frontdesk_gateway_acknowledge_seconds_count",
        "frontdesk_sessions_commands_total{outcome=\"sent\"}",
        "frontdesk_bus_publishes_total{mode=\"local\",outcome=\"accepted\"}",
        "frontdesk_journal_records_total",
        "frontdesk_sessions_mailbox_limit",
        "frontdesk_routing_offers_total{outcome=\"accepted\"}",
    ] {
        let value = page.lines().find_map(|line| line.strip_prefix(happened)?.strip_prefix(' '));
        assert!(value.is_some_and(|value| value != "0"), "{happened}: {value:?}");
    }
}

fn nothing_personal_is_logged(operated: &Operated, conversation: &str) {
    let process = operated.server.process();
    let (lines, staff) = (process.lines(), operated.server.ready().agents.clone());
    let logged: Vec<_> = lines.iter().filter(|line| line.starts_with("err ")).collect();
    assert!(logged.len() > 20, "it logs what it does: {logged:#?}");
    let mut personal: Vec<String> = SAID.iter().map(|text| text.to_string()).collect();
    personal.push("quokka-x@example.org".into());
    personal.extend(staff.iter().map(|who| who.email.clone()));
    personal.extend(staff.iter().filter_map(|who| who.password.clone()));
    for line in &logged {
        let lower = line.to_ascii_lowercase();
        let found = personal.iter().find(|text| lower.contains(&text.to_ascii_lowercase()));
        assert_eq!(found, None, "{line}");
    }
    assert!(logged.iter().any(|line| line.contains(" DEBUG frontdesk")), "ours are heard");
    let others = |line: &&&String| {
        let target = line.split_whitespace().nth(3).unwrap_or_default();
        let talks = [" DEBUG ", " TRACE "].iter().any(|level| line.contains(level));
        talks && !target.starts_with("frontdesk")
    };
    assert_eq!(logged.iter().find(others), None, "libraries say what they carry");
    assert!(!conversation.is_empty());
}

async fn the_admin_token_guards(operated: &Operated) {
    let ops = operated.ops();
    for path in ["/admin/log", "/debug", "/debug/mailboxes", "/debug/slow", "/debug/tasks"] {
        assert_eq!(ops.get(path).await.status, 401, "{path}");
        let wrong = format!("{TOKEN}x");
        assert_eq!(ops.get_as(&wrong, path).await.status, 401, "{path}");
        ops.get_as(TOKEN, path).await.expect_ok();
        // Not where clients are.
        assert_eq!(operated.server.http().get_as(TOKEN, path).await.status, 404, "{path}");
    }
}

async fn pages_show_what_the_process_is_at(operated: &Operated, conversation: &str) {
    let page = async |name: &str| -> Value {
        operated.ops().get_as(TOKEN, &format!("/debug{name}")).await.expect_ok().json()
    };
    let all = [
        "bus",
        "connections",
        "groups",
        "mailboxes",
        "queues",
        "raft",
        "readers",
        "slow",
        "tasks",
        "threads",
    ];
    assert_eq!(page("").await, json!(all));
    let mailboxes = page("/mailboxes").await;
    let shards = mailboxes.as_array().expect("a list");
    assert_eq!(shards.len(), 256);
    let live = |shard: &Value| shard["live"].as_u64().unwrap_or_default();
    assert!(shards.iter().map(live).sum::<u64>() >= 1, "{mailboxes}");
    assert!(shards.iter().all(|shard| shard["mailbox_limit"] == 1_024));
    let slow = page("/slow").await;
    let mut commits = slow.as_array().expect("a list").iter();
    assert!(commits.any(|commit| commit["conversation"] == conversation), "{slow}");
    tasks_have_names(&page("/tasks").await);
    frontdesk_tests::deadline::until("whoever was there is gone", || async {
        (page("/connections").await == json!([])).then_some(())
    })
    .await;
    let raft = page("/raft").await;
    assert_eq!((&raft[0]["leads"], raft.as_array().map(Vec::len)), (&json!(true), Some(1)));
    let bus = page("/bus").await;
    assert_eq!((&bus[0]["way"], &bus[0]["live"]), (&json!("from"), &json!(true)), "{bus}");
    assert!(page("/threads").await.as_array().expect("a list").len() > 5);
    let text = operated.ops().get_as(TOKEN, "/debug/slow?format=text").await.expect_ok().text();
    assert!(text.starts_with("conversation\tshard\tcommit_micros"), "{text}");
    assert_eq!(operated.ops().get_as(TOKEN, "/debug/nothing").await.status, 404);
}

fn tasks_have_names(tasks: &Value) {
    let named = |name: &str| {
        let found = tasks.as_array().expect("a list").iter().find(|task| task["name"] == name);
        found.unwrap_or_else(|| panic!("no {name} among {tasks}")).clone()
    };
    let shards = named("sessions.shard");
    assert_eq!((&shards["alive"], &shards["panicked"]), (&json!(256), &json!(0)));
    assert!(shards["polls"].as_u64() >= Some(256) && shards["oldest_seconds"].as_f64() > Some(0.0));
    let connections = named("gateway.connection");
    assert!(connections["started"].as_u64() >= Some(2), "{connections}");
    for name in ["gateway.listener", "queueing.keeper", "routing.router", "presence.expiry"] {
        assert_eq!(named(name)["alive"], 1, "{name}");
    }
}

/// As a browser does it: the token as a password, HTML, and nothing is changed.
async fn a_browser_looks_and_changes_nothing(operated: &Operated) {
    use base64::Engine as _;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("me:{TOKEN}"));
    let (ops, basic) = (operated.ops(), format!("Basic {pair}"));
    let call = |method: Method, path: &str| {
        let call = ops.call(method, path).header("authorization", basic.as_str());
        call.header("accept", "text/html,*/*;q=0.8")
    };
    let asked = ops.get("/debug/").await;
    let ways: Vec<_> = asked.headers.get_all("www-authenticate").iter().collect();
    assert_eq!((asked.status.as_u16(), ways.len()), (401, 2), "{ways:?}");
    for (path, holds) in [
        ("/debug/", "<a href=\"/debug/tasks\">tasks</a>"),
        ("/debug/tasks", "<td>sessions.shard</td>"),
        ("/debug/mailboxes", "<th scope=\"col\">mailbox limit</th>"),
    ] {
        let page = ops.send(call(Method::GET, path), Bytes::new()).await.expect_ok();
        assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
        let policy = page.headers["content-security-policy"].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
        assert_eq!(page.headers["cache-control"], "no-store");
        let text = page.text();
        assert!(text.contains(holds) && !text.contains("<script"), "{text}");
    }
    let style = ops.send(call(Method::GET, "/debug/style.css"), Bytes::new()).await.expect_ok();
    assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
    // Another page might have the browser do this.
    let change = ops.send(call(Method::DELETE, "/admin/log"), Bytes::new()).await;
    assert_eq!(change.status, 401);
}

fn ctl_shows_pages(operated: &Operated) {
    let at = operated.health.to_string();
    let ctl = |words: &[&str]| {
        let mut command = Command::new(binary::frontdesk());
        command.arg("ctl").args(words).args(["--at", &at, "--admin-token", TOKEN]);
        let output = command.output().expect("the program runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    assert!(ctl(&["debug"]).contains("\ntasks\n"));
    let table = ctl(&["debug", "tasks"]);
    assert!(table.starts_with("NAME ") && table.contains("\nsessions.shard "), "{table}");
    let both: Value =
        serde_json::from_str(&ctl(&["-o", "json", "debug", "raft", "--at", &at])).expect("JSON");
    assert_eq!(both.as_array().map(Vec::len), Some(2));
    assert_eq!((&both[1]["process"], &both[1]["rows"][0]["leads"]), (&json!(at), &json!(true)));
}

async fn levels_change_and_return(operated: &Operated) {
    let ctl = |arguments: &[&str]| {
        let mut command = Command::new(binary::frontdesk());
        command.args(["ctl", "--output", "json", "log", "--at", &operated.health.to_string()]);
        command.args(["--admin-token", TOKEN]).args(arguments);
        let output = command.output().expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        serde_json::from_slice::<Value>(&output.stdout).expect("JSON")
    };
    let changed = ctl(&["warn", "--for", "2s"]);
    assert_eq!((&changed["level"], &changed["configured"]), (&json!("warn"), &json!("trace")));
    frontdesk_tests::deadline::until("the level returns", || async {
        let level: Value = operated.ops().get_as(TOKEN, "/admin/log").await.json();
        (level["level"] == "trace").then_some(())
    })
    .await;
    assert_eq!(ctl(&["info", "--for", "1h"])["level"], "info");
    assert_eq!(ctl(&["default"])["level"], "trace");
    assert!(operated.logged("logging by other directives"));
}
