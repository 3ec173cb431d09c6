//! All conversations of a site that an alarm may come to be due for, by when that is.
//! Costs nothing between news and the times that matter.

use super::alarms::{Due, Plan, Sight};
use crate::conversation::{Facts, Stage, Summary};
use crate::ids::{AgentId, ConversationId, QueueId, Seq};
use crate::time::{Millis, Timestamp};
use std::collections::{BTreeSet, HashMap};

/// Before what was not done is tried again, with a look before it.
const AGAIN: Millis = Millis::from_secs(5);
/// How long it is tried to raise that a conversation was abandoned.
pub const TRIED_FOR: Millis = Millis::from_mins(10);

#[derive(Debug, Clone)]
struct Kept {
    version: Seq,
    sight: Sight,
    /// Something was to be done, and no news have come since.
    is_doubtful: bool,
    next: Option<Timestamp>,
}

/// Conversations by when something may be due for them.
#[derive(Debug, Clone, Default)]
pub struct Vigil {
    kept: HashMap<ConversationId, Kept>,
    by_time: BTreeSet<(Timestamp, ConversationId)>,
}

impl Vigil {
    /// Takes news of a conversation. What is older than or the same as what is known
    /// changes nothing.
    pub fn observe(&mut self, summary: &Summary, now: Timestamp) {
        let known = self.kept.get_mut(&summary.id);
        if known.as_ref().is_some_and(|known| known.version >= summary.head) {
            return;
        }
        if is_over(summary) {
            self.forget(summary.id);
            return;
        }
        match known {
            Some(known) => {
                let visitor = known.sight.facts.watch.visitor;
                known.sight.facts = Facts::of(summary);
                // Who is connected is no news: what was said of it last still counts.
                let seen = &mut known.sight.facts.watch.visitor;
                *seen = seen.or(visitor);
                known.sight.fresh_at = known.sight.fresh_at.max(summary.last_at);
                (known.version, known.is_doubtful) = (summary.head, false);
            }
            None => {
                let (version, sight) = (summary.head, Sight::new(summary, now));
                let kept = Kept { version, sight, is_doubtful: false, next: None };
                self.kept.insert(summary.id, kept);
            }
        }
        self.at(summary.id, Some(now));
    }

    /// Takes what its owner has answered.
    pub fn looked(&mut self, summary: &Summary, now: Timestamp) {
        if is_over(summary) {
            self.forget(summary.id);
            return;
        }
        let Some(known) = self.kept.get_mut(&summary.id).filter(|k| k.version <= summary.head)
        else {
            return;
        };
        known.sight.facts = Facts::of(summary);
        (known.sight.fresh_at, known.sight.looked_at) = (now, Some(now));
        (known.version, known.is_doubtful) = (summary.head, false);
        self.at(summary.id, Some(now));
    }

    /// It is no more.
    pub fn forget(&mut self, conversation: ConversationId) {
        self.at(conversation, None);
        self.kept.remove(&conversation);
    }

    /// The configuration has changed: each is looked at anew.
    pub fn rethink(&mut self, now: Timestamp) {
        let all: Vec<ConversationId> = self.kept.keys().copied().collect();
        all.into_iter().for_each(|conversation| self.at(conversation, Some(now)));
    }

    /// What is to be done now, for at most `most` conversations; the others stay due.
    pub fn due<'p>(
        &mut self,
        now: Timestamp,
        most: usize,
        plan: impl Fn(&QueueId) -> Option<Plan<'p>>,
        is_there: impl Fn(AgentId) -> bool,
    ) -> Vec<(ConversationId, Vec<Due>)> {
        let mut all = Vec::new();
        while all.len() < most
            && let Some((at, conversation)) = self.by_time.first().copied()
            && at <= now
        {
            self.at(conversation, None);
            let Some(kept) = self.kept.get_mut(&conversation) else { continue };
            let plan = plan(&kept.sight.facts.queue);
            let found = plan.map(|plan| kept.sight.assess(&plan, &is_there, now));
            let found = found.unwrap_or_default();
            let mut next = found.next;
            if found.due.is_empty() {
                kept.is_doubtful = false;
            } else {
                next = Some(next.map_or(now + AGAIN, |next| next.min(now + AGAIN)));
                let due = if kept.is_doubtful { vec![Due::Look] } else { found.due };
                kept.is_doubtful = true;
                all.push((conversation, due));
            }
            let abandoned = kept.sight.facts.watch.abandoned_at;
            let is_closed = kept.sight.facts.stage == Stage::Closed;
            if is_closed && (next.is_none() || abandoned.is_none_or(|at| now >= at + TRIED_FOR)) {
                self.forget(conversation);
            } else {
                self.at(conversation, next);
            }
        }
        all
    }

    /// When something may be due.
    pub fn next(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(at, _)| *at)
    }

    fn at(&mut self, conversation: ConversationId, next: Option<Timestamp>) {
        let Some(kept) = self.kept.get_mut(&conversation) else { return };
        if let Some(before) = std::mem::replace(&mut kept.next, next) {
            self.by_time.remove(&(before, conversation));
        }
        self.by_time.extend(next.map(|at| (at, conversation)));
    }
}

/// Whether nothing can be due for it any more.
fn is_over(summary: &Summary) -> bool {
    let facts = Facts::of(summary);
    facts.stage == Stage::Closed && facts.watch.abandoned_at.is_none()
}
