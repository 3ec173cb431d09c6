//! What people did and saw, written down as it happened.

use super::entropy::elapsed;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A message somebody has sent.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) conversation: String,
    pub(crate) text: String,
    pub(crate) at_ms: u64,
    /// Its seq and when that was heard.
    pub(crate) acked: Option<(u32, u64)>,
    /// The final answer was no.
    pub(crate) refused: Option<String>,
}

/// An event as somebody received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) seq: u32,
    pub(crate) at_ms: u64,
    /// Of messages.
    pub(crate) text: Option<String>,
}

/// Everything that is known of everybody.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    /// By who sent it and under which id.
    pub(crate) said: BTreeMap<(String, String), Said>,
    /// By who received it and of which conversation.
    pub(crate) heard: BTreeMap<(String, String), Vec<Heard>>,
    /// Conversations that were begun, by visitor, and when.
    pub(crate) begun: BTreeMap<String, (String, u64)>,
    /// When a conversation was first taken.
    pub(crate) assigned: BTreeMap<String, u64>,
    /// What must not happen, as it was noticed.
    pub(crate) wrongs: Vec<String>,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Entries>>);

impl Ledger {
    pub(crate) fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn said(&self, who: &str, key: &str, conversation: &str, text: &str) {
        let (conversation, text) = (conversation.to_owned(), text.to_owned());
        let said = Said { conversation, text, at_ms: elapsed(), acked: None, refused: None };
        self.entries().said.insert((who.to_owned(), key.to_owned()), said);
    }

    /// A repeat must be answered as the first time.
    pub(crate) fn acked(&self, who: &str, key: &str, seq: u32) {
        let mut entries = self.entries();
        let Some(said) = entries.said.get_mut(&(who.to_owned(), key.to_owned())) else { return };
        match said.acked {
            None => said.acked = Some((seq, elapsed())),
            Some((before, _)) if before == seq => {}
            Some((before, _)) => {
                let wrong =
                    format!("P3: {who}'s {key} was acknowledged as {before}, then as {seq}");
                entries.wrongs.push(wrong);
            }
        }
    }

    pub(crate) fn refused(&self, who: &str, key: &str, why: String) {
        if let Some(said) = self.entries().said.get_mut(&(who.to_owned(), key.to_owned())) {
            said.refused = Some(why);
        }
    }

    pub(crate) fn heard(&self, who: &str, conversation: &str, seq: u32, text: Option<String>) {
        let key = (who.to_owned(), conversation.to_owned());
        self.entries().heard.entry(key).or_default().push(Heard { seq, at_ms: elapsed(), text });
    }

    /// Noted once.
    pub(crate) fn wrong(&self, what: String) {
        let mut entries = self.entries();
        if !entries.wrongs.contains(&what) {
            entries.wrongs.push(what);
        }
    }
}
