//! Which alarms of a queue are due for a conversation, and when to look again. What only
//! the conversation's owner knows (an answer, a connection) is asked for before it is
//! acted on, and never more often than it could matter.

use super::limits::waited;
use crate::conversation::{
    Alarm, AlarmAction, AlarmKind, Facts, Reachable, Stage, Summary, VisitorSeen,
};
use crate::hours::{Hours, Opening};
use crate::ids::{AgentId, QueueId};
use crate::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};

/// Before it is looked again whether the agent who handed one on is there.
const AGENT_AGAIN: Millis = Millis::from_secs(15);

/// What a queue does when something has been so for long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmRule {
    /// What it is about.
    pub on: AlarmKind,
    /// How long it may be so; of no use for `Late`, which goes by the queue's aim, and
    /// for `Abandoned`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Millis>,
    /// What to do, in this order.
    pub actions: Vec<AlarmAction>,
}

impl AlarmRule {
    /// The queue it sends conversations to.
    pub fn elsewhere(&self) -> Option<&QueueId> {
        self.actions.iter().find_map(|action| match action {
            AlarmAction::Queue(queue) => Some(queue),
            _ => None,
        })
    }
}

/// What a queue's configuration says of alarms.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// Its rules.
    pub rules: &'a [AlarmRule],
    /// Within what one is to be served.
    pub answer_within: Option<Millis>,
    /// How long a transfer may wait to be taken.
    pub transfer_return: Option<Millis>,
    /// When somebody is there; `None`: always.
    pub hours: Option<&'a Hours>,
}

impl Plan<'_> {
    fn after(&self, rule: &AlarmRule) -> Option<Millis> {
        match rule.on {
            AlarmKind::Late => self.answer_within,
            AlarmKind::Abandoned => Some(Millis::ZERO),
            AlarmKind::LongWait | AlarmKind::Unanswered | AlarmKind::VisitorLost => rule.after,
        }
    }

    /// When it has been so for long enough, by the hours; `None`: it is now. One that
    /// closes before is asked again when that is due.
    fn due(&self, since: Timestamp, after: Millis, now: Timestamp) -> Option<Timestamp> {
        let left = after.saturating_sub(waited(self.hours, since, now));
        if left == Millis::ZERO {
            return None;
        }
        let open_from = match self.hours.map(|hours| hours.opening(now)) {
            None | Some(Opening::Open { .. }) => now,
            Some(Opening::Closed { until: Some(until) }) => until,
            // Never again, as far as is known: asked again some day.
            Some(Opening::Closed { until: None }) => now + Millis::from_mins(24 * 60),
        };
        Some(open_from + left)
    }
}

/// What is known of one conversation, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// How it is, as far as is known.
    pub facts: Facts,
    /// So it was at this time.
    pub fresh_at: Timestamp,
    /// When it was heard of first.
    pub first_at: Timestamp,
    /// When its owner was asked last who is connected.
    pub looked_at: Option<Timestamp>,
}

impl Sight {
    /// As first heard of.
    pub fn new(summary: &Summary, now: Timestamp) -> Self {
        let facts = Facts::of(summary);
        Self { facts, fresh_at: summary.last_at, first_at: now, looked_at: None }
    }
}

/// What is to be done about a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// Raise this.
    Raise(Alarm),
    /// Nobody took the transfer of then: give it back.
    Return {
        /// When it was handed on.
        handed_on_at: Timestamp,
    },
    /// Ask its owner how it is.
    Look,
}

/// What one conversation calls for at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assessment {
    /// To be done now; in it at most one look.
    pub due: Vec<Due>,
    /// When time alone may change it.
    pub next: Option<Timestamp>,
}

impl Assessment {
    fn wait_until(&mut self, at: Timestamp) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }

    fn look(&mut self) {
        if !self.due.contains(&Due::Look) {
            self.due.push(Due::Look);
        }
    }
}

impl Sight {
    /// What it calls for. `is_there` says whether an agent could take it now.
    pub fn assess(
        &self,
        plan: &Plan<'_>,
        is_there: impl Fn(AgentId) -> bool,
        now: Timestamp,
    ) -> Assessment {
        let mut all = Assessment::default();
        for rule in plan.rules {
            let Some(after) = plan.after(rule) else { continue };
            match rule.on {
                AlarmKind::Late | AlarmKind::LongWait | AlarmKind::Abandoned => {
                    self.by_facts(rule, after, plan, now, &mut all);
                }
                AlarmKind::Unanswered => self.unanswered(rule, after, plan, now, &mut all),
                AlarmKind::VisitorLost => self.visitor_lost(rule, after, now, &mut all),
            }
        }
        self.transfer(plan, is_there, now, &mut all);
        all
    }

    fn raise(&self, rule: &AlarmRule, after: Millis, since: Timestamp, all: &mut Assessment) {
        let (queue, actions) = (self.facts.queue.clone(), rule.actions.clone());
        all.due.push(Due::Raise(Alarm { kind: rule.on, queue, after, since, actions }));
    }

    /// What news alone can end.
    fn by_facts(
        &self,
        rule: &AlarmRule,
        after: Millis,
        plan: &Plan<'_>,
        now: Timestamp,
        all: &mut Assessment,
    ) {
        let Some(since) = self.facts.since(rule.on) else { return };
        if self.facts.was_raised(rule.on, after, since) || !self.facts.allows(&rule.actions) {
            return;
        }
        match plan.due(since, after, now) {
            Some(due) => all.wait_until(due),
            None => self.raise(rule, after, since, all),
        }
    }

    /// Messages are no news: what was unanswered may have been answered since, and the
    /// other way round.
    fn unanswered(
        &self,
        rule: &AlarmRule,
        after: Millis,
        plan: &Plan<'_>,
        now: Timestamp,
        all: &mut Assessment,
    ) {
        let Stage::Assigned { since: assigned_at } = self.facts.stage else { return };
        let since = self.facts.since(rule.on);
        let is_raised = since.is_some_and(|s| self.facts.was_raised(rule.on, after, s));
        // Nothing that is not known of can have been said before this was seen.
        let from = since.filter(|_| !is_raised).unwrap_or(self.fresh_at.max(assigned_at));
        match (plan.due(from, after, now), since.filter(|_| !is_raised)) {
            (Some(due), _) => all.wait_until(due),
            (None, Some(since)) if plan.due(since, after, self.fresh_at).is_none() => {
                self.raise(rule, after, since, all);
            }
            (None, _) => all.look(),
        }
    }

    fn visitor_lost(&self, rule: &AlarmRule, after: Millis, now: Timestamp, all: &mut Assessment) {
        let facts = &self.facts;
        let ends = rule.actions.contains(&AlarmAction::Close);
        if facts.stage == Stage::Closed || ends && facts.reachable != Reachable::Unknown {
            return;
        }
        let since = facts.since(rule.on);
        let is_raised = since.is_some_and(|since| facts.was_raised(rule.on, after, since));
        let known_at = self.looked_at.unwrap_or(self.first_at);
        let from = match facts.watch.visitor {
            Some(VisitorSeen::Away { .. }) if !is_raised => since.unwrap_or(known_at),
            Some(_) | None => known_at,
        };
        let due = from + after;
        match since.filter(|_| !is_raised) {
            _ if now < due => all.wait_until(due),
            Some(since) if self.looked_at.is_some_and(|at| at >= due) => {
                self.raise(rule, after, since, all);
            }
            _ => all.look(),
        }
    }

    fn transfer(
        &self,
        plan: &Plan<'_>,
        is_there: impl Fn(AgentId) -> bool,
        now: Timestamp,
        all: &mut Assessment,
    ) {
        let (Some(handed_on), Some(after)) = (&self.facts.watch.handed_on, plan.transfer_return)
        else {
            return;
        };
        let due = handed_on.at + after;
        if self.facts.stage != Stage::Waiting {
            return;
        }
        if now < due {
            all.wait_until(due);
        } else if handed_on.by.agent_id().is_some_and(is_there) {
            all.due.push(Due::Return { handed_on_at: handed_on.at });
        } else {
            all.wait_until(now + AGENT_AGAIN);
        }
    }
}
