//! The audit log as the role keeps it: entries are checked, added and read. An entry
//! says what somebody was about to do; whether it succeeded is told where it was done.

use crate::error::DeskError;
use crate::refusals::Why;
use crate::service::DeskService;
use frontdesk_core::audit::{
    Act, AuditEntry, AuditQuery, Author, MAX_DETAILS_BYTES, MAX_ORIGIN_BYTES, MAX_PAGE,
    MAX_SUBJECT_BYTES,
};
use frontdesk_core::identity::Identity;
use frontdesk_core::ids::{AgentId, AuditId, SiteId};
use frontdesk_core::party::Role;
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::{AuditPage, Vouched, Whence};
use frontdesk_store::desk::{AccountKind, StoredAccount};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// What the log calls a provider that vouches for somebody.
const PROVIDER: &str = "provider";
/// What it calls whoever was not let in.
const STRANGER: &str = "stranger";

/// Bytes of the lines of one configuration's entry; with their quotes and escapes they
/// stay below `MAX_DETAILS_BYTES`.
const MAX_LINES_BYTES: usize = 8 * 1024;

impl DeskService {
    pub(crate) async fn write_down(&self, entry: AuditEntry) -> Result<(), DeskError> {
        let fits = entry.details.len() <= MAX_DETAILS_BYTES
            && entry.subject.len() <= MAX_SUBJECT_BYTES
            && entry.by.origin.len() <= MAX_ORIGIN_BYTES;
        if !fits {
            return Err(DeskError::Invalid("an audit entry is too long".into()));
        }
        Ok(self.store.add_audit(entry).await?)
    }

    pub(crate) async fn read_log(&self, query: AuditQuery) -> Result<AuditPage, DeskError> {
        let most = query.limit.clamp(1, MAX_PAGE);
        let mut entries = self.store.audit(AuditQuery { limit: most + 1, ..query }).await?;
        let more = entries.len() > most as usize;
        entries.truncate(most as usize);
        let next = entries.last().filter(|_| more).map(AuditEntry::place);
        Ok(AuditPage { entries, next })
    }
}

/// That somebody puts a configuration in force, which then has this version.
pub(crate) fn of_configuration(
    site: SiteId,
    by: Author,
    version: u64,
    changes: &[String],
) -> AuditEntry {
    let mut bytes = 0;
    let shown = changes.iter().take_while(|line| {
        bytes += line.len();
        bytes <= MAX_LINES_BYTES
    });
    let shown: Vec<&str> = shown.map(String::as_str).collect();
    let left_out = changes.len() - shown.len();
    let details = json!({ "version": version, "changes": shown, "left_out": left_out });
    AuditEntry {
        id: AuditId::from_uuid(Uuid::now_v7()),
        subject: site.to_string(),
        site,
        by,
        act: Act::APPLY,
        details: details.to_string(),
    }
}

/// That somebody does something to an account.
pub(crate) fn of_account(
    account: &StoredAccount,
    act: Act,
    by: Author,
    details: Value,
) -> AuditEntry {
    AuditEntry {
        id: AuditId::from_uuid(Uuid::now_v7()),
        site: account.site.clone(),
        by,
        act,
        subject: account.id.to_string(),
        details: details.to_string(),
    }
}

/// By what means somebody signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum How {
    /// With a password.
    Password,
    /// By way of a provider, as this one there; earlier gateways do not say as whom.
    Provider(Option<Identity>),
}

impl How {
    fn details(&self) -> Value {
        match self {
            Self::Password => json!({ "by": "password" }),
            Self::Provider(None) => json!({ "by": PROVIDER }),
            Self::Provider(Some(Identity { issuer, subject })) => {
                json!({ "by": PROVIDER, "issuer": issuer, "subject": subject })
            }
        }
    }
}

/// That somebody signs in to its account.
pub(crate) fn of_sign_in(account: &StoredAccount, how: &How, from: &Whence) -> AuditEntry {
    let by = Author {
        at: from.at,
        id: account.id,
        name: Arc::from(account.name.as_str()),
        role: match account.kind {
            AccountKind::Agent => Role::Agent,
            AccountKind::Supervisor => Role::Supervisor,
        },
        origin: Arc::from(from.origin.as_str()),
    };
    of_account(account, Act::SIGN_IN, by, how.details())
}

/// That somebody was not let in to an account.
pub(crate) fn of_refusal(
    account: &StoredAccount,
    why: Why,
    how: &How,
    from: &Whence,
) -> AuditEntry {
    let by = nobody(STRANGER, Role::Agent, from);
    let mut details = how.details();
    details["why"] = json!(why.as_str());
    details["email"] = json!(account.email);
    of_account(account, Act::REFUSED_SIGN_IN, by, details)
}

/// That a provider's word makes or changes an account.
pub(crate) fn of_provider(who: &Vouched, act: Act, subject: &str, details: Value) -> AuditEntry {
    let by = nobody(PROVIDER, Role::Supervisor, &whence(who));
    let (id, site) = (AuditId::from_uuid(Uuid::now_v7()), who.site.clone());
    AuditEntry { id, site, by, act, subject: subject.to_owned(), details: details.to_string() }
}

/// What is not done by an account.
fn nobody(name: &str, role: Role, from: &Whence) -> Author {
    let origin = Arc::from(from.origin.as_str());
    let (id, name) = (AgentId::from_uuid(Uuid::nil()), Arc::from(name));
    Author { at: from.at, id, name, role, origin }
}

/// Of somebody for whom a provider has vouched.
pub(crate) fn whence(who: &Vouched) -> Whence {
    Whence { at: who.at, origin: who.origin.clone() }
}

/// Of somebody whose gateway does not say: now, from wherever.
pub(crate) fn unknown_whence() -> Whence {
    let (seconds, nanos) = Uuid::now_v7().get_timestamp().map_or((0, 0), |at| at.to_unix());
    let at = Timestamp::from_millis(seconds * 1_000 + u64::from(nanos) / 1_000_000);
    Whence { at, origin: "unknown".into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{demo, origins, start};
    use frontdesk_core::ids::AgentId;
    use frontdesk_core::party::Role;
    use frontdesk_core::time::Timestamp;
    use frontdesk_proto::api::{ApiError, Desk};

    fn by(at: u64) -> Author {
        Author {
            at: Timestamp::from_millis(at),
            id: AgentId::from_uuid(Uuid::from_u128(7)),
            name: "Sue".into(),
            role: Role::Supervisor,
            origin: "192.0.2.1".into(),
        }
    }

    fn entry(n: u64) -> AuditEntry {
        AuditEntry {
            id: AuditId::from_uuid(Uuid::from_u128(n.into())),
            site: demo(),
            by: by(n),
            act: Act::WATCH,
            subject: "one".into(),
            details: "{}".into(),
        }
    }

    #[tokio::test]
    async fn pages_end_with_where_the_next_one_begins() {
        let temp = tempfile::tempdir().unwrap();
        let desk = start(temp.path()).await;
        desk.ensure_dev_site(&origins(1)).await.unwrap();
        for n in 1..=5 {
            desk.record(entry(n)).await.unwrap();
            desk.record(entry(n)).await.unwrap();
        }
        let (mut before, mut found) = (None, Vec::new());
        loop {
            let query = AuditQuery { before, limit: 2, ..AuditQuery::of(demo()) };
            let page = desk.audit(query).await.unwrap();
            found.extend(page.entries.iter().map(|entry| entry.by.at.as_millis()));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(found, [5, 4, 3, 2, 1]);
        let whole = desk.audit(AuditQuery { limit: 5, ..AuditQuery::of(demo()) }).await.unwrap();
        assert_eq!((whole.entries.len(), whole.next), (5, None));
        let long = AuditEntry { subject: "x".repeat(201), ..entry(9) };
        assert!(matches!(desk.record(long).await, Err(ApiError::Invalid(_))));
    }

    #[tokio::test]
    async fn a_configuration_is_in_the_log_before_it_is_in_force() {
        let temp = tempfile::tempdir().unwrap();
        let desk = start(temp.path()).await;
        desk.ensure_dev_site(&origins(1)).await.unwrap();
        let text = "title: New\nqueues: [{ name: general }]\n";
        let unwritable = Author { origin: "x".repeat(300).into(), ..by(1) };
        assert!(desk.apply(&demo(), text, Some(unwritable)).await.is_err());
        assert_ne!(desk.site(&demo()).await.unwrap().unwrap().title, "New", "not in force");

        let planned = desk.apply(&demo(), text, None).await.unwrap();
        let log = async || desk.audit(AuditQuery::of(demo())).await.unwrap().entries;
        assert_eq!(log().await, [], "a plan is no act");
        let done = desk.apply(&demo(), text, Some(by(2))).await.unwrap();
        let entries = log().await;
        let [entry] = entries.as_slice() else { panic!("one entry, not {entries:?}") };
        assert_eq!((&entry.act, &*entry.subject, &entry.by), (&Act::APPLY, "demo", &by(2)));
        let details: serde_json::Value = serde_json::from_str(&entry.details).unwrap();
        assert_eq!(details["version"], done.version);
        assert_eq!(details["changes"], json!(planned.changes));

        desk.apply(&demo(), text, Some(by(3))).await.unwrap();
        let refused = desk.apply(&demo(), "queues: []\n", Some(by(4))).await.unwrap();
        assert_eq!(refused.problems.len(), 1);
        assert_eq!(log().await.len(), 1, "what changes nothing is no act");
    }

    #[test]
    fn a_huge_change_is_told_in_part() {
        let changes: Vec<String> = (0..10_000).map(|n| format!("~ \"agent\" {n}")).collect();
        let entry = of_configuration(demo(), by(1), 2, &changes);
        assert!(entry.details.len() <= MAX_DETAILS_BYTES, "{}", entry.details.len());
        let details: serde_json::Value = serde_json::from_str(&entry.details).unwrap();
        let shown = details["changes"].as_array().unwrap().len() as u64;
        assert_eq!(details["left_out"].as_u64(), Some(10_000 - shown));
    }
}
