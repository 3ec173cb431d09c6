//! What a site keeps of its visitors, for how long, and what they have to agree to.

use crate::conversation::{Phase, Summary, Texts};
use crate::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A site's rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Privacy {
    /// For how long what was said is kept.
    pub retention: Retention,
    /// What visitors agree to before they start a conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentText>,
}

/// For how long; for ever where nothing is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retention {
    /// What was said in a conversation, from its end on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<Millis>,
    /// A file, from its upload on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachments: Option<Millis>,
}

/// A text that visitors agree to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentText {
    /// Goes up with the text.
    pub version: Arc<str>,
    /// In several languages.
    pub text: Texts,
    /// Address of the whole text; may be empty.
    pub link: Arc<str>,
}

/// Where the bytes of what has been erased may still be, although nothing reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remains {
    /// In no file.
    Nowhere,
    /// In the files of a database's server, until it cleans up.
    UntilVacuum,
}

impl Retention {
    /// Whether what was said in it is to be erased by now.
    pub fn is_over(&self, conversation: &Summary, now: Timestamp) -> bool {
        let (Some(kept), false) = (self.closed, conversation.erased) else { return false };
        matches!(&conversation.phase, Phase::Closed { at } if now.since(*at) >= kept)
    }

    /// Conversations whose last event is later than this need no look: what ends
    /// has its end as an event.
    pub fn look_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.closed.map(|kept| now - kept)
    }

    /// Files uploaded before this are to be removed.
    pub fn files_before(&self, now: Timestamp) -> Option<Timestamp> {
        self.attachments.map(|kept| now - kept)
    }
}
