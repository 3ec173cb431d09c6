//! Alarms: what a queue's configuration has done to a conversation that time has come
//! for. Each is raised at most once in what it is about, in one append with all that it
//! does, and none but that of abandonment on a conversation that has ended.

use super::command::Reject;
use super::decide::ended;
use super::event::{Body, ClosedReason, OfferOutcome, QueuedReason};
use super::limits::MAX_EXTRA_MINUTES;
use super::state::{Conversation, Phase};
use super::unserved::Reachable;
use super::watch::{Facts, Stage};
use crate::ids::{ClientMsgId, QueueId};
use crate::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What an alarm is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// It waits longer than its queue aims at.
    Late,
    /// It has waited so long in its queue.
    LongWait,
    /// What the visitor said to its agent has had no answer for so long.
    Unanswered,
    /// The visitor ended it, or was lost, before an agent had it.
    Abandoned,
    /// The visitor has been without any connection for so long.
    VisitorLost,
}

impl AlarmKind {
    /// In one word, for metrics and people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::LongWait => "long_wait",
            Self::Unanswered => "unanswered",
            Self::Abandoned => "abandoned",
            Self::VisitorLost => "visitor_lost",
        }
    }
}

/// What an alarm does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmAction {
    /// So many minutes of waiting more count for it.
    Priority(u32),
    /// It waits in another queue, with the same clock.
    Queue(QueueId),
    /// Supervisors are shown it.
    Notify,
    /// The visitor is told something.
    Message(Texts),
    /// It ends.
    Close,
}

/// The kind of an action, as the event names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionName {
    /// `AlarmAction::Priority`.
    Priority,
    /// `AlarmAction::Queue`.
    Queue,
    /// `AlarmAction::Notify`.
    Notify,
    /// `AlarmAction::Message`.
    Message,
    /// `AlarmAction::Close`.
    Close,
}

impl ActionName {
    /// All there are.
    pub const ALL: [Self; 5] =
        [Self::Priority, Self::Queue, Self::Notify, Self::Message, Self::Close];

    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Priority => "priority",
            Self::Queue => "queue",
            Self::Notify => "notify",
            Self::Message => "message",
            Self::Close => "close",
        }
    }
}

impl AlarmAction {
    /// Its kind.
    pub const fn name(&self) -> ActionName {
        match self {
            Self::Priority(_) => ActionName::Priority,
            Self::Queue(_) => ActionName::Queue,
            Self::Notify => ActionName::Notify,
            Self::Message(_) => ActionName::Message,
            Self::Close => ActionName::Close,
        }
    }
}

/// The same words in several languages, by BCP 47 tag. At least one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Texts(BTreeMap<Arc<str>, Arc<str>>);

impl Texts {
    /// `None` without any.
    pub fn new(texts: BTreeMap<Arc<str>, Arc<str>>) -> Option<Self> {
        (!texts.is_empty()).then_some(Self(texts))
    }

    /// All of them, by tag.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(tag, text)| (&**tag, &**text))
    }

    /// The words for a reader of this language: those of the very tag, of its language,
    /// in English, or else the first.
    pub fn pick(&self, language: &str) -> Arc<str> {
        let primary = language.split('-').next().unwrap_or_default();
        let in_language = |wanted: &str| {
            self.0.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(wanted)).map(|(_, text)| text)
        };
        let found = [language, primary, "en"].into_iter().find_map(in_language);
        found.or_else(|| self.0.values().next()).cloned().unwrap_or_default()
    }
}

/// An alarm that queueing finds due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// What it is about.
    pub kind: AlarmKind,
    /// The queue whose rule it is; in another by now, nothing is done.
    pub queue: QueueId,
    /// How long it may be so; names the rule among several of a kind.
    pub after: Millis,
    /// Since when it is so; names what it is raised once for.
    pub since: Timestamp,
    /// What to do, in this order.
    pub actions: Vec<AlarmAction>,
}

/// An alarm as it was raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaisedAlarm {
    /// What it is about.
    pub kind: AlarmKind,
    /// The queue whose rule it was.
    pub queue: QueueId,
    /// How long it might have been so.
    pub after: Millis,
    /// Since when it was so.
    pub since: Timestamp,
    /// What was done with it.
    pub actions: Vec<ActionName>,
}

impl Facts {
    /// Whether an alarm is to be raised now.
    pub fn calls_for(&self, alarm: &Alarm, now: Timestamp) -> bool {
        let is_so = match alarm.kind {
            // Only the owner knows who is connected; what the visitor did since counts.
            AlarmKind::VisitorLost => {
                self.stage != Stage::Closed && alarm.since >= self.watch.visitor_at
            }
            kind => self.since(kind) == Some(alarm.since),
        };
        is_so
            && self.queue == alarm.queue
            && now >= alarm.since
            && now.since(alarm.since) >= alarm.after
            && !self.was_raised(alarm.kind, alarm.after, alarm.since)
            && self.allows(&alarm.actions)
    }

    /// Whether it may be moved or ended by an alarm as it stands.
    pub fn allows(&self, actions: &[AlarmAction]) -> bool {
        let does = |name: ActionName| actions.iter().any(|action| action.name() == name);
        // One whose visitor may be reached otherwise is not ended for being alone; and
        // whoever is being asked to take one is not made to lose it.
        !(does(ActionName::Close) && self.reachable != Reachable::Unknown
            || does(ActionName::Queue) && self.stage == Stage::Offered)
    }
}

impl Conversation {
    pub(super) fn alarm(&self, alarm: &Alarm, now: Timestamp) -> Result<Vec<Body>, Reject> {
        if !Facts::of(&self.summary()).calls_for(alarm, now) {
            return Ok(vec![]);
        }
        let actions = alarm.actions.iter().map(AlarmAction::name).collect();
        let Alarm { kind, queue, after, since, .. } = alarm.clone();
        let mut bodies =
            vec![Body::AlarmRaised(RaisedAlarm { kind, queue, after, since, actions })];
        let is_open = !self.is_closed();
        for (nth, action) in alarm.actions.iter().enumerate() {
            match action {
                AlarmAction::Notify => {}
                AlarmAction::Priority(minutes) if is_open => {
                    bodies.extend(self.raised_by(*minutes));
                }
                AlarmAction::Queue(to) if *to != self.queue && self.phase == Phase::Waiting => {
                    bodies.push(Body::Queued { queue: to.clone(), reason: QueuedReason::Alarm });
                }
                AlarmAction::Message(texts) if is_open => bodies.push(self.tell(nth, texts)?),
                AlarmAction::Close => bodies.extend(self.lose_visitor()),
                AlarmAction::Priority(_) | AlarmAction::Queue(_) | AlarmAction::Message(_) => {}
            }
        }
        Ok(bodies)
    }

    fn raised_by(&self, minutes: u32) -> Option<Body> {
        let more = i32::try_from(minutes).unwrap_or(i32::MAX);
        let minutes = self.extra_minutes.saturating_add(more).min(MAX_EXTRA_MINUTES);
        (minutes != self.extra_minutes).then_some(Body::PriorityChanged { minutes })
    }

    /// Under an id that no other message can have: an alarm's own place is its alone.
    fn tell(&self, nth: usize, texts: &Texts) -> Result<Body, Reject> {
        let id = format!("alarm-{}-{nth}", self.head.next());
        let client_msg_id: ClientMsgId =
            id.parse().map_err(|_| Reject::Invalid("the message's id cannot be made"))?;
        let text = texts.pick(&self.language);
        Ok(Body::Message { client_msg_id, text, attachments: Vec::new() })
    }

    fn lose_visitor(&self) -> Vec<Body> {
        let closed = Body::Closed { reason: ClosedReason::VisitorLost };
        match &self.phase {
            Phase::Closed { .. } => vec![],
            Phase::Offered(offer) => vec![ended(offer, OfferOutcome::Withdrawn, ""), closed],
            Phase::Waiting | Phase::Assigned { .. } => vec![closed],
        }
    }

    /// Nobody took it in time: it waits where it came from, for the agent who handed it on.
    pub(super) fn return_transfer(&self, handed_on_at: Timestamp) -> Vec<Body> {
        let from = self.watch.handed_on.as_ref();
        match (&self.phase, from.filter(|from| from.at == handed_on_at)) {
            (Phase::Waiting, Some(from)) => vec![
                Body::TransferReturned { to_agent: from.by.clone() },
                Body::Queued { queue: from.queue.clone(), reason: QueuedReason::TransferReturned },
            ],
            _ => vec![],
        }
    }
}
