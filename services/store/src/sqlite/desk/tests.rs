//! Versions, uniqueness and references of the desk's tables.

use super::SqliteDesk;
use crate::desk::{AccountKind, DeskStore, DeskStoreError, StoredAccount, StoredQueue, StoredSite};
use crate::sqlite::DataFolder;
use frontdesk_core::ids::AgentId;
use frontdesk_core::time::Millis;
use uuid::Uuid;

fn site(name: &str, key: &str) -> StoredSite {
    StoredSite {
        id: name.parse().unwrap(),
        title: "Möbel & mehr".into(),
        key: key.into(),
        allowed_origins: vec!["https://shop.example".into()],
        default_queue: "general".parse().unwrap(),
        queues: vec![StoredQueue {
            id: "general".parse().unwrap(),
            priority_minutes: 0,
            weight: 1,
            offer_timeout: Millis::from_secs(30),
            wrap_up: Millis::ZERO,
        }],
    }
}

fn account(site: &str, n: u128, email: &str) -> StoredAccount {
    StoredAccount {
        id: AgentId::from_uuid(Uuid::from_u128(n)),
        site: site.parse().unwrap(),
        email: email.into(),
        kind: AccountKind::Supervisor,
        name: "Zoë".into(),
        capacity: 3,
        queues: vec!["general".parse().unwrap(), "sales".parse().unwrap()],
        disabled: true,
        password_hash: "$argon2id$".into(),
    }
}

#[tokio::test]
async fn a_change_must_name_the_version_it_changes() {
    let temp = tempfile::tempdir().unwrap();
    let desk = SqliteDesk::open(&DataFolder::lock(temp.path()).unwrap()).unwrap();
    let one = site("one", "pk_1");
    assert_eq!(desk.put_site(one.clone(), 1).await, Err(stale(0)));
    assert_eq!(desk.put_site(one.clone(), 0).await, Ok(1));
    assert_eq!(desk.put_site(one.clone(), 0).await, Err(stale(1)));
    let taken = desk.put_site(site("two", "pk_1"), 0).await;
    assert_eq!(taken, Err(DeskStoreError::Taken("site key")));
    let moved = StoredSite { key: "pk_2".into(), ..one };
    assert_eq!(desk.put_site(moved.clone(), 1).await, Ok(2));
    assert_eq!(desk.site_by_key("pk_1").await, Ok(None));
    let stored = desk.site_by_key("pk_2").await.unwrap().unwrap();
    assert_eq!((stored.version, stored.value), (2, moved));
}

fn stale(version: u64) -> DeskStoreError {
    DeskStoreError::Stale { what: "site", version }
}

#[tokio::test]
async fn accounts_belong_to_a_site() {
    let temp = tempfile::tempdir().unwrap();
    let folder = DataFolder::lock(temp.path()).unwrap();
    let desk = SqliteDesk::open(&folder).unwrap();
    let first = account("one", 1, "a@b");
    assert_eq!(desk.add_account(first.clone()).await, Err(DeskStoreError::Missing("site")));
    desk.put_site(site("one", "pk_1"), 0).await.unwrap();
    desk.put_site(site("two", "pk_2"), 0).await.unwrap();
    desk.add_account(first.clone()).await.unwrap();
    let again = desk.add_account(account("one", 2, "a@b")).await;
    assert_eq!(again, Err(DeskStoreError::Taken("account")));
    desk.add_account(account("two", 3, "a@b")).await.unwrap();
    desk.close();
    assert!(matches!(desk.sites().await, Err(DeskStoreError::Unavailable(_))));

    let desk = SqliteDesk::open(&folder).unwrap();
    assert_eq!(desk.account(&first.site, first.id).await, Ok(Some(first.clone())));
    assert_eq!(desk.account_by_email(&first.site, "a@b").await, Ok(Some(first.clone())));
    assert_eq!(desk.accounts(&first.site).await, Ok(vec![first.clone()]));
    let elsewhere = "two".parse().unwrap();
    assert_eq!(desk.account(&elsewhere, first.id).await, Ok(None));
    let missing = desk.set_password_hash(&elsewhere, first.id, "x".into()).await;
    assert_eq!(missing, Err(DeskStoreError::Missing("account")));
    desk.set_password_hash(&first.site, first.id, "x".into()).await.unwrap();
    let changed = desk.account(&first.site, first.id).await.unwrap().unwrap();
    assert_eq!(changed.password_hash, "x");
}
