//! Accounts: each within its site.

use super::{DeskSubject, ODD_TEXTS, account, add_sites, agent, name};
use crate::desk::{AccountDetails, AccountKind, DeskStoreError, StoredAccount};
use frontdesk_core::language::Language;
use frontdesk_core::skill::{Level, Skills};
use futures::future::join_all;
use std::collections::BTreeMap;

const TAKEN: DeskStoreError = DeskStoreError::Taken("account");

/// One site's account does not exist for another.
pub async fn accounts_belong_to_a_site(subject: &mut dyn DeskSubject) {
    let desk = subject.desk();
    let first = account("one", 1, "a@b");
    assert_eq!(desk.add_account(first.clone()).await, Err(DeskStoreError::Missing("site")));
    add_sites(&*desk, &["one", "two"]).await;
    assert_eq!(desk.add_account(first.clone()).await, Ok(()));
    assert_eq!(desk.account(&first.site, first.id).await, Ok(Some(first.clone())));
    assert_eq!(desk.account_by_email(&first.site, "a@b").await, Ok(Some(first.clone())));
    assert_eq!(desk.accounts(&first.site).await, Ok(vec![first.clone()]));
    let elsewhere = name("two");
    assert_eq!(desk.account(&elsewhere, first.id).await, Ok(None));
    assert_eq!(desk.account_by_email(&elsewhere, "a@b").await, Ok(None));
    assert_eq!(desk.accounts(&elsewhere).await, Ok(Vec::new()));
}

/// An id is taken everywhere, an address within its site.
pub async fn an_address_is_taken_once_in_a_site(subject: &mut dyn DeskSubject) {
    let desk = subject.desk();
    add_sites(&*desk, &["one", "two"]).await;
    let first = account("one", 1, "a@b");
    assert_eq!(desk.add_account(first.clone()).await, Ok(()));
    assert_eq!(desk.add_account(first.clone()).await, Err(TAKEN));
    assert_eq!(desk.add_account(account("one", 2, "a@b")).await, Err(TAKEN));
    assert_eq!(desk.add_account(account("two", 1, "c@d")).await, Err(TAKEN));
    assert_eq!(desk.add_account(account("two", 3, "a@b")).await, Ok(()));
    assert_eq!(desk.add_account(account("one", 4, "A@b")).await, Ok(()));
    assert_eq!(desk.account(&first.site, first.id).await, Ok(Some(first)));
}

/// The others learn that it is taken.
pub async fn one_of_several_with_an_address_wins(subject: &mut dyn DeskSubject) {
    let desk = subject.desk();
    add_sites(&*desk, &["one"]).await;
    let rivals: Vec<StoredAccount> = (1..9).map(|n| account("one", n, "a@b")).collect();
    let outcomes = join_all(rivals.iter().map(|rival| desk.add_account(rival.clone()))).await;
    let won: Vec<usize> = (0..rivals.len()).filter(|n| outcomes[*n] == Ok(())).collect();
    assert_eq!(won.len(), 1, "{outcomes:?}");
    let lost = outcomes.iter().filter(|outcome| **outcome == Err(TAKEN)).count();
    assert_eq!(lost, rivals.len() - 1, "{outcomes:?}");
    assert_eq!(desk.accounts(&name("one")).await, Ok(vec![rivals[won[0]].clone()]));
}

/// By the bytes of the address, whatever a language would say.
pub async fn accounts_come_by_address(subject: &mut dyn DeskSubject) {
    let desk = subject.desk();
    add_sites(&*desk, &["one", "two"]).await;
    let addresses = ["é@x", "b@x", "a.b@x", "a@x", "a-b@x", "a_b@x", "a1@x", "Z@x"];
    for (n, address) in (1..).zip(addresses) {
        assert_eq!(desk.add_account(account("one", n, address)).await, Ok(()));
    }
    assert_eq!(desk.add_account(account("two", 99, "a@x")).await, Ok(()));
    let stored = desk.accounts(&name("one")).await.expect("readable");
    let stored: Vec<&str> = stored.iter().map(|account| account.email.as_str()).collect();
    let mut sorted = addresses;
    sorted.sort_unstable();
    assert_eq!(stored, sorted);
}

/// Every field, and over a crash.
pub async fn accounts_are_kept_as_they_were(subject: &mut dyn DeskSubject) {
    add_sites(&*subject.desk(), &["one"]).await;
    let accounts: Vec<StoredAccount> = (1_u8..)
        .zip(ODD_TEXTS)
        .map(|(n, text)| StoredAccount {
            kind: if n % 2 == 0 { AccountKind::Agent } else { AccountKind::Supervisor },
            name: text.into(),
            capacity: if n == 1 { u32::MAX } else { 0 },
            queues: (0..n % 3).map(|q| format!("queue-{q}").parse().expect("a queue")).collect(),
            disabled: n % 2 == 0,
            skills: skills(n % 4),
            details: details(n % 3),
            password_hash: text.repeat(9),
            ..account("one", u128::MAX - u128::from(n), text)
        })
        .collect();
    for account in &accounts {
        assert_eq!(subject.desk().add_account(account.clone()).await, Ok(()));
    }
    for _ in 0..2 {
        subject.reopen().await;
        let desk = subject.desk();
        for account in &accounts {
            assert_eq!(desk.account(&account.site, account.id).await, Ok(Some(account.clone())));
            let found = desk.account_by_email(&account.site, &account.email).await;
            assert_eq!(found, Ok(Some(account.clone())));
        }
    }
}

fn skills(count: u8) -> Skills {
    let one = |n: u8| {
        let skill = format!("skill-{n}").parse().expect("a skill");
        (skill, Level::try_from(n % 5 + 1).expect("a level"))
    };
    (0..count).map(one).collect()
}

fn details(count: u8) -> AccountDetails {
    let queue = |n: u8| (format!("queue-{n}").parse().expect("a queue"), u32::from(n) + 1);
    AccountDetails {
        languages: (0..count)
            .filter_map(|n| Language::of_tag(["de", "gsw"][usize::from(n % 2)]))
            .collect(),
        caps: (0..count).map(queue).collect(),
    }
}

/// Of that site, and nothing else.
pub async fn an_account_is_changed_but_for_its_address_and_password(subject: &mut dyn DeskSubject) {
    let desk = subject.desk();
    add_sites(&*desk, &["one", "two"]).await;
    let (first, second) = (account("one", 1, "a@b"), account("one", 2, "c@d"));
    assert_eq!(desk.add_account(first.clone()).await, Ok(()));
    assert_eq!(desk.add_account(second.clone()).await, Ok(()));
    let changed = StoredAccount {
        kind: AccountKind::Supervisor,
        name: "Ö'Neil".into(),
        capacity: 9,
        queues: vec!["general".parse().expect("a queue")],
        skills: skills(3),
        details: details(2),
        disabled: true,
        ..first.clone()
    };
    let missing = Err(DeskStoreError::Missing("account"));
    let elsewhere = StoredAccount { site: name("two"), ..changed.clone() };
    assert_eq!(desk.change_account(elsewhere).await, missing);
    assert_eq!(desk.change_account(account("one", 3, "e@f")).await, missing);
    let with_secrets =
        StoredAccount { email: "x@y".into(), password_hash: "x".into(), ..changed.clone() };
    for _ in 0..2 {
        assert_eq!(desk.change_account(with_secrets.clone()).await, Ok(()));
    }
    drop(desk);
    subject.reopen().await;
    assert_eq!(subject.desk().accounts(&name("one")).await, Ok(vec![changed, second]));
}

/// Of that account of that site, and nothing else of it.
pub async fn a_password_is_replaced_alone(subject: &mut dyn DeskSubject) {
    let desk = subject.desk();
    add_sites(&*desk, &["one", "two"]).await;
    let (first, second) = (account("one", 1, "a@b"), account("one", 2, "c@d"));
    assert_eq!(desk.add_account(first.clone()).await, Ok(()));
    assert_eq!(desk.add_account(second.clone()).await, Ok(()));
    let missing = Err(DeskStoreError::Missing("account"));
    assert_eq!(desk.set_password_hash(&name("two"), first.id, "x".into()).await, missing);
    assert_eq!(desk.set_password_hash(&first.site, agent(3), "x".into()).await, missing);
    for _ in 0..2 {
        assert_eq!(desk.set_password_hash(&first.site, first.id, "x".into()).await, Ok(()));
    }
    drop(desk);
    subject.reopen().await;
    let changed = StoredAccount { password_hash: "x".into(), generation: 1, ..first };
    assert_eq!(subject.desk().accounts(&name("one")).await, Ok(vec![changed, second]));
}

/// With each new password, kind and disabling, and whenever it is asked for; never back,
/// whatever an older reading says.
pub async fn a_generation_only_goes_up(subject: &mut dyn DeskSubject) {
    let desk = subject.desk();
    add_sites(&*desk, &["one", "two"]).await;
    let enabled = StoredAccount { disabled: false, ..account("one", 1, "a@b") };
    let (site, id) = (enabled.site.clone(), enabled.id);
    assert_eq!(desk.add_account(enabled.clone()).await, Ok(()));
    assert_eq!(desk.add_account(account("one", 2, "c@d")).await, Ok(()));
    let missing = Err(DeskStoreError::Missing("account"));
    assert_eq!(desk.end_sessions(&name("two"), id).await, missing);
    assert_eq!(desk.end_sessions(&site, agent(3)).await, missing);
    assert_eq!(desk.generations(&site).await, Ok(BTreeMap::new()));

    assert_eq!(desk.end_sessions(&site, id).await, Ok(1));
    assert_eq!(desk.end_sessions(&site, id).await, Ok(2));
    // Nothing that matters to its tokens: a name.
    let named = StoredAccount { name: "Ada".into(), ..enabled.clone() };
    assert_eq!(desk.change_account(named).await, Ok(()));
    assert_eq!(desk.generations(&site).await, Ok(BTreeMap::from([(id, 2)])));
    let disabled = StoredAccount { disabled: true, ..enabled.clone() };
    for (change, generation) in [
        (disabled.clone(), 3),
        (disabled, 3),
        (enabled.clone(), 3),
        (StoredAccount { kind: AccountKind::Agent, ..enabled.clone() }, 4),
        (enabled, 5),
    ] {
        assert_eq!(desk.change_account(change).await, Ok(()));
        assert_eq!(desk.generations(&site).await, Ok(BTreeMap::from([(id, generation)])));
    }
    for generation in [6, 6] {
        assert_eq!(desk.set_password_hash(&site, id, "other".into()).await, Ok(()));
        assert_eq!(desk.generations(&site).await, Ok(BTreeMap::from([(id, generation)])));
    }
    drop(desk);
    subject.reopen().await;
    let desk = subject.desk();
    let stored = desk.account(&site, id).await.map(|found| found.map(|a| a.generation));
    assert_eq!(stored, Ok(Some(6)));
    assert_eq!(desk.generations(&name("two")).await, Ok(BTreeMap::new()));
}
