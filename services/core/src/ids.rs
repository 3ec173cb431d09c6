//! Names of things, each its own type, parsed once at the edge.
//!
//! Ids made by Frontdesk are UUIDv7; a site and a queue are named by people.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use uuid::Uuid;

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {problem}")]
pub struct InvalidId {
    what: &'static str,
    problem: &'static str,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that is known to name such a thing.
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }

            /// The 16 bytes, big-endian, as they are stored.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(s: &str) -> Result<Self, InvalidId> {
                match Uuid::try_parse(s) {
                    Ok(id) if !id.is_nil() => Ok(Self(id)),
                    _ => Err(InvalidId { what: $what, problem: "is not a UUID" }),
                }
            }
        }
    };
}

uuid_id!(
    /// A conversation.
    ConversationId,
    "conversation id"
);
uuid_id!(
    /// A visitor of a site.
    VisitorId,
    "visitor id"
);
uuid_id!(
    /// An agent or supervisor.
    AgentId,
    "agent id"
);
uuid_id!(
    /// One offer of one conversation to one agent.
    OfferId,
    "offer id"
);
uuid_id!(
    /// An uploaded file.
    AttachmentId,
    "attachment id"
);
uuid_id!(
    /// One client connection at one gateway.
    ConnectionId,
    "connection id"
);

uuid_id!(
    /// An entry of the audit log.
    AuditId,
    "audit id"
);

macro_rules! slug_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Longest name, in bytes.
            pub const MAX_BYTES: usize = 64;

            /// The name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(s: &str) -> Result<Self, InvalidId> {
                check_slug($what, s).map(|()| Self(Arc::from(s)))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let s = String::deserialize(d)?;
                s.parse().map_err(serde::de::Error::custom)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

slug_id!(
    /// A site (brand, web site): the tenant. 1–64 of `[a-z0-9-]`.
    SiteId,
    "site"
);
slug_id!(
    /// A queue within a site. 1–64 of `[a-z0-9-]`.
    QueueId,
    "queue"
);
slug_id!(
    /// Opening hours within a site. 1–64 of `[a-z0-9-]`.
    CalendarId,
    "calendar"
);
slug_id!(
    /// Something agents can be good at, languages included. 1–64 of `[a-z0-9-]`.
    SkillId,
    "skill"
);
slug_id!(
    /// A process of the cluster, unique for its life (name and incarnation).
    NodeId,
    "node"
);

fn check_slug(what: &'static str, s: &str) -> Result<(), InvalidId> {
    let problem = if s.is_empty() {
        "is empty"
    } else if s.len() > 64 {
        "is longer than 64 bytes"
    } else if !s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        "has characters other than a-z, 0-9 and -"
    } else {
        return Ok(());
    };
    Err(InvalidId { what, problem })
}

/// The sender's own id of a message, 1–64 bytes; the key of promise P3.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ClientMsgId(Arc<str>);

impl ClientMsgId {
    /// Longest id, in bytes.
    pub const MAX_BYTES: usize = 64;

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id, without copying it.
    pub fn to_shared(&self) -> Arc<str> {
        self.0.clone()
    }
}

impl FromStr for ClientMsgId {
    type Err = InvalidId;
    fn from_str(s: &str) -> Result<Self, InvalidId> {
        let problem = if s.is_empty() {
            "is empty"
        } else if s.len() > Self::MAX_BYTES {
            "is longer than 64 bytes"
        } else {
            return Ok(Self(Arc::from(s)));
        };
        Err(InvalidId { what: "client_msg_id", problem })
    }
}

impl<'de> Deserialize<'de> for ClientMsgId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for ClientMsgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientMsgId({:?})", &*self.0)
    }
}

/// Place of an event in its conversation: 1, 2, 3 …; 0 is before the first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Seq(u32);

impl Seq {
    /// Before the first event.
    pub const ZERO: Self = Self(0);

    /// Wraps a number.
    pub const fn new(seq: u32) -> Self {
        Self(seq)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The one after. Panics past `u32::MAX`, which 30 events a second reach in
    /// four and a half years; the conversation refuses commands long before.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Generation of a shard's ownership: the Raft log index of its assignment.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Epoch(u64);

impl Epoch {
    /// Wraps a log index.
    pub const fn new(epoch: u64) -> Self {
        Self(epoch)
    }

    /// The log index.
    pub const fn get(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_checked() {
        assert!("acme-eu-1".parse::<SiteId>().is_ok());
        for bad in ["", "Acme", "a b", "ä", &"x".repeat(65)] {
            assert!(bad.parse::<QueueId>().is_err(), "{bad:?}");
        }
        assert!(serde_json::from_str::<SiteId>("\"No\"").is_err());
    }

    #[test]
    fn ids_of_messages_are_checked_however_they_come() {
        let read = |id: &str| serde_json::from_str::<ClientMsgId>(&format!("{id:?}"));
        let longest = "x".repeat(ClientMsgId::MAX_BYTES);
        assert!(read("m1").is_ok() && read(&longest).is_ok());
        assert!(read("").is_err() && read(&format!("{longest}x")).is_err());
    }

    #[test]
    fn nil_and_garbage_are_no_ids() {
        assert!("00000000-0000-0000-0000-000000000000".parse::<AgentId>().is_err());
        assert!("zzz".parse::<AgentId>().is_err());
    }
}
