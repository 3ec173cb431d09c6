//! Whom accounts are bound to: each identity to one account of a site, each account to one
//! identity of a provider.

use super::{DeskSubject, account, add_sites, agent, name};
use crate::desk::{DeskStore, DeskStoreError, StoredAccount};
use frontdesk_core::identity::Identity;
use futures::future::join_all;

const TAKEN: Result<(), DeskStoreError> = Err(DeskStoreError::Taken("identity"));

fn who(issuer: &str, subject: &str) -> Identity {
    Identity { issuer: issuer.into(), subject: subject.into() }
}

async fn add(desk: &dyn DeskStore, site: &str, n: u128, email: &str) -> StoredAccount {
    let added = account(site, n, email);
    assert_eq!(desk.add_account(added.clone()).await, Ok(()));
    added
}

/// It is found by it, over a crash; in another case, and at another site or provider, it
/// is somebody else.
pub async fn an_account_is_found_by_whom_it_is_bound_to(subject: &mut dyn DeskSubject) {
    let desk = subject.desk();
    add_sites(&*desk, &["one", "two"]).await;
    let (site, ana) = (name("one"), who("https://login", "Änä-1 '\"%"));
    assert_eq!(desk.bound_account(&site, &ana).await, Ok(None));
    let first = add(&*desk, "one", 1, "a@b").await;
    let there = add(&*desk, "two", 2, "a@b").await;
    for _ in 0..2 {
        assert_eq!(desk.bind(&site, first.id, &ana).await, Ok(()));
    }
    assert_eq!(desk.bind(&there.site, there.id, &ana).await, Ok(()), "each site has its own");
    drop(desk);
    subject.reopen().await;
    let desk = subject.desk();
    assert_eq!(desk.bound_account(&site, &ana).await, Ok(Some(first.clone())));
    assert_eq!(desk.bound_account(&there.site, &ana).await, Ok(Some(there)));
    assert_eq!(desk.identities(&site, first.id).await, Ok(vec![ana]));
    for other in [
        who("https://login", "änä-1 '\"%"),
        who("https://login", "Änä-1 '\"% "),
        who("https://login/", "Änä-1 '\"%"),
        who("https://login", "a\0"),
        who("", ""),
    ] {
        assert_eq!(desk.bound_account(&site, &other).await, Ok(None), "{other:?}");
    }
}

/// Of a provider one and no other; of another provider another one.
pub async fn an_account_is_bound_to_one_of_each_provider(subject: &mut dyn DeskSubject) {
    let desk = subject.desk();
    add_sites(&*desk, &["one", "two"]).await;
    let site = name("one");
    let (first, second) = (add(&*desk, "one", 1, "a@b").await, add(&*desk, "one", 2, "c@d").await);
    let (ana, bea) = (who("https://login", "ana"), who("https://login", "bea"));
    assert_eq!(desk.bind(&site, first.id, &ana).await, Ok(()));
    assert_eq!(desk.bind(&site, first.id, &bea).await, TAKEN, "it is somebody's");
    assert_eq!(desk.bind(&site, second.id, &ana).await, TAKEN, "ana has one");
    assert_eq!(desk.bind(&site, second.id, &bea).await, Ok(()));
    let elsewhere = who("https://a-new-login", "ana");
    assert_eq!(desk.bind(&site, first.id, &elsewhere).await, Ok(()));
    let both = vec![elsewhere.clone(), ana.clone()];
    assert_eq!(desk.identities(&site, first.id).await, Ok(both), "by provider");
    let missing = Err(DeskStoreError::Missing("account"));
    let new = who("https://login", "new");
    assert_eq!(desk.bind(&name("two"), first.id, &new).await, missing);
    assert_eq!(desk.bind(&site, agent(9), &new).await, missing);
    assert_eq!(desk.bind(&name("none"), agent(9), &new).await, missing);
    assert_eq!(desk.identities(&name("two"), first.id).await, Ok(vec![]));
    assert_eq!(desk.bound_account(&site, &elsewhere).await, Ok(Some(first)));
}

/// The others learn that it is somebody's.
pub async fn one_of_several_who_are_bound_at_once_wins(subject: &mut dyn DeskSubject) {
    let desk = subject.desk();
    add_sites(&*desk, &["one"]).await;
    let first = add(&*desk, "one", 1, "a@b").await;
    let rivals: Vec<Identity> = (0..8).map(|n| who("https://login", &n.to_string())).collect();
    let bound = rivals.iter().map(|rival| desk.bind(&first.site, first.id, rival));
    let outcomes = join_all(bound).await;
    let won: Vec<usize> = (0..rivals.len()).filter(|n| outcomes[*n] == Ok(())).collect();
    assert_eq!(won.len(), 1, "{outcomes:?}");
    let lost = outcomes.iter().filter(|outcome| **outcome == TAKEN).count();
    assert_eq!(lost, rivals.len() - 1, "{outcomes:?}");
    let stands = desk.identities(&first.site, first.id).await;
    assert_eq!(stands, Ok(vec![rivals[won[0]].clone()]));
}

/// All of one account, whose tokens are refused from then on; others keep theirs.
pub async fn an_account_is_freed_and_signed_out(subject: &mut dyn DeskSubject) {
    let desk = subject.desk();
    add_sites(&*desk, &["one", "two"]).await;
    let site = name("one");
    let (first, second) = (add(&*desk, "one", 1, "a@b").await, add(&*desk, "one", 2, "c@d").await);
    let (ana, bea) = (who("https://login", "ana"), who("https://login", "bea"));
    for (account, identity) in
        [(&first, &ana), (&first, &who("https://other", "x")), (&second, &bea)]
    {
        assert_eq!(desk.bind(&site, account.id, identity).await, Ok(()));
    }
    let missing = Err(DeskStoreError::Missing("account"));
    assert_eq!(desk.unbind(&name("two"), first.id).await, missing);
    assert_eq!(desk.unbind(&site, agent(9)).await, missing);
    assert_eq!(desk.identities(&site, first.id).await.map(|all| all.len()), Ok(2), "it stands");
    for generation in 1..=2 {
        assert_eq!(desk.unbind(&site, first.id).await, Ok(generation));
        assert_eq!(desk.identities(&site, first.id).await, Ok(vec![]));
    }
    assert_eq!(desk.bound_account(&site, &ana).await, Ok(None));
    assert_eq!(desk.identities(&site, second.id).await, Ok(vec![bea]));
    assert_eq!(desk.bind(&site, second.id, &ana).await, TAKEN);
    assert_eq!(desk.bind(&site, first.id, &who("https://login", "another")).await, Ok(()));
    drop(desk);
    subject.reopen().await;
    let desk = subject.desk();
    let stored = desk.account(&site, first.id).await.map(|found| found.map(|a| a.generation));
    assert_eq!(stored, Ok(Some(2)));
    assert_eq!(desk.bound_account(&site, &ana).await, Ok(None));
}
