//! Why the newest decisions were what they were, for people who ask. Bounded; lost
//! with the process.

use frontdesk_core::ids::{ConversationId, SiteId};
use frontdesk_proto::api::Explanation;
use std::collections::{HashMap, VecDeque};

/// Agents of all decisions that are kept: 500,000 × 24 bytes = 12 MB.
const MAX_CANDIDATES: usize = 500_000;
/// Decisions that are kept, replaced ones that are still in the order included.
const MAX_DECISIONS: usize = 50_000;

#[derive(Default)]
pub(crate) struct Explanations {
    kept: HashMap<ConversationId, (u64, SiteId, Explanation)>,
    /// By age; those replaced since are skipped by their number.
    order: VecDeque<(u64, ConversationId)>,
    number: u64,
    candidates: usize,
}

impl Explanations {
    /// Replaces what was known of its conversation.
    pub(crate) fn keep(&mut self, site: &SiteId, explained: Explanation) {
        self.number += 1;
        let conversation = explained.trace.conversation;
        self.candidates += explained.trace.candidates.len();
        self.order.push_back((self.number, conversation));
        let replaced = self.kept.insert(conversation, (self.number, site.clone(), explained));
        if let Some((.., old)) = replaced {
            self.candidates -= old.trace.candidates.len();
        }
        while self.order.len() > MAX_DECISIONS || self.candidates > MAX_CANDIDATES {
            let Some((number, conversation)) = self.order.pop_front() else { return };
            if self.kept.get(&conversation).is_some_and(|(kept, ..)| *kept == number)
                && let Some((.., old)) = self.kept.remove(&conversation)
            {
                self.candidates -= old.trace.candidates.len();
            }
        }
    }

    /// Of this site only.
    pub(crate) fn of(&self, site: &SiteId, conversation: ConversationId) -> Option<Explanation> {
        let (_, of, explained) = self.kept.get(&conversation)?;
        (of == site).then(|| explained.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_core::ids::AgentId;
    use frontdesk_core::matching::{Trace, Verdict};
    use frontdesk_core::skill::Skills;
    use frontdesk_core::time::Timestamp;
    use uuid::Uuid;

    fn about(conversation: u128, agents: usize) -> Explanation {
        let chosen = (AgentId::from_uuid(Uuid::from_u128(1)), Verdict::Chosen);
        Explanation {
            at: Timestamp::ZERO,
            queue: "sales".parse().unwrap(),
            waiting_since: Timestamp::ZERO,
            trace: Trace {
                conversation: ConversationId::from_uuid(Uuid::from_u128(conversation)),
                required: Skills::default(),
                language: None,
                candidates: vec![chosen; agents],
            },
        }
    }

    #[test]
    fn the_newest_are_kept_within_bounds() {
        let (site, mut kept) = ("shop".parse().unwrap(), Explanations::default());
        for n in 0..60 {
            kept.keep(&site, about(n % 30, MAX_CANDIDATES / 20));
        }
        assert!(kept.candidates <= MAX_CANDIDATES);
        let of = |n| kept.of(&site, about(n, 0).trace.conversation);
        assert!(of(29).is_some() && of(9).is_none());
        assert_eq!(kept.of(&"other".parse().unwrap(), about(29, 0).trace.conversation), None);
        let held: usize = kept.kept.values().map(|(.., e)| e.trace.candidates.len()).sum();
        assert_eq!(held, kept.candidates);
    }
}
