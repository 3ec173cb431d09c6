//! The audit log: order, pages, and that nothing in it ever changes.

use super::{DeskSubject, ODD_TEXTS, add_sites, agent, name};
use crate::desk::{DeskStore, DeskStoreError};
use frontdesk_core::audit::{Act, AuditActor, AuditEntry, AuditQuery, Author};
use frontdesk_core::ids::AuditId;
use frontdesk_core::party::Role;
use frontdesk_core::time::Timestamp;
use uuid::Uuid;

fn entry(site: &str, n: u128, at: u64) -> AuditEntry {
    let by = Author {
        at: Timestamp::from_millis(at),
        id: agent(n % 2 + 1),
        name: format!("Supervisor {}", n % 2 + 1).into(),
        role: Role::Supervisor,
        origin: "192.0.2.7".into(),
    };
    AuditEntry {
        id: AuditId::from_uuid(Uuid::from_u128(n)),
        site: name(site),
        by,
        act: Act::WATCH,
        subject: format!("conversation {n}"),
        details: r#"{"why":"ä"}"#.into(),
    }
}

async fn all(desk: &dyn DeskStore) -> Vec<AuditEntry> {
    desk.audit(AuditQuery::of(name("one"))).await.expect("readable")
}

/// However often it is added; another one of its id is refused.
pub async fn an_audit_entry_is_there_once(subject: &mut dyn DeskSubject) {
    let desk = subject.desk();
    let first = entry("one", 1, 1);
    assert_eq!(desk.add_audit(first.clone()).await, Err(DeskStoreError::Missing("site")));
    add_sites(&*desk, &["one", "two"]).await;
    for _ in 0..3 {
        assert_eq!(desk.add_audit(first.clone()).await, Ok(()));
    }
    let taken = Err(DeskStoreError::Taken("audit id"));
    let other = AuditEntry { act: Act::READ, ..first.clone() };
    assert_eq!(desk.add_audit(other).await, taken);
    assert_eq!(desk.add_audit(entry("two", 1, 1)).await, taken);
    assert_eq!(all(&*desk).await, [first]);
    assert_eq!(desk.audit(AuditQuery::of(name("two"))).await, Ok(Vec::new()));
}

/// By time, then by id; pages leave nothing out and repeat nothing.
pub async fn audit_entries_come_newest_first_and_page_by_page(subject: &mut dyn DeskSubject) {
    let desk = subject.desk();
    add_sites(&*desk, &["one", "two"]).await;
    let mut added: Vec<AuditEntry> = [(1, 30), (2, 10), (3, 20), (4, 20), (5, 20), (6, 40)]
        .map(|(n, at)| entry("one", n, at))
        .into();
    for entry in &added {
        assert_eq!(desk.add_audit(entry.clone()).await, Ok(()));
    }
    assert_eq!(desk.add_audit(entry("two", 7, 25)).await, Ok(()));
    added.sort_by_key(|entry| std::cmp::Reverse(entry.place()));
    assert_eq!(all(&*desk).await, added);
    let mut paged = Vec::new();
    loop {
        let before = paged.last().map(AuditEntry::place);
        let query = AuditQuery { before, limit: 2, ..AuditQuery::of(name("one")) };
        let page = desk.audit(query).await.expect("readable");
        assert!(page.len() <= 2);
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, added);
}

/// Each condition alone, and together.
pub async fn audit_entries_are_found_by_who_what_and_when(subject: &mut dyn DeskSubject) {
    let desk = subject.desk();
    add_sites(&*desk, &["one"]).await;
    for n in 1..=6_u64 {
        let entry = entry("one", n.into(), n * 10);
        let act = if n <= 3 { Act::WATCH } else { Act::TAKE_OVER };
        assert_eq!(desk.add_audit(AuditEntry { act, ..entry }).await, Ok(()));
    }
    let found = async |query: AuditQuery| {
        let found = desk.audit(query).await.expect("readable");
        found.iter().map(|entry| entry.id.as_uuid().as_u128()).collect::<Vec<_>>()
    };
    let of = || AuditQuery::of(name("one"));
    let at = |millis| Some(Timestamp::from_millis(millis));
    assert_eq!(found(AuditQuery { from: at(20), to: at(50), ..of() }).await, [4, 3, 2]);
    let odd = Some(AuditActor::Id(agent(2)));
    assert_eq!(found(AuditQuery { actor: odd.clone(), ..of() }).await, [5, 3, 1]);
    let even = Some(AuditActor::Named("Supervisor 1".into()));
    assert_eq!(found(AuditQuery { actor: even, ..of() }).await, [6, 4, 2]);
    let taken = Some(Act::TAKE_OVER);
    assert_eq!(found(AuditQuery { act: taken.clone(), ..of() }).await, [6, 5, 4]);
    let subject = Some("conversation 2".into());
    assert_eq!(found(AuditQuery { subject, ..of() }).await, [2]);
    assert_eq!(found(AuditQuery { actor: odd, act: taken, to: at(60), ..of() }).await, [5]);
    for nobody in ["", "a\0b", "' OR ''='"] {
        let actor = Some(AuditActor::Named(nobody.into()));
        assert_eq!(found(AuditQuery { actor, ..of() }).await, [0; 0]);
        let subject = Some(nobody.into());
        assert_eq!(found(AuditQuery { subject, ..of() }).await, [0; 0]);
    }
}

/// Every field, and over a crash.
pub async fn audit_entries_are_kept_as_they_were(subject: &mut dyn DeskSubject) {
    add_sites(&*subject.desk(), &["one"]).await;
    let mut entries: Vec<AuditEntry> = (1_u8..)
        .zip(ODD_TEXTS)
        .map(|(n, text)| {
            let entry = entry("one", u128::MAX - u128::from(n), 0);
            let at = if n == 1 { i64::MAX as u64 - 1 } else { n.into() };
            let role = if n == 1 { Role::Agent } else { Role::Supervisor };
            let (at, name, origin) = (Timestamp::from_millis(at), text.into(), text.into());
            let by = Author { at, name, role, origin, ..entry.by };
            AuditEntry { by, subject: text.into(), details: text.into(), ..entry }
        })
        .collect();
    for entry in &entries {
        assert_eq!(subject.desk().add_audit(entry.clone()).await, Ok(()));
    }
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.place()));
    for _ in 0..2 {
        subject.reopen().await;
        assert_eq!(all(&*subject.desk()).await, entries);
    }
}

/// Also behind the store's back.
pub async fn the_audit_log_refuses_every_change(subject: &mut dyn DeskSubject) {
    let desk = subject.desk();
    add_sites(&*desk, &["one"]).await;
    let entries = [entry("one", 2, 2), entry("one", 1, 1)];
    for entry in &entries {
        assert_eq!(desk.add_audit(entry.clone()).await, Ok(()));
    }
    for sql in [
        "UPDATE audit SET act = 'none'",
        "UPDATE audit SET details = '{}' WHERE at = 1",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE at = 2",
    ] {
        let refused = subject.run(sql).await.expect_err(sql);
        assert!(refused.contains("the audit log is only added to"), "{sql}: {refused}");
    }
    assert_eq!(all(&*desk).await, entries);
}
