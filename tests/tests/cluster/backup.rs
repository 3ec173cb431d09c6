//! A cluster's database, dumped while people talk and restored beside it as OPERATIONS.md says,
//! is found again whole by another presence group; who is forgotten there is nowhere.

use crate::{EXTRA_AGENTS, ONE_AT_A_TIME};
use frontdesk_client::{Address, Agent, Carrier, Session, SessionSettings, Tokens, Visitor};
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::{AgentStatus, RateConversation, SendMessage, SetTags, StartConversation};
use frontdesk_tests::accounts::Account;
use frontdesk_tests::binary;
use frontdesk_tests::cluster::Cluster;
use frontdesk_tests::deadline::{step, until};
use frontdesk_tests::fresh::{Fresh, secret};
use frontdesk_tests::http::Http;
use frontdesk_tests::printed;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

const SECTION: &str = "Backup, restore and privacy";
/// People who talk while the dump is made.
const TALKERS: usize = 8;
/// What each has said before it is begun.
const SAID_BEFORE: usize = 12;
/// A person may say so much and no more.
const PACE: Duration = Duration::from_millis(110);
/// In all that is known of one visitor, and nowhere else.
const MARK: &str = "Mcluster7Qx";
const CARRIER: Carrier = Carrier::WebSocketProtobuf;

/// By conversation: place and text.
type Lines = BTreeMap<String, Vec<(u32, String)>>;

/// What was acknowledged.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Lines>>);

impl Said {
    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().expect("nobody panics with it")
    }

    fn total(&self) -> usize {
        self.lock().values().map(Vec::len).sum()
    }
}

/// A cluster as its people see it.
struct Place<'a> {
    address: Address,
    site: &'a str,
    site_key: &'a str,
    accounts: &'a [Account],
}

impl<'a> Place<'a> {
    fn of(gateway: &str, cluster: &'a Cluster) -> Self {
        let ready = cluster.ready();
        let address = gateway.parse().expect("an address");
        Self { address, site: &ready.site, site_key: &ready.site_key, accounts: &ready.agents }
    }

    fn tokens(&self) -> Tokens {
        Tokens::new(&self.address).expect("inside a runtime")
    }

    fn account(&self, role: &str) -> &Account {
        self.accounts.iter().find(|account| account.role == role).expect("there is one")
    }

    async fn staff_token(&self, role: &str) -> String {
        let Account { email, password, .. } = self.account(role);
        let password = password.as_deref().expect("it is new");
        let token = self.tokens().sign_in(self.site, email, password).await;
        token.expect("signed in").token
    }

    fn session(&self, token: &str) -> Session {
        Session::new(SessionSettings::new(self.address.clone(), CARRIER, token.to_owned()))
    }

    async fn visitor_token(&self) -> String {
        self.tokens().visitor(self.site_key).await.expect("let in").token
    }

    async fn agent(&self) -> Agent {
        let mut agent = Agent { session: self.session(&self.staff_token("agent").await) };
        agent.set_status(AgentStatus::Online).await.expect("online");
        agent
    }

    /// All events as the staff sees them, and the bytes they came in.
    async fn transcript(&self, token: &str, id: &str) -> (Vec<Value>, Vec<u8>) {
        let http = Http::new(self.address.authority().parse().expect("host and port"));
        let path = format!("/v1/conversations/{id}/transcript?format=json");
        let body = http.get_as(token, &path).await.expect_ok().body;
        let whole: Value = serde_json::from_slice(&body).expect("JSON");
        (whole["events"].as_array().expect("events").clone(), body.to_vec())
    }

    /// `frontdesk ctl` as a supervisor.
    fn ctl(&self, words: &[&str]) -> String {
        let supervisor = self.account("supervisor");
        let mut command = Command::new(binary::frontdesk());
        command.env("FRONTDESK_PASSWORD", supervisor.password.as_deref().expect("it is new"));
        command.args(["ctl", "--target", &format!("http://{}", self.address.authority())]);
        let output = command.args(["--email", &supervisor.email]).args(words).output();
        let output = output.expect("the program can be run");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "ctl {words:?}: {errors}");
        String::from_utf8(output.stdout).expect("text")
    }
}

fn started(text: &str) -> StartConversation {
    StartConversation {
        conversation_id: Uuid::now_v7().to_string(),
        visitor_name: text.into(),
        attributes: [("plan".to_owned(), text.to_owned())].into(),
        ..StartConversation::default()
    }
}

/// A conversation with all there is in it, ended and rated.
async fn told(place: &Place<'_>, token: &str, agent: &mut Agent) -> String {
    let mut visitor = Visitor { session: place.session(token) };
    let id = visitor.session.call(started(MARK)).await.expect("started").conversation_id;
    let offer = step("an offer", agent.next_offer()).await.expect("offered");
    agent.accept(&offer).await.expect("accepted");
    let name = format!("{MARK}.txt");
    let file = frontdesk_client::upload(&place.address, token, &id, &name, MARK.as_bytes()).await;
    let message = SendMessage {
        conversation_id: id.clone(),
        client_msg_id: "file".into(),
        text: MARK.into(),
        attachment_ids: vec![file.expect("uploaded").id],
        ..SendMessage::default()
    };
    visitor.session.call(message).await.expect("said");
    agent.note(&id, "note", MARK).await.expect("noted");
    let tags = SetTags { conversation_id: id.clone(), tags: vec![MARK.to_lowercase()] };
    agent.session.call(tags).await.expect("tagged");
    agent.session.close_conversation(&id).await.expect("ended");
    let (conversation_id, comment) = (id.clone(), MARK.to_owned());
    let rating = RateConversation { conversation_id, score: 5, comment };
    visitor.session.call(rating).await.expect("rated");
    id
}

/// Talks until it is over.
async fn talk(mut visitor: Visitor, id: String, said: Said, over: watch::Receiver<bool>) {
    for n in 0.. {
        if *over.borrow() {
            return;
        }
        let text = format!("message {n} of {id}");
        let sent = visitor.session.say(&id, &format!("m{n}"), &text).await.expect("acknowledged");
        said.lock().entry(id.clone()).or_default().push((sent.seq, text));
        tokio::time::sleep(PACE).await;
    }
}

/// Files in which the mark stands as it is or in hexadecimal.
fn with_mark(path: &Path) -> Vec<String> {
    files_with(path, &[MARK, &MARK.to_lowercase(), &in_hex()])
}

fn in_hex() -> String {
    MARK.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn files_with(path: &Path, words: &[&str]) -> Vec<String> {
    let mut grep = Command::new("grep");
    grep.args(["--recursive", "--text", "--files-with-matches", "--fixed-strings"]);
    grep.args(words.iter().flat_map(|word| ["-e", word])).arg(path);
    let output = grep.output().expect("grep runs");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// What `frontdesk doctor` finds wrong.
fn failures(fresh: &Fresh) -> BTreeMap<String, String> {
    let output = fresh.frontdesk(&["doctor", "-o", "json"]);
    let findings: Value = serde_json::from_slice(&output.stdout).expect("a list of findings");
    let failed = findings.as_array().expect("a list").iter().filter(|f| f["verdict"] == "fail");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    failed.map(|finding| (text(&finding["check"]), text(&finding["detail"]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_made_under_load_is_restored_for_another_group() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let cluster = Cluster::start(&["--extra-agents", EXTRA_AGENTS]).await;
    let old = Place::of(cluster.gateways()[0], &cluster);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let desk = folder.path().join("desk.yaml");
    std::fs::write(&desk, "queues: [{ name: general }, { name: tax }]\n").expect("written");
    old.ctl(&["apply", "-f", &desk.display().to_string()]);
    let marked = old.visitor_token().await;
    let mut agent = old.agent().await;
    let ended = told(&old, &marked, &mut agent).await;
    agent.set_status(AgentStatus::Away).await.expect("away");

    // They wait, and talk meanwhile.
    let (said, (over, is_over)) = (Said::default(), watch::channel(false));
    let (mut tokens, mut talks) = (BTreeMap::new(), Vec::new());
    for _ in 0..TALKERS {
        let token = old.visitor_token().await;
        let mut visitor = Visitor { session: old.session(&token) };
        let id = visitor.start("").await.expect("started").conversation_id;
        tokens.insert(id.clone(), token);
        talks.push(tokio::spawn(talk(visitor, id, said.clone(), is_over.clone())));
    }
    until("all have said something", || async {
        let said = said.lock();
        let enough = said.values().filter(|said| said.len() >= SAID_BEFORE).count();
        (enough == TALKERS).then_some(())
    })
    .await;
    let acknowledged = said.lock().clone();
    let (url, new_url) = databases(&cluster, folder.path());
    let (dumping, place) = (url.clone(), folder.path().to_owned());
    let dumped = tokio::task::spawn_blocking(move || {
        let line = printed::command(SECTION, "pg_dump ");
        printed::run(&line, &place, &[("URL", &dumping)]);
    });
    dumped.await.expect("dumped");
    assert!(said.total() > acknowledged.values().map(Vec::len).sum(), "nobody talked meanwhile");
    over.send(true).expect("they listen");
    for talk in talks {
        talk.await.expect("each was acknowledged");
    }
    let restore = printed::command(SECTION, "pg_restore ");
    printed::run(&restore, folder.path(), &[("NEW_URL", &new_url)]);
    let sql = |sql: &str| {
        printed::run(
            "psql -Atc \"$SQL\" \"$NEW_URL\"",
            folder.path(),
            &[("SQL", sql), ("NEW_URL", &new_url)],
        )
    };
    assert_eq!(sql("SELECT count(*) FROM shards").trim(), "0");

    // As a physical copy has them, of a group that had lived for long.
    sql("INSERT INTO shards SELECT n, 100000 + n FROM generate_series(0, 255) n");
    let fresh = Fresh::start(cluster.ready(), &new_url).await;
    it_says_whose_tables_these_are(&fresh).await;
    let line = printed::command(SECTION, "psql \"$NEW_URL\"");
    printed::run(&line, folder.path(), &[("NEW_URL", &new_url)]);
    until("they are this group's", || async { failures(&fresh).is_empty().then_some(()) }).await;

    let new = Place::of(fresh.gateway(), &cluster);
    let (before, after) =
        (old.staff_token("supervisor").await, new.staff_token("supervisor").await);
    let theirs = until("its conversations are served", || async {
        let http = Http::new(new.address.authority().parse().expect("host and port"));
        let path = format!("/v1/conversations/{ended}/transcript?format=json");
        let answer = http.get_as(&after, &path).await;
        answer.status.is_success().then_some(answer.body)
    })
    .await;
    assert_eq!(theirs, old.transcript(&before, &ended).await.1);
    for (id, acknowledged) in &acknowledged {
        let (all, kept) = (old.transcript(&before, id).await.0, new.transcript(&after, id).await.0);
        assert_eq!(kept[..], all[..kept.len()], "a prefix of {id}");
        for (seq, text) in acknowledged {
            let event = &kept[*seq as usize - 1]["event"];
            assert_eq!(
                (&event["seq"], &event["message"]["text"]),
                (&(*seq).into(), &text.as_str().into())
            );
        }
    }
    assert!(new.ctl(&["queues"]).contains("tax"));
    all_sign_in(&new).await;
    ctl_prints_the_command(&fresh, folder.path());
    it_goes_on(&new, &tokens).await;
    who_is_forgotten_is_nowhere(&cluster, &fresh, &new, &ended, (&new_url, folder.path())).await;
    drop(fresh);
    cluster.stop();
}

/// The database of the cluster, and an empty one beside it.
fn databases(cluster: &Cluster, folder: &Path) -> (String, String) {
    let url = secret(&cluster.ready().settings, "url");
    let make = "psql \"$URL\" --command 'CREATE DATABASE restored'";
    printed::run(make, folder, &[("URL", &url)]);
    let new_url = format!("{}/restored", url.rsplit_once('/').expect("a database").0);
    (url, new_url)
}

async fn it_says_whose_tables_these_are(fresh: &Fresh) {
    let failures = until("only the epochs are wrong", || async {
        let failures = failures(fresh);
        (failures.keys().collect::<Vec<_>>() == ["postgres epochs"]).then_some(failures)
    })
    .await;
    assert!(failures["postgres epochs"].contains("DELETE FROM shards"), "{failures:?}");
    until("the owner says it, too", || async {
        let printed = fresh.printed("sessions-1");
        printed.contains("under higher epochs than this presence group").then_some(())
    })
    .await;
}

/// There is no data folder to copy; what it says to do instead can be done.
fn ctl_prints_the_command(fresh: &Fresh, folder: &Path) {
    let refused = fresh.frontdesk(&["ctl", "backup", "a copy.dump"]);
    let why = String::from_utf8_lossy(&refused.stderr);
    assert_eq!((refused.status.code(), why.lines().count()), (Some(2), 1), "{why}");
    let password = secret(&fresh.folder().join("cluster.toml"), "password");
    assert!(!why.contains(&password), "{why}");
    let command = why.split('`').nth(1).unwrap_or_else(|| panic!("no command: {why}"));
    assert!(command.starts_with("pg_dump "), "{command}");
    printed::run(command, folder, &[("PGPASSWORD", &password)]);
    assert!(folder.join("a copy.dump").is_file());
}

/// With the passwords of before.
async fn all_sign_in(new: &Place<'_>) {
    for Account { email, password, .. } in new.accounts {
        let password = password.as_deref().expect("it is new");
        let token = new.tokens().sign_in(new.site, email, password).await;
        assert!(token.is_ok(), "{email}: {token:?}");
    }
}

/// One that waited gets an agent, and both talk where they left off.
async fn it_goes_on(new: &Place<'_>, tokens: &BTreeMap<String, String>) {
    let mut agent = new.agent().await;
    let offer = step("who waited is offered", agent.next_offer()).await.expect("offered");
    let id = offer.conversation_id.clone();
    agent.accept(&offer).await.expect("accepted");
    let mut visitor = Visitor { session: new.session(&tokens[&id]) };
    visitor.session.follow(&id).await.expect("it is still the visitor's");
    let sent = visitor.session.say(&id, "on", "on it goes").await.expect("acknowledged");
    // The same once more is the same.
    let again = visitor.session.say(&id, "on", "on it goes").await.expect("acknowledged");
    assert_eq!(sent.seq, again.seq);
    step("the agent reads it", async {
        loop {
            let push = agent.session.next_event().await.expect("an event");
            let body = push.event.and_then(|event| event.body);
            if matches!(body, Some(Body::Message(message)) if message.text == "on it goes") {
                break;
            }
        }
    })
    .await;
}

/// Not in the tables, the voters' disks or the broker; and after VACUUM FULL, as OPERATIONS.md has
/// it, in no file of the database either.
async fn who_is_forgotten_is_nowhere(
    cluster: &Cluster,
    fresh: &Fresh,
    new: &Place<'_>,
    ended: &str,
    (url, folder): (&str, &Path),
) {
    let dump = |name: &str| {
        let path = folder.join(name);
        let line = format!("pg_dump --data-only --file={name} \"$URL\"");
        printed::run(&line, folder, &[("URL", url)]);
        path
    };
    let shown: Value =
        serde_json::from_str(&new.ctl(&["-o", "json", "show", ended])).expect("JSON");
    let visitor = shown["conversation"]["visitor"]["id"].as_str().expect("an id");
    assert_eq!(with_mark(&dump("before.sql")).len(), 1);
    printed::run("psql \"$URL\" --command ANALYZE", folder, &[("URL", url)]);
    let erased = new.ctl(&["visitor", "erase", visitor]);
    assert!(erased.contains("1 conversations and 1 files"), "{erased}");
    assert!(erased.contains("VACUUM FULL"), "it says what is left: {erased}");
    assert_eq!(with_mark(&dump("after.sql")), [""; 0], "in a table");
    let (events, _) = new.transcript(&new.staff_token("supervisor").await, ended).await;
    assert!(events.last().is_some_and(|last| !last["event"]["erased"].is_null()), "{events:?}");

    let old_voters = (1..=3).map(|n| cluster.folder().join(format!("presence-{n}")));
    for disk in fresh.voters().into_iter().chain(old_voters) {
        // It is there, and nothing is hidden from a look at it.
        assert!(!files_with(&disk, &["sessions-1"]).is_empty(), "{}", disk.display());
        assert_eq!(with_mark(&disk), [""; 0], "on a voter's disk");
    }
    assert_eq!(with_mark(fresh.folder()), [""; 0], "in a file of another process");
    for settings in [&cluster.ready().settings, &fresh.folder().join("cluster.toml")] {
        let address = secret(settings, "address");
        let line = "redis-cli -u \"$AT\" --no-auth-warning -a \"$PASSWORD\" DBSIZE";
        let password = secret(settings, "password");
        let kept = printed::run(line, folder, &[("AT", &address), ("PASSWORD", &password)]);
        assert_eq!(kept.trim(), "0", "the broker keeps nothing");
    }

    let line = printed::command(SECTION, "psql \"$URL\" --command 'VACUUM FULL");
    printed::run(&line, folder, &[("URL", url)]);
    let oid = printed::run(
        "psql \"$URL\" -Atc CHECKPOINT -c 'SELECT oid FROM pg_database WHERE datname = current_database()' | tail -1",
        folder,
        &[("URL", url)],
    );
    let files = cluster.folder().join("postgres/base").join(oid.trim());
    assert!(!files_with(&files, &["on it goes"]).is_empty(), "what is not erased is there");
    assert_eq!(with_mark(&files), [""; 0], "in a file of the database");
}
