//! The conformance suite on a real server, and what is particular to PostgreSQL.

use super::PostgresDesk;
use crate::conformance::desk::DeskSubject;
use crate::desk::{
    AccountDetails, AccountKind, DeskStore, DeskStoreError, StoredAccount, StoredAttachment,
    StoredSite,
};
use crate::postgres::PostgresSettings;
use crate::postgres::test_database::{fresh, fresh_on, server};
use async_trait::async_trait;
use frontdesk_core::audit::{Act, AuditEntry, AuditQuery, Author};
use frontdesk_core::identity::Identity;
use frontdesk_core::ids::{AgentId, AttachmentId, AuditId, ConversationId};
use frontdesk_core::party::Role;
use frontdesk_core::skill::Skills;
use frontdesk_core::time::Timestamp;
use futures::future::join_all;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::config::Host;
use uuid::Uuid;

struct OnPostgres {
    settings: PostgresSettings,
    desk: Arc<PostgresDesk>,
}

impl OnPostgres {
    async fn new() -> Self {
        let settings = fresh().await;
        Self { desk: open(&settings).await, settings }
    }
}

async fn open(settings: &PostgresSettings) -> Arc<PostgresDesk> {
    Arc::new(PostgresDesk::open(settings).await.expect("opens"))
}

#[async_trait]
impl DeskSubject for OnPostgres {
    fn desk(&self) -> Arc<dyn DeskStore> {
        self.desk.clone()
    }

    async fn reopen(&mut self) {
        self.desk = open(&self.settings).await;
    }

    async fn run(&self, sql: &str) -> Result<(), String> {
        run(&self.settings, sql).await
    }
}

/// On a connection of its own.
async fn run(settings: &PostgresSettings, sql: &str) -> Result<(), String> {
    let config: tokio_postgres::Config = settings.url.parse().unwrap();
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    let said = client.batch_execute(sql).await;
    driver.abort();
    said.map_err(|e| e.as_db_error().map_or_else(|| e.to_string(), |e| e.message().to_owned()))
}

crate::desk_conformance!(OnPostgres::new().await);

fn site(name: &str) -> StoredSite {
    StoredSite {
        id: name.parse().unwrap(),
        title: String::new(),
        key: format!("pk_{name}"),
        allowed_origins: Vec::new(),
        default_queue: "general".parse().unwrap(),
        queues: Vec::new(),
        routes: Vec::new(),
        calendars: BTreeMap::new(),
        away_after_missed: None,
        privacy: Default::default(),
        bots: BTreeSet::new(),
    }
}

fn account(n: u128) -> StoredAccount {
    StoredAccount {
        id: AgentId::from_uuid(Uuid::from_u128(n)),
        site: "one".parse().unwrap(),
        email: format!("{n}@x"),
        kind: AccountKind::Agent,
        name: String::new(),
        capacity: 1,
        queues: Vec::new(),
        disabled: false,
        password_hash: String::new(),
        skills: Skills::default(),
        details: AccountDetails::default(),
        generation: 0,
    }
}

fn attachment(n: u128) -> StoredAttachment {
    StoredAttachment {
        id: AttachmentId::from_uuid(Uuid::from_u128(n)),
        site: "one".parse().unwrap(),
        conversation: ConversationId::from_uuid(Uuid::from_u128(1)),
        name: String::new(),
        media_type: String::new(),
        size: 0,
        created_at: Timestamp::ZERO,
    }
}

fn entry(n: u128) -> AuditEntry {
    let by = Author {
        at: Timestamp::ZERO,
        id: AgentId::from_uuid(Uuid::from_u128(1)),
        name: "Kim".into(),
        role: Role::Supervisor,
        origin: "192.0.2.1".into(),
    };
    let (id, site) = (AuditId::from_uuid(Uuid::from_u128(n)), "one".parse().unwrap());
    AuditEntry { id, site, by, act: Act::WATCH, subject: String::new(), details: "{}".into() }
}

/// Several desk processes change one site, each again and again until it succeeds:
/// no change is lost.
#[tokio::test]
async fn processes_do_not_overwrite_each_other() {
    let settings = fresh().await;
    let desks = join_all((0..4).map(|_| open(&settings))).await;
    desks[0].put_site(site("one"), 0).await.unwrap();
    let adding = desks.iter().enumerate().map(|(n, desk)| async move {
        for change in 0..10 {
            loop {
                let found = desk.site(&"one".parse().unwrap()).await.unwrap().unwrap();
                let mut value = found.value;
                value.allowed_origins.push(format!("{n}.{change}"));
                match desk.put_site(value, found.version).await {
                    Ok(version) => break assert_eq!(version, found.version + 1),
                    Err(refused) => assert!(matches!(refused, DeskStoreError::Stale { .. })),
                }
            }
        }
    });
    join_all(adding).await;
    let found = desks[0].site(&"one".parse().unwrap()).await.unwrap().unwrap();
    let mut origins = found.value.allowed_origins;
    origins.sort();
    origins.dedup();
    assert_eq!((found.version, origins.len()), (41, 40));
}

/// It finds the server again by itself, and what was acknowledged stands.
#[tokio::test]
async fn a_crash_of_the_server_is_survived() {
    let mut server = server();
    let settings = fresh_on(&server).await;
    let desk = open(&settings).await;
    desk.put_site(site("one"), 0).await.unwrap();
    server.kill();
    for _ in 0..3 {
        let refused = desk.put_site(site("two"), 0).await;
        assert!(matches!(refused, Err(DeskStoreError::Unavailable(_))), "{refused:?}");
    }
    server.start_again().unwrap();
    let put = loop {
        match desk.put_site(site("two"), 0).await {
            Err(DeskStoreError::Unavailable(_)) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            put => break put,
        }
    };
    assert_eq!(put, Ok(1));
    let names = open(&settings).await.sites().await.unwrap();
    let names: Vec<_> = names.iter().map(|site| site.value.id.as_str()).collect();
    assert_eq!(names, ["one", "two"]);
}

/// A way to the server that can lose one answer and the connection with it.
struct Way {
    loses_next: Arc<AtomicBool>,
    settings: PostgresSettings,
}

impl Way {
    /// A way to the server of `settings`. Ends with the test's runtime.
    async fn to(settings: PostgresSettings) -> Self {
        let config: tokio_postgres::Config = settings.url.parse().unwrap();
        let Host::Tcp(_) = &config.get_hosts()[0] else { panic!("not reached by TCP") };
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, config.get_ports()[0]));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let loses_next = Arc::new(AtomicBool::new(false));
        let lose = loses_next.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server, lose.clone()));
            }
        });
        let url = settings.url.replace(&server.to_string(), &format!("127.0.0.1:{port}"));
        Self { loses_next, settings: PostgresSettings { url, ..settings } }
    }

    /// The next answer, of whatever connection, does not arrive.
    fn lose_next(&self) {
        self.loses_next.store(true, Ordering::SeqCst);
    }

    fn has_lost(&self) -> bool {
        !self.loses_next.load(Ordering::SeqCst)
    }
}

async fn carry(mut client: TcpStream, server: SocketAddr, lose: Arc<AtomicBool>) {
    let mut server = TcpStream::connect(server).await.unwrap();
    let (mut asked, mut answered) = ([0; 8 * 1024], [0; 8 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => match read {
                Ok(count @ 1..) => server.write_all(&asked[..count]).await.unwrap(),
                _ => return,
            },
            read = server.read(&mut answered) => match read {
                Ok(count @ 1..) if !lose.swap(false, Ordering::SeqCst) => {
                    client.write_all(&answered[..count]).await.unwrap();
                }
                _ => return,
            },
        }
    }
}

/// The server has done it and nobody was told: it is found to stand.
#[tokio::test]
async fn a_change_whose_answer_is_lost_is_found() {
    let way = Way::to(fresh().await).await;
    let desk = open(&way.settings).await;
    // Statements are prepared on both connections, so that the answer that is lost
    // comes after the change.
    for n in 1..=2 {
        desk.put_site(site(&format!("warm-{n}")), 0).await.unwrap();
    }
    way.lose_next();
    assert_eq!(desk.put_site(site("one"), 0).await, Ok(1));
    assert!(way.has_lost());

    for version in 1..=2 {
        desk.put_site(site("one"), version).await.unwrap();
    }
    way.lose_next();
    assert_eq!(desk.put_site(site("one"), 3).await, Ok(4));

    for n in 1..=2 {
        desk.add_account(account(n)).await.unwrap();
    }
    way.lose_next();
    assert_eq!(desk.add_account(account(3)).await, Ok(()));
    assert_eq!(desk.add_account(account(3)).await, Err(DeskStoreError::Taken("account")));

    let site = account(1).site;
    let who = |subject: &str| Identity { issuer: "a".into(), subject: subject.into() };
    for n in 1..=2 {
        desk.bind(&site, account(n).id, &who(&n.to_string())).await.unwrap();
    }
    way.lose_next();
    assert_eq!(desk.bind(&site, account(3).id, &who("3")).await, Ok(()));
    assert!(way.has_lost());

    for n in 1..=2 {
        desk.add_attachment(attachment(n)).await.unwrap();
    }
    way.lose_next();
    assert_eq!(desk.add_attachment(attachment(3)).await, Ok(()));
    assert!(way.has_lost());

    for n in 1..=2 {
        desk.add_audit(entry(n)).await.unwrap();
    }
    way.lose_next();
    assert_eq!(desk.add_audit(entry(3)).await, Ok(()));
    assert!(way.has_lost());
    let log = desk.audit(AuditQuery::of("one".parse().unwrap())).await.unwrap();
    assert_eq!(log, [entry(3), entry(2), entry(1)]);
}

/// Not even by ways that SQLite does not have.
#[tokio::test]
async fn the_audit_log_cannot_be_emptied() {
    let settings = fresh().await;
    let desk = open(&settings).await;
    desk.put_site(site("one"), 0).await.unwrap();
    desk.add_audit(entry(1)).await.unwrap();
    for sql in [
        "TRUNCATE audit",
        "TRUNCATE sites CASCADE",
        "SET session_replication_role = replica; DELETE FROM audit",
        "INSERT INTO audit SELECT * FROM audit ON CONFLICT (id) DO UPDATE SET act = 'none'",
    ] {
        let refused = run(&settings, sql).await.unwrap_err();
        assert_eq!(refused, "the audit log is only added to", "{sql}");
    }
    let query = AuditQuery::of("one".parse().unwrap());
    assert_eq!(desk.audit(query).await, Ok(vec![entry(1)]));
}

/// As OPERATIONS.md says: by whoever owns the tables, and not without leaving them as they
/// were.
#[tokio::test]
async fn what_is_too_old_goes_by_the_owner_of_the_database_alone() {
    let settings = fresh().await;
    let desk = open(&settings).await;
    desk.put_site(site("one"), 0).await.unwrap();
    for n in 1..=3_u64 {
        let by = Author { at: Timestamp::from_millis(n * 10), ..entry(1).by };
        desk.add_audit(AuditEntry { by, ..entry(n.into()) }).await.unwrap();
    }
    let sql = "BEGIN; ALTER TABLE audit DISABLE TRIGGER audit_is_only_added_to;
        DELETE FROM audit WHERE at < 25;
        ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_is_only_added_to; COMMIT";
    run(&settings, sql).await.unwrap();
    let left = desk.audit(AuditQuery::of("one".parse().unwrap())).await.unwrap();
    assert_eq!(left.iter().map(|entry| entry.by.at.as_millis()).collect::<Vec<_>>(), [30]);
    let replica = "SET session_replication_role = replica; DELETE FROM audit";
    for sql in ["DELETE FROM audit", "TRUNCATE audit", replica] {
        assert_eq!(run(&settings, sql).await.unwrap_err(), "the audit log is only added to");
    }
}

/// The answer that is lost was a refusal: it is not taken for a success.
#[tokio::test]
async fn a_refusal_that_is_lost_is_no_success() {
    let way = Way::to(fresh().await).await;
    let desk = open(&way.settings).await;
    desk.put_site(site("one"), 0).await.unwrap();
    for n in 1..=2 {
        desk.add_account(account(n)).await.unwrap();
    }
    way.lose_next();
    let rival = StoredAccount { id: account(9).id, ..account(1) };
    let refused = desk.add_account(rival.clone()).await;
    assert!(matches!(refused, Err(DeskStoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(desk.account(&rival.site, rival.id).await, Ok(None));
}
