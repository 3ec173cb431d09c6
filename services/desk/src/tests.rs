//! The role on its real store: first start, later starts, signing in, accounts.

use crate::{DeskError, DeskService, DeskSettings, NewAgent, PasswordCost};
use frontdesk_core::audit::{Act, AuditEntry, AuditQuery, Author};
use frontdesk_core::ids::{AgentId, AttachmentId, ConversationId, SiteId};
use frontdesk_core::party::Role;
use frontdesk_core::skill::Skills;
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_proto::api::{ApiError, AttachmentRecord, Desk, PasswordAttempt, Whence};
use frontdesk_store::desk::StoredAccount;
use frontdesk_store::sqlite::{DataFolder, SqliteDesk};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

pub(crate) async fn start(folder: &Path) -> DeskService {
    let store = SqliteDesk::open(&DataFolder::lock(folder).unwrap()).unwrap();
    let settings = DeskSettings {
        password_cost: PasswordCost { memory_kib: 64, passes: 1 },
        ..DeskSettings::default()
    };
    DeskService::new(Arc::new(store), &settings).await.unwrap()
}

pub(crate) fn origins(port: u16) -> Vec<String> {
    vec![format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}")]
}

pub(crate) fn demo() -> SiteId {
    "demo".parse().unwrap()
}

pub(crate) fn from() -> Whence {
    Whence { at: Timestamp::from_millis(7), origin: "192.0.2.7".into() }
}

pub(crate) fn attempt(site: &str, email: &str, password: &str) -> PasswordAttempt {
    let (site, email, password) = (site.into(), email.into(), password.into());
    PasswordAttempt { site, email, password, from: Some(from()) }
}

pub(crate) fn operator() -> Author {
    Author {
        at: Timestamp::from_millis(1),
        id: AgentId::from_uuid(Uuid::nil()),
        name: "operator".into(),
        role: Role::Supervisor,
        origin: "root at here".into(),
    }
}

fn new_agent(email: &str) -> NewAgent {
    NewAgent {
        site: demo(),
        email: email.into(),
        name: "Kim".into(),
        role: Role::Agent,
        capacity: 2,
        queues: vec!["sales".parse().unwrap()],
        skills: Skills::default(),
        details: Default::default(),
        password: Some("correct horse".into()),
    }
}

#[tokio::test]
async fn the_first_start_makes_the_site_and_later_ones_keep_it() {
    let temp = tempfile::tempdir().unwrap();
    let desk = start(temp.path()).await;
    let first = desk.ensure_dev_site(&origins(8080)).await.unwrap();
    assert!(first.site.key.starts_with("pk_") && first.site.key.len() >= 27);
    assert_eq!(first.site.queues.len(), 2);
    assert_eq!(first.site.queues[0].offer_timeout, Millis::from_secs(30));
    let roles: Vec<Role> = first.accounts.iter().map(|a| a.account.role).collect();
    assert_eq!(roles, [Role::Agent, Role::Supervisor]);
    assert!(first.accounts[1].account.profile.supervisor);
    drop(desk);

    let desk = start(temp.path()).await;
    let second = desk.ensure_dev_site(&origins(9090)).await.unwrap();
    assert_eq!(second.site.key, first.site.key);
    assert_eq!(second.site.allowed_origins, origins(9090));
    assert!(second.accounts.iter().all(|a| a.password.is_none()));
    assert_eq!(desk.site(&demo()).await.unwrap().unwrap(), second.site);
    assert_eq!(desk.site_by_key(&first.site.key).await.unwrap().unwrap(), second.site);
    assert_eq!(desk.sites().await.unwrap(), [second.site]);
    assert_eq!(desk.site_by_key("pk_other").await.unwrap(), None);

    for made in first.accounts {
        let password = made.password.unwrap();
        let account = &made.account;
        let signed_in =
            desk.sign_in(attempt("demo", &account.email, password.reveal())).await.unwrap();
        assert_eq!(signed_in, made.account);
        assert_eq!(*desk.agent(&demo(), account.id).await.unwrap().unwrap(), made.account);
    }
}

#[tokio::test]
async fn another_site_has_its_own_key_and_accounts() {
    let temp = tempfile::tempdir().unwrap();
    let desk = start(temp.path()).await;
    let first = desk.ensure_dev_site(&origins(8080)).await.unwrap();
    let name = "helm-test".parse().unwrap();
    let other = desk.ensure_example_site(&name, &origins(8080)).await.unwrap();
    assert_eq!(other.site.title, "helm-test");
    assert_ne!(other.site.key, first.site.key);
    let emails: Vec<&str> = other.accounts.iter().map(|a| &*a.account.email).collect();
    assert_eq!(emails, ["agent@helm-test.example", "supervisor@helm-test.example"]);
    let password = other.accounts[0].password.as_ref().unwrap().reveal();
    assert!(desk.sign_in(attempt("helm-test", emails[0], password)).await.is_ok());
    assert!(desk.sign_in(attempt("demo", emails[0], password)).await.is_err());
}

#[tokio::test]
async fn every_origin_must_be_named() {
    let temp = tempfile::tempdir().unwrap();
    let desk = start(temp.path()).await;
    let refused = desk.ensure_dev_site(&["*".into()]).await;
    assert!(matches!(refused, Err(DeskError::Invalid(_))));
    assert!(desk.sites().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_refused_sign_in_does_not_say_why() {
    let temp = tempfile::tempdir().unwrap();
    let desk = start(temp.path()).await;
    desk.ensure_dev_site(&origins(1)).await.unwrap();
    desk.create_agent(new_agent("Kim@Demo.example")).await.unwrap();
    assert!(desk.sign_in(attempt("demo", " kim@demo.EXAMPLE", "correct horse")).await.is_ok());
    let mut refusals = Vec::new();
    for (site, email, password) in [
        ("demo", "kim@demo.example", "wrong horse"),
        ("demo", "kim@demo.example", ""),
        ("demo", "nobody@demo.example", "correct horse"),
        ("other", "kim@demo.example", "correct horse"),
        ("No Site", "not an address", "correct horse"),
    ] {
        refusals.push(desk.sign_in(attempt(site, email, password)).await.unwrap_err());
    }
    assert!(matches!(refusals[0], ApiError::Unauthenticated(_)));
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0]));
    let long = desk.sign_in(attempt("demo", "kim@demo.example", &"x".repeat(2_000))).await;
    assert!(matches!(long, Err(ApiError::Invalid(_))));
}

#[tokio::test]
async fn a_new_password_voids_the_old_one() {
    let temp = tempfile::tempdir().unwrap();
    let desk = start(temp.path()).await;
    desk.ensure_dev_site(&origins(1)).await.unwrap();
    desk.create_agent(new_agent("kim@demo.example")).await.unwrap();
    let fresh = desk.reset_password(&demo(), "KIM@demo.example", operator()).await.unwrap();
    assert!(desk.sign_in(attempt("demo", "kim@demo.example", fresh.reveal())).await.is_ok());
    assert!(desk.sign_in(attempt("demo", "kim@demo.example", "correct horse")).await.is_err());
    let nobody = desk.reset_password(&demo(), "nobody@demo.example", operator()).await;
    assert_eq!(nobody, Err(DeskError::NotFound("account")));
}

#[tokio::test]
async fn accounts_are_checked_before_they_are_made() {
    let temp = tempfile::tempdir().unwrap();
    let desk = start(temp.path()).await;
    desk.ensure_dev_site(&origins(1)).await.unwrap();
    let good = || new_agent("kim@demo.example");
    let bad = [
        NewAgent { email: "kim".into(), ..good() },
        NewAgent { name: " ".into(), ..good() },
        NewAgent { capacity: 0, ..good() },
        NewAgent { role: Role::Visitor, ..good() },
        NewAgent { queues: vec!["nowhere".parse().unwrap()], ..good() },
        NewAgent { password: Some("short".into()), ..good() },
    ];
    for new in bad {
        let refused = desk.create_agent(new.clone()).await;
        assert!(matches!(refused, Err(DeskError::Invalid(_))), "{new:?}: {refused:?}");
    }
    let abroad = NewAgent { site: "other".parse().unwrap(), ..good() };
    assert_eq!(desk.create_agent(abroad).await.unwrap_err(), DeskError::NotFound("site"));
    let made = desk.create_agent(good()).await.unwrap();
    assert_eq!(made.password.reveal(), "correct horse");
    assert_eq!(desk.create_agent(good()).await.unwrap_err(), DeskError::Taken("account"));
    assert_eq!(desk.agents(&demo()).await.unwrap().len(), 3);
    let stranger = AgentId::from_uuid(Uuid::from_u128(1));
    assert_eq!(desk.agent(&demo(), stranger).await.unwrap(), None);
}

#[tokio::test]
async fn a_file_is_known_within_its_site() {
    let temp = tempfile::tempdir().unwrap();
    let desk = start(temp.path()).await;
    desk.ensure_dev_site(&origins(1)).await.unwrap();
    let record = AttachmentRecord {
        id: AttachmentId::from_uuid(Uuid::now_v7()),
        site: demo(),
        conversation: ConversationId::from_uuid(Uuid::now_v7()),
        name: "Rechnung März.pdf".into(),
        media_type: "application/pdf".into(),
        size: 1_234,
        created_at: Timestamp::from_millis(1_700_000_000_123),
    };
    desk.add_attachment(record.clone()).await.unwrap();
    assert!(matches!(desk.add_attachment(record.clone()).await, Err(ApiError::State(_))));
    assert_eq!(desk.attachment(&demo(), record.id).await.unwrap().as_ref(), Some(&record));
    let other = "other".parse().unwrap();
    assert_eq!(desk.attachment(&other, record.id).await.unwrap(), None);
    let climbing = AttachmentRecord { name: "../up".into(), ..record };
    assert!(matches!(desk.add_attachment(climbing).await, Err(ApiError::Invalid(_))));
}

#[tokio::test(start_paused = true)]
async fn whoever_guesses_waits_whether_there_is_an_account_or_not() {
    let temp = tempfile::tempdir().unwrap();
    let desk = start(temp.path()).await;
    desk.ensure_dev_site(&origins(1)).await.unwrap();
    desk.create_agent(new_agent("kim@demo.example")).await.unwrap();
    let limited = ApiError::RateLimited { retry_after: Duration::from_secs(1) };
    for email in ["kim@demo.example", "nobody@demo.example"] {
        for _ in 0..6 {
            let refused =
                desk.sign_in(attempt("demo", email, "a wrong password")).await.unwrap_err();
            assert!(matches!(refused, ApiError::Unauthenticated(_)), "{email}: {refused:?}");
        }
        // Even the right one: else it would tell which was right.
        let refused = desk.sign_in(attempt("demo", &email.to_uppercase(), "correct horse")).await;
        assert_eq!(refused.unwrap_err(), limited, "{email}");
    }
    let other = desk.sign_in(attempt("demo", "agent@demo.example", "a wrong password")).await;
    assert!(matches!(other, Err(ApiError::Unauthenticated(_))));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(desk.sign_in(attempt("demo", "kim@demo.example", "correct horse")).await.is_ok());
    assert!(desk.sign_in(attempt("demo", "kim@demo.example", "correct horse")).await.is_ok());
}

#[tokio::test]
async fn sessions_are_ended_by_hand_with_a_password_and_with_a_role() {
    let temp = tempfile::tempdir().unwrap();
    let desk = start(temp.path()).await;
    desk.ensure_dev_site(&origins(1)).await.unwrap();
    let kim = desk.create_agent(new_agent("kim@demo.example")).await.unwrap().account;
    let by = Author {
        at: Timestamp::from_millis(1),
        id: kim.id,
        name: "Sam".into(),
        role: Role::Supervisor,
        origin: "192.0.2.1".into(),
    };
    assert!(desk.generations(&demo()).await.unwrap().is_empty());
    for (n, account) in (1..).zip([kim.id.to_string(), "Kim@demo.example".into()]) {
        let ended = desk.end_sessions(&demo(), &account, by.clone()).await.unwrap();
        assert_eq!((ended.agent, ended.generation), (kim.id, n));
        assert_eq!(desk.agent(&demo(), kim.id).await.unwrap().unwrap().generation, n);
    }
    desk.reset_password(&demo(), "kim@demo.example", operator()).await.unwrap();
    assert_eq!(desk.generations(&demo()).await.unwrap()[&kim.id], 3);
    let log = desk.audit(AuditQuery::of(demo())).await.unwrap().entries;
    let acts = log.iter().map(|entry| entry.act.clone());
    let expected = [Act::CHANGE_PASSWORD, Act::END_SESSIONS, Act::END_SESSIONS];
    assert!(acts.eq(expected), "{log:?}");
    for nobody in [Uuid::now_v7().to_string(), "nobody@demo.example".into(), "x".into()] {
        assert!(desk.end_sessions(&demo(), &nobody, by.clone()).await.is_err(), "{nobody}");
    }
    let other = "other".parse().unwrap();
    assert!(desk.end_sessions(&other, &kim.id.to_string(), by).await.is_err());
}

/// What the log has of a site, the oldest first: what, and its details.
async fn written(desk: &DeskService) -> Vec<(Act, serde_json::Value)> {
    desk.refusals.settled().await;
    let log = desk.audit(AuditQuery::of(demo())).await.unwrap().entries;
    let details = |entry: &AuditEntry| serde_json::from_str(&entry.details).unwrap();
    log.iter().rev().map(|entry| (entry.act.clone(), details(entry))).collect()
}

#[tokio::test]
async fn who_signs_in_is_written_down_first() {
    let temp = tempfile::tempdir().unwrap();
    let desk = start(temp.path()).await;
    desk.ensure_dev_site(&origins(1)).await.unwrap();
    let kim = desk.create_agent(new_agent("kim@demo.example")).await.unwrap().account;
    let right = attempt("demo", "kim@demo.example", "correct horse");
    let unwritable = Whence { origin: "x".repeat(300), ..from() };
    for _ in 0..20 {
        let refused =
            desk.sign_in(PasswordAttempt { from: Some(unwritable.clone()), ..right.clone() });
        assert!(refused.await.is_err(), "what cannot be written down is not done");
    }
    assert!(desk.sign_in(right.clone()).await.is_ok(), "and is no guess");
    assert!(desk.sign_in(PasswordAttempt { from: None, ..right }).await.is_ok());
    let log = desk.audit(AuditQuery::of(demo())).await.unwrap().entries;
    let [unknown, known] = log.as_slice() else { panic!("{log:?}") };
    for (entry, origin) in [(known, "192.0.2.7"), (unknown, "unknown")] {
        assert_eq!((&entry.act, &*entry.subject), (&Act::SIGN_IN, &*kim.id.to_string()));
        assert_eq!((entry.by.id, &*entry.by.name, entry.by.role), (kim.id, "Kim", Role::Agent));
        assert_eq!((&*entry.by.origin, &*entry.details), (origin, r#"{"by":"password"}"#));
    }
    assert!(unknown.by.at > known.by.at, "an earlier gateway's is dated here");
}

#[tokio::test(start_paused = true)]
async fn a_run_of_refusals_is_written_down_once_and_of_unknown_names_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let desk = start(temp.path()).await;
    desk.ensure_dev_site(&origins(1)).await.unwrap();
    let kim = desk.create_agent(new_agent("kim@demo.example")).await.unwrap().account;
    let guess = async |email: &str, times: usize| {
        for _ in 0..times {
            assert!(desk.sign_in(attempt("demo", email, "a wrong password")).await.is_err());
        }
    };
    guess("kim@demo.example", 5).await;
    assert_eq!(written(&desk).await, [], "a wrong password is nothing yet");
    for n in 0..300 {
        guess(&format!("nobody-{n}@demo.example"), 9).await;
    }
    guess("kim@demo.example", 50).await;
    tokio::time::advance(Duration::from_secs(60)).await;
    guess("KIM@demo.example", 50).await;
    let delayed = (
        Act::REFUSED_SIGN_IN,
        json!({ "by": "password", "email": "kim@demo.example", "why": "delayed" }),
    );
    assert_eq!(written(&desk).await, std::slice::from_ref(&delayed));

    // Another run, once the right one was let in or it was quiet.
    tokio::time::advance(Duration::from_secs(60)).await;
    desk.sign_in(attempt("demo", "kim@demo.example", "correct horse")).await.unwrap();
    guess("kim@demo.example", 20).await;
    let signed_in = (Act::SIGN_IN, json!({ "by": "password" }));
    assert_eq!(written(&desk).await, [delayed.clone(), signed_in, delayed.clone()]);
    tokio::time::advance(Duration::from_secs(15 * 60)).await;
    guess("kim@demo.example", 20).await;
    assert_eq!(written(&desk).await.len(), 4);

    // Whoever has the right password of a disabled account is in one run as well.
    let stored = desk.store.account(&demo(), kim.id).await.unwrap().unwrap();
    desk.store.change_account(StoredAccount { disabled: true, ..stored }).await.unwrap();
    for _ in 0..2 {
        tokio::time::advance(Duration::from_secs(15 * 60)).await;
        for _ in 0..20 {
            let refused = desk.sign_in(attempt("demo", "kim@demo.example", "correct horse")).await;
            assert!(refused.is_err());
        }
    }
    let log = written(&desk).await;
    let why: Vec<_> = log[4..].iter().map(|(_, details)| details["why"].clone()).collect();
    assert_eq!(why, ["disabled", "disabled"]);
}

#[tokio::test]
async fn another_password_is_written_down_before_it_is_one() {
    let temp = tempfile::tempdir().unwrap();
    let desk = start(temp.path()).await;
    desk.ensure_dev_site(&origins(1)).await.unwrap();
    desk.create_agent(new_agent("kim@demo.example")).await.unwrap();
    let unwritable = Author { origin: "x".repeat(300).into(), ..operator() };
    let refused = desk.reset_password(&demo(), "kim@demo.example", unwritable).await;
    assert!(refused.is_err());
    assert!(desk.sign_in(attempt("demo", "kim@demo.example", "correct horse")).await.is_ok());
    desk.reset_password(&demo(), "kim@demo.example", operator()).await.unwrap();
    let (act, details) = written(&desk).await.remove(0);
    assert_eq!((act, &details["email"]), (Act::CHANGE_PASSWORD, &json!("kim@demo.example")));
}
