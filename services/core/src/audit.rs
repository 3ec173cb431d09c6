//! What supervisors and administrators do, and who signs in, as the audit log keeps it.
//! Data only: who may do what is decided elsewhere, and nothing here ever changes an entry.

use crate::ids::{AgentId, AuditId, SiteId};
use crate::party::{Principal, Role};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Bytes of an entry's details: a page of 100 is below 2 MB.
pub const MAX_DETAILS_BYTES: usize = 16 * 1024;
/// Bytes of what an entry is about.
pub const MAX_SUBJECT_BYTES: usize = 200;
/// Bytes of where a request came from.
pub const MAX_ORIGIN_BYTES: usize = 200;
/// Entries of one page.
pub const MAX_PAGE: u32 = 100;

/// What was done. The set is open: other versions may know more.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Act(Cow<'static, str>);

impl Act {
    /// Followed a conversation of somebody else's.
    pub const WATCH: Self = Self::new("watch");
    /// Read what was said in a conversation of somebody else's.
    pub const READ: Self = Self::new("read");
    /// Said something to the agent alone.
    pub const WHISPER: Self = Self::new("whisper");
    /// Took part in a conversation of somebody else's.
    pub const JOIN: Self = Self::new("join");
    /// Sent a guest away.
    pub const DISMISS: Self = Self::new("dismiss");
    /// Took a conversation from its agent.
    pub const TAKE_OVER: Self = Self::new("take_over");
    /// Put a conversation back into its queue.
    pub const FORCE_RELEASE: Self = Self::new("force_release");
    /// Changed how urgent a conversation is.
    pub const SET_PRIORITY: Self = Self::new("set_priority");
    /// Took out all that is kept of a visitor.
    pub const EXPORT_VISITOR: Self = Self::new("export_visitor");
    /// Had a visitor forgotten.
    pub const ERASE_VISITOR: Self = Self::new("erase_visitor");
    /// Made an account for somebody for whom a provider vouches.
    pub const MAKE_ACCOUNT: Self = Self::new("make_account");
    /// Made an agent a supervisor, or the other way round, as a provider says.
    pub const CHANGE_ROLE: Self = Self::new("change_role");
    /// Signed an account out everywhere.
    pub const END_SESSIONS: Self = Self::new("end_sessions");
    /// Gave an account another password.
    pub const CHANGE_PASSWORD: Self = Self::new("change_password");
    /// Bound an account to somebody whom a provider knows.
    pub const BIND: Self = Self::new("bind");
    /// Freed an account of those it was bound to.
    pub const UNBIND: Self = Self::new("unbind");
    /// Signed in.
    pub const SIGN_IN: Self = Self::new("sign_in");
    /// Was not let in although there is the account: the first time of a run.
    pub const REFUSED_SIGN_IN: Self = Self::new("refused_sign_in");
    /// Took out what came in a time, with the beginnings of what was said.
    pub const READ_ARRIVALS: Self = Self::new("read_arrivals");
    /// Ended a conversation of somebody else's.
    pub const CLOSE: Self = Self::new("close");
    /// Added a note to a conversation of somebody else's.
    pub const NOTE: Self = Self::new("note");
    /// Changed the tags of a conversation of somebody else's.
    pub const SET_TAGS: Self = Self::new("set_tags");
    /// Asked an agent to join a conversation of somebody else's.
    pub const INVITE: Self = Self::new("invite");
    /// Put a configuration in force.
    pub const APPLY: Self = Self::new("apply");

    /// Took all shards or clients from a process of the cluster.
    pub const DRAIN: Self = Self::new("drain");
    /// Moved shards.
    pub const MOVE_SHARDS: Self = Self::new("move");
    /// Changed who votes in the presence group, or leads it.
    pub const CHANGE_VOTERS: Self = Self::new("raft");

    const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// It is no name of an act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an act is 1 to 40 of a-z and _")]
pub struct NoAct;

impl FromStr for Act {
    type Err = NoAct;

    fn from_str(name: &str) -> Result<Self, NoAct> {
        let fits = (1..=40).contains(&name.len());
        let known = name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        if fits && known { Ok(Self(Cow::Owned(name.to_owned()))) } else { Err(NoAct) }
    }
}

/// Who does something, when, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// When.
    pub at: Timestamp,
    /// Whose account it is.
    pub id: AgentId,
    /// As it was called then.
    pub name: Arc<str>,
    /// What it could do then.
    pub role: Role,
    /// Where the request came from: an address.
    pub origin: Arc<str>,
}

impl Author {
    /// `None` for a visitor, of whom no log is kept.
    pub fn of(who: &Principal, at: Timestamp, origin: impl Into<Arc<str>>) -> Option<Self> {
        let (name, role, origin) = (who.name.clone(), who.role, origin.into());
        Some(Self { at, id: who.agent_id()?, name, role, origin })
    }
}

/// One act, written down before it is carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Names the entry: repeated, it is there once.
    pub id: AuditId,
    /// The tenant.
    pub site: SiteId,
    /// Who.
    pub by: Author,
    /// What.
    pub act: Act,
    /// What it is about: a conversation, mostly.
    pub subject: String,
    /// More of it: a JSON object.
    pub details: String,
}

impl AuditEntry {
    /// Where it is in the log.
    pub fn place(&self) -> AuditPlace {
        AuditPlace { at: self.by.at, id: self.id }
    }
}

/// A place in a site's log, which is in the order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AuditPlace {
    /// When.
    pub at: Timestamp,
    /// Of those at the same time, which.
    pub id: AuditId,
}

/// Whose acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditActor {
    /// Of an account.
    Id(AgentId),
    /// Of whoever was called so.
    Named(String),
}

/// Which entries of a site, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditQuery {
    /// The tenant.
    pub site: SiteId,
    /// Not before this.
    pub from: Option<Timestamp>,
    /// Before this.
    pub to: Option<Timestamp>,
    /// Whose; `None` for everybody's.
    pub actor: Option<AuditActor>,
    /// What; `None` for everything.
    pub act: Option<Act>,
    /// About what; `None` for everything.
    pub subject: Option<String>,
    /// Only those older than this one: the end of the page before.
    pub before: Option<AuditPlace>,
    /// At most so many.
    pub limit: u32,
}

impl AuditQuery {
    /// All of a site.
    pub fn of(site: SiteId) -> Self {
        let (from, to, actor, act) = (None, None, None, None);
        Self { site, from, to, actor, act, subject: None, before: None, limit: MAX_PAGE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_of_later_versions_are_carried_and_garbage_is_not() {
        assert_eq!("take_over".parse(), Ok(Act::TAKE_OVER));
        assert_eq!("levitate".parse::<Act>().map(|act| act.to_string()), Ok("levitate".into()));
        for bad in ["", "Watch", "a b", "a\0", &"x".repeat(41)] {
            assert_eq!(bad.parse::<Act>(), Err(NoAct), "{bad:?}");
        }
        let json = serde_json::to_string(&Act::WATCH).unwrap();
        assert_eq!(serde_json::from_str::<Act>(&json).unwrap(), Act::WATCH);
    }
}
