//! Sign-ins of those for whom a provider vouches, on the real store.

use super::*;
use crate::tests::{demo, origins, start};
use frontdesk_core::audit::AuditQuery;
use frontdesk_core::audit::Author;
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::Desk as _;
use futures::future::join_all;
use tempfile::TempDir;

async fn demo_desk() -> (DeskService, TempDir) {
    let temp = tempfile::tempdir().unwrap();
    let desk = start(temp.path()).await;
    desk.ensure_dev_site(&origins(8080)).await.unwrap();
    (desk, temp)
}

/// What the log has, the oldest first.
async fn written(desk: &DeskService) -> Vec<(String, String)> {
    desk.refusals.settled().await;
    let log = desk.store.audit(AuditQuery::of(demo())).await.unwrap();
    log.into_iter().rev().map(|entry| (entry.act.to_string(), entry.subject)).collect()
}

async fn acts(desk: &DeskService) -> Vec<String> {
    written(desk).await.into_iter().map(|(act, _)| act).collect()
}

/// At the time of the sign-ins.
fn operator() -> Author {
    Author { at: Timestamp::from_millis(7), ..crate::tests::operator() }
}

fn identity(subject: &str) -> Identity {
    Identity { issuer: "https://login.example".into(), subject: subject.into() }
}

fn vouched(subject: &str, email: &str) -> Vouched {
    Vouched {
        site: demo(),
        identity: Some(identity(subject)),
        email: email.into(),
        name: "Kim".into(),
        role: None,
        create: false,
        at: Timestamp::from_millis(7),
        origin: "192.0.2.7".into(),
    }
}

fn agent(subject: &str) -> Vouched {
    vouched(subject, "agent@demo.example")
}

#[tokio::test]
async fn an_account_is_found_made_or_refused() {
    let (desk, _temp) = demo_desk().await;
    let boss = desk.sign_in_vouched(vouched("sam", "Supervisor@demo.example")).await.unwrap();
    assert_eq!(boss.role, Role::Supervisor, "what it was");
    let stranger = desk.sign_in_vouched(vouched("kim", "kim@demo.example")).await;
    assert_eq!(stranger, Err(ApiError::NotFound("account".into())));
    let new = Vouched { create: true, ..vouched("kim", "kim@demo.example") };
    let made = desk.sign_in_vouched(new.clone()).await.unwrap();
    assert_eq!((made.role, made.profile.name.to_string()), (Role::Agent, "Kim".into()));
    assert_eq!(desk.sign_in_vouched(new.clone()).await, Ok(made.clone()), "once");
    let (boss, kim) = (boss.id.to_string(), made.id.to_string());
    let expected = [
        ("bind", &*boss),
        ("sign_in", &*boss),
        ("make_account", "kim@demo.example"),
        ("bind", &*kim),
        ("sign_in", &*kim),
        ("sign_in", &*kim),
    ];
    assert_eq!(written(&desk).await, expected.map(|(act, of)| (act.into(), of.into())));
    let elsewhere = Vouched { site: "nowhere".parse().unwrap(), ..new };
    assert_eq!(desk.sign_in_vouched(elsewhere).await, Err(ApiError::NotFound("site".into())));
    let odd = Vouched { create: true, ..vouched("nobody", "nobody") };
    assert!(matches!(desk.sign_in_vouched(odd).await, Err(ApiError::Invalid(_))));
    for subject in ["", "a\0", &"x".repeat(256)] {
        let odd = desk.sign_in_vouched(agent(subject)).await;
        assert!(matches!(odd, Err(ApiError::Invalid(_))), "{odd:?}");
    }
}

#[tokio::test]
async fn an_account_stays_with_its_subject_whatever_becomes_of_addresses() {
    let (desk, _temp) = demo_desk().await;
    let alex = desk.sign_in_vouched(agent("alex")).await.unwrap();
    // The address is another one now, even that of another account.
    for email in ["alexandra@demo.example", "supervisor@demo.example"] {
        let again = Vouched { create: true, ..vouched("alex", email) };
        assert_eq!(desk.sign_in_vouched(again).await, Ok(alex.clone()), "{email}");
    }
    // Whoever is given the address afterwards does not get the account, nor a new one.
    for _ in 0..3 {
        let heir = desk.sign_in_vouched(Vouched { create: true, ..agent("heir") }).await;
        let Err(ApiError::Forbidden(why)) = &heir else { panic!("let in: {heir:?}") };
        assert!(why.contains(&alex.id.to_string()) && why.contains("unbind"), "{why}");
    }
    assert_eq!(acts(&desk).await, ["bind", "sign_in", "sign_in", "sign_in", "refused_sign_in"]);
    let log = desk.store.audit(AuditQuery::of(demo())).await.unwrap();
    let refused = &log[0];
    let details: serde_json::Value = serde_json::from_str(&refused.details).unwrap();
    let (by, why) = (&details["by"], &details["why"]);
    assert_eq!((by, why), (&json!("provider"), &json!("bound_to_another")), "{details}");
    assert_eq!((&details["subject"], &*refused.by.origin), (&json!("heir"), "192.0.2.7"));
    // It is another person at another provider that the operator trusts.
    let elsewhere = Identity { issuer: "https://new.example".into(), ..identity("heir") };
    let moved = Vouched { identity: Some(elsewhere), ..agent("") };
    assert_eq!(desk.sign_in_vouched(moved).await, Ok(alex.clone()));
    assert_eq!(desk.sign_in_vouched(agent("alex")).await, Ok(alex));
}

#[tokio::test]
async fn an_account_that_is_unbound_is_the_next_ones_and_its_tokens_are_refused() {
    let (desk, _temp) = demo_desk().await;
    let alex = desk.sign_in_vouched(agent("alex")).await.unwrap();
    for who in ["nobody@demo.example".to_owned(), uuid::Uuid::now_v7().to_string()] {
        let nobody = desk.unbind(&demo(), &who, operator()).await;
        assert_eq!(nobody, Err(ApiError::NotFound("account".into())));
    }
    let freed = desk.unbind(&demo(), "Agent@demo.example", operator()).await.unwrap();
    assert_eq!((freed.agent, freed.was), (alex.id, vec![identity("alex")]));
    assert_eq!(freed.generation, 1);
    assert_eq!(desk.generations(&demo()).await.unwrap()[&alex.id], 1);
    let heir = desk.sign_in_vouched(agent("heir")).await.unwrap();
    assert_eq!((heir.id, heir.generation), (alex.id, 1));
    assert!(desk.sign_in_vouched(agent("alex")).await.is_err(), "it has another one now");
    let again = desk.unbind(&demo(), &alex.id.to_string(), operator()).await.unwrap();
    assert_eq!(again.was, [identity("heir")]);
    let nothing = desk.unbind(&demo(), &alex.id.to_string(), operator()).await.unwrap();
    assert_eq!((nothing.was.len(), nothing.generation), (0, 2), "nothing was changed");
    let expected = ["bind", "sign_in", "unbind", "bind", "sign_in", "refused_sign_in", "unbind"];
    assert_eq!(acts(&desk).await, expected);
}

#[tokio::test]
async fn one_of_several_first_sign_ins_gets_the_account() {
    let (desk, _temp) = demo_desk().await;
    let subjects: Vec<String> = (0..6).map(|n| format!("subject {n}")).collect();
    let all = join_all(subjects.iter().map(|subject| desk.sign_in_vouched(agent(subject)))).await;
    assert_eq!(all.iter().filter(|answer| answer.is_ok()).count(), 1, "{all:?}");
    let forbidden = |answer: &&Result<_, ApiError>| matches!(answer, Err(ApiError::Forbidden(_)));
    assert_eq!(all.iter().filter(forbidden).count(), 5, "{all:?}");
    // One person in several windows is still one.
    for n in 0..20 {
        let new =
            Vouched { create: true, ..vouched(&format!("kim {n}"), &format!("{n}@demo.example")) };
        let all = join_all((0..4).map(|_| desk.sign_in_vouched(new.clone()))).await;
        assert!(all.iter().all(|answer| *answer == all[0]) && all[0].is_ok(), "{all:?}");
    }
}

#[tokio::test]
async fn a_gateway_of_the_version_before_is_served_while_nobody_is_bound() {
    let (desk, _temp) = demo_desk().await;
    let before = Vouched { identity: None, ..agent("") };
    let alex = desk.sign_in_vouched(before.clone()).await.unwrap();
    assert_eq!(desk.sign_in_vouched(agent("alex")).await, Ok(alex));
    let refused = desk.sign_in_vouched(before).await;
    assert!(matches!(refused, Err(ApiError::Unavailable { .. })), "{refused:?}");
    let new = Vouched { identity: None, create: true, ..vouched("", "kim@demo.example") };
    assert!(desk.sign_in_vouched(new).await.is_ok());
}

#[tokio::test]
async fn the_providers_role_is_put_in_force_and_seen_at_once() {
    let (desk, _temp) = demo_desk().await;
    for role in [Role::Supervisor, Role::Supervisor, Role::Agent] {
        let who = Vouched { role: Some(role), ..agent("alex") };
        let account = desk.sign_in_vouched(who).await.unwrap();
        assert_eq!((account.role, account.profile.supervisor), (role, role == Role::Supervisor));
        let seen = desk.agent(&demo(), account.id).await.unwrap().unwrap();
        assert_eq!(seen.role, role);
    }
    let changes = acts(&desk).await.into_iter().filter(|act| act == "change_role");
    assert_eq!(changes.count(), 2, "once for each change");
    let visitor = Vouched { role: Some(Role::Visitor), ..agent("alex") };
    assert!(desk.sign_in_vouched(visitor).await.is_err());
}

#[tokio::test]
async fn a_disabled_account_stays_out_and_is_nobodys() {
    let (desk, _temp) = demo_desk().await;
    let stored = desk.store.account_by_email(&demo(), "agent@demo.example").await.unwrap();
    let stored = StoredAccount { disabled: true, ..stored.unwrap() };
    desk.store.change_account(stored.clone()).await.unwrap();
    for _ in 0..3 {
        let who = Vouched { create: true, ..agent("alex") };
        assert!(matches!(desk.sign_in_vouched(who).await, Err(ApiError::Unauthenticated(_))));
    }
    assert_eq!(acts(&desk).await, ["refused_sign_in"], "once, and it is not bound");
}
