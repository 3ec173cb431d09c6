//! What every `DeskStore` must do, as tests against the trait alone.
//!
//! `desk_conformance!` makes one test of each function here. A subject starts
//! empty and is nobody else's.

mod accounts;
mod audit;
mod bindings;
mod model;
mod sites;
mod uploads;

pub use accounts::*;
pub use audit::*;
pub use bindings::*;
pub use model::the_desk_agrees_with_the_model;
pub use sites::*;
pub use uploads::*;

use crate::desk::{
    AccountDetails, AccountKind, DeskStore, DeskStoreError, StoredAccount, StoredAttachment,
    StoredQueue, StoredSite,
};
use async_trait::async_trait;
use frontdesk_core::ids::{AgentId, AttachmentId, ConversationId, SiteId};
use frontdesk_core::skill::Skills;
use frontdesk_core::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// A store under test.
#[async_trait]
pub trait DeskSubject: Send {
    /// The store. Tests give their clones back before they reopen.
    fn desk(&self) -> Arc<dyn DeskStore>;

    /// Ends it without any warning and opens it again on the same storage.
    async fn reopen(&mut self);

    /// Runs a statement on the tables behind its back, as somebody with the right to
    /// write to the database could; gives what the database says.
    async fn run(&self, sql: &str) -> Result<(), String>;
}

/// Makes a module's tests of the suite: the argument is an expression that gives
/// a new, empty `DeskSubject`, and may await.
#[macro_export]
macro_rules! desk_conformance {
    ($new:expr) => {
        $crate::desk_conformance!(@tests $new;
            nothing_is_found_in_an_empty_store,
            a_change_must_name_the_version_it_changes,
            one_of_several_changes_at_once_wins,
            a_key_belongs_to_one_site,
            sites_come_by_name,
            sites_are_kept_as_they_were,
            accounts_belong_to_a_site,
            an_address_is_taken_once_in_a_site,
            one_of_several_with_an_address_wins,
            accounts_come_by_address,
            accounts_are_kept_as_they_were,
            a_password_is_replaced_alone,
            a_generation_only_goes_up,
            an_account_is_changed_but_for_its_address_and_password,
            an_account_is_found_by_whom_it_is_bound_to,
            an_account_is_bound_to_one_of_each_provider,
            one_of_several_who_are_bound_at_once_wins,
            an_account_is_freed_and_signed_out,
            attachments_belong_to_a_site,
            attachments_are_kept_as_they_were,
            attachments_are_found_and_removed,
            an_audit_entry_is_there_once,
            audit_entries_come_newest_first_and_page_by_page,
            audit_entries_are_found_by_who_what_and_when,
            audit_entries_are_kept_as_they_were,
            the_audit_log_refuses_every_change,
        );

        #[test]
        fn the_desk_agrees_with_the_model() {
            $crate::conformance::desk::the_desk_agrees_with_the_model(async || $new);
        }
    };
    (@tests $new:expr; $($name:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                let mut subject = $new;
                $crate::conformance::desk::$name(&mut subject).await;
            }
        )*
    };
}

/// Nothing, and no failure either; text that cannot be stored is not found.
pub async fn nothing_is_found_in_an_empty_store(subject: &mut dyn DeskSubject) {
    let (desk, one) = (subject.desk(), name("one"));
    assert_eq!(desk.sites().await, Ok(Vec::new()));
    assert_eq!(desk.site(&one).await, Ok(None));
    assert_eq!(desk.accounts(&one).await, Ok(Vec::new()));
    assert_eq!(desk.account(&one, agent(1)).await, Ok(None));
    assert_eq!(desk.attachment(&one, file(1)).await, Ok(None));
    for text in ["", "pk_1", "a\0b", "\u{10ffff}", "' OR ''='"] {
        assert_eq!(desk.site_by_key(text).await, Ok(None));
        assert_eq!(desk.account_by_email(&one, text).await, Ok(None));
    }
}

fn name(name: &str) -> SiteId {
    name.parse().expect("a site")
}

fn agent(n: u128) -> AgentId {
    AgentId::from_uuid(Uuid::from_u128(n))
}

fn file(n: u128) -> AttachmentId {
    AttachmentId::from_uuid(Uuid::from_u128(n))
}

/// A site with one queue.
fn site(name: &str, key: &str) -> StoredSite {
    StoredSite {
        id: self::name(name),
        title: "Möbel & mehr".into(),
        key: key.into(),
        allowed_origins: vec!["https://shop.example".into()],
        default_queue: "general".parse().expect("a queue"),
        routes: vec![],
        queues: vec![StoredQueue::plain("general".parse().expect("a queue"))],
        calendars: BTreeMap::new(),
        away_after_missed: Some(3),
        privacy: Default::default(),
        bots: BTreeSet::new(),
    }
}

fn account(site: &str, n: u128, email: &str) -> StoredAccount {
    StoredAccount {
        id: agent(n),
        site: name(site),
        email: email.into(),
        kind: AccountKind::Supervisor,
        name: "Zoë".into(),
        capacity: 3,
        queues: vec!["general".parse().expect("a queue"), "sales".parse().expect("a queue")],
        disabled: true,
        password_hash: "$argon2id$".into(),
        skills: Skills::default(),
        details: AccountDetails::default(),
        generation: 0,
    }
}

fn attachment(site: &str, n: u128) -> StoredAttachment {
    StoredAttachment {
        id: file(n),
        site: name(site),
        conversation: ConversationId::from_uuid(Uuid::from_u128(n << 64 | 7)),
        name: "Rechnung 3.pdf".into(),
        media_type: "application/pdf".into(),
        size: 1_234,
        created_at: Timestamp::from_millis(1_700_000_000_123),
    }
}

fn stale(version: u64) -> DeskStoreError {
    DeskStoreError::Stale { what: "site", version }
}

/// Adds sites, each with a key of its own, and expects that to work.
async fn add_sites(desk: &dyn DeskStore, names: &[&str]) {
    for name in names {
        assert_eq!(desk.put_site(site(name, &format!("pk_{name}")), 0).await, Ok(1));
    }
}

/// What an encoding might stumble over; every text but one with NUL is kept.
const ODD_TEXTS: [&str; 6] =
    ["", "  ", "'\"\\ %s $1 {}", "line\r\n\ttab\u{1}\u{7f}", "größer 🪑 \u{10ffff}", "[],{NULL}"];
