//! What time-driven rules go by: since when something is so, and which alarms were raised
//! for it. Part of the state of a conversation, and the fold of its events.

use super::alarm::{ActionName, AlarmKind, RaisedAlarm};
use super::event::{Body, ClosedReason, Event, QueuedReason};
use super::limits::MAX_RAISED;
use super::state::{Conversation, Phase};
use super::summary::Summary;
use super::unserved::Reachable;
use crate::ids::QueueId;
use crate::party::Participant;
use crate::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};

/// A transfer that nobody has taken yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedOn {
    /// By whom.
    pub by: Participant,
    /// The queue in which that agent had it.
    pub queue: QueueId,
    /// When.
    pub at: Timestamp,
}

/// An alarm that was raised, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The alarm.
    pub alarm: RaisedAlarm,
    /// When it was raised.
    pub at: Timestamp,
}

/// Whether the visitor has a connection anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitorSeen {
    /// At least one.
    Here,
    /// None.
    Away {
        /// Since when, as far as the owner knows.
        since: Timestamp,
    },
}

/// What a conversation keeps for the rules of its queue. Absent in what earlier versions
/// say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Watch {
    /// Since when something the visitor said has no answer of the staff.
    pub unanswered_since: Option<Timestamp>,
    /// When the visitor gave up, or was lost, before an agent had it.
    pub abandoned_at: Option<Timestamp>,
    /// By whom it was handed on, while nobody has taken it.
    pub handed_on: Option<Box<HandedOn>>,
    /// The last that the visitor did.
    pub visitor_at: Timestamp,
    /// An agent has had it since it began to wait.
    pub served: bool,
    /// Alarms of what is still so; the oldest first.
    pub raised: Vec<Remembered>,
    /// Who is connected is no event: only an owner who is asked says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visitor: Option<VisitorSeen>,
}

impl Watch {
    fn keep(&mut self, alarm: &RaisedAlarm, at: Timestamp) {
        if self.raised.len() == MAX_RAISED {
            self.raised.remove(0);
        }
        self.raised.push(Remembered { alarm: alarm.clone(), at });
    }

    fn is_over(&mut self, kind: AlarmKind) {
        self.raised.retain(|raised| raised.alarm.kind != kind);
    }
}

/// Where a conversation stands, without who has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Free to be matched.
    Waiting,
    /// An agent is being asked.
    Offered,
    /// An agent has it.
    Assigned {
        /// Since when.
        since: Timestamp,
    },
    /// It has ended.
    Closed,
}

/// All that alarms depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Where it stands.
    pub stage: Stage,
    /// Its queue.
    pub queue: QueueId,
    /// When it began to wait.
    pub waiting_since: Timestamp,
    /// When it came to its queue.
    pub arrived_at: Timestamp,
    /// Whether its visitor may be reached when gone.
    pub reachable: Reachable,
    /// The rest.
    pub watch: Watch,
}

impl Facts {
    /// Those of a conversation.
    pub fn of(summary: &Summary) -> Self {
        Self {
            stage: match &summary.phase {
                Phase::Waiting => Stage::Waiting,
                Phase::Offered(_) => Stage::Offered,
                Phase::Assigned { since, .. } => Stage::Assigned { since: *since },
                Phase::Closed { .. } => Stage::Closed,
            },
            queue: summary.queue.clone(),
            waiting_since: summary.waiting_since,
            arrived_at: summary.arrival.map_or(summary.waiting_since, |arrival| arrival.at),
            reachable: summary.reachable,
            watch: summary.watch.clone(),
        }
    }

    /// Since when that is so which an alarm of this kind is about; `None` when it is not.
    pub fn since(&self, kind: AlarmKind) -> Option<Timestamp> {
        match (kind, self.stage) {
            (AlarmKind::Late, Stage::Waiting | Stage::Offered) => Some(self.waiting_since),
            (AlarmKind::LongWait, Stage::Waiting | Stage::Offered) => Some(self.arrived_at),
            // What was said before an agent was there is not that agent's delay.
            (AlarmKind::Unanswered, Stage::Assigned { since }) => {
                self.watch.unanswered_since.map(|said| said.max(since))
            }
            (AlarmKind::Abandoned, Stage::Closed) => self.watch.abandoned_at,
            (AlarmKind::VisitorLost, Stage::Closed) => None,
            (AlarmKind::VisitorLost, _) => match self.watch.visitor {
                Some(VisitorSeen::Away { since }) => Some(since.max(self.watch.visitor_at)),
                Some(VisitorSeen::Here) | None => None,
            },
            _ => None,
        }
    }

    /// Whether a rule of this queue was acted on already.
    pub fn was_raised(&self, kind: AlarmKind, after: Millis, since: Timestamp) -> bool {
        self.watch.raised.iter().any(|Remembered { alarm, at }| {
            let is_same = match kind {
                // An absence that began before the alarm is the one it was raised for,
                // in whatever queue, and whatever a new owner knows of its beginning.
                AlarmKind::VisitorLost => *at >= since,
                _ => alarm.since == since && alarm.queue == self.queue,
            };
            alarm.kind == kind && alarm.after == after && is_same
        })
    }

    /// What supervisors are to be shown, each once.
    pub fn shown(&self) -> Vec<AlarmKind> {
        let is_on = |alarm: &RaisedAlarm| match (alarm.kind, self.stage) {
            (AlarmKind::Late | AlarmKind::LongWait, Stage::Waiting | Stage::Offered)
            | (AlarmKind::Unanswered, Stage::Assigned { .. })
            | (AlarmKind::Abandoned | AlarmKind::VisitorLost, _) => true,
            (AlarmKind::Late | AlarmKind::LongWait | AlarmKind::Unanswered, _) => false,
        };
        let alarms = self.watch.raised.iter().map(|raised| &raised.alarm);
        let shown = alarms.filter(|alarm| alarm.actions.contains(&ActionName::Notify));
        let mut kinds: Vec<AlarmKind> = shown.filter(|a| is_on(a)).map(|a| a.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }
}

impl Conversation {
    /// Alarms of what is still so.
    pub fn alarms_kept(&self) -> usize {
        self.watch.raised.len()
    }

    /// What an event means for the rules; called with the state before it.
    pub(super) fn keep_watch(&mut self, event: &Event) {
        let watch = &mut self.watch;
        let is_visitors = event.by.id == self.visitor.id;
        if is_visitors {
            watch.visitor_at = event.at;
            watch.is_over(AlarmKind::VisitorLost);
        }
        match &event.body {
            Body::Message { .. } if is_visitors => {
                watch.unanswered_since.get_or_insert(event.at);
            }
            Body::Message { .. } if event.by.agent_id().is_some() => {
                watch.unanswered_since = None;
                watch.is_over(AlarmKind::Unanswered);
            }
            Body::Assigned { .. } => {
                watch.served = true;
                watch.handed_on = None;
            }
            Body::Transferred { .. } => {
                let holder = self.phase.holder().cloned();
                let (queue, at) = (self.queue.clone(), event.at);
                watch.handed_on = holder.map(|by| Box::new(HandedOn { by, queue, at }));
            }
            Body::TransferReturned { .. } => watch.handed_on = None,
            Body::Closed { reason } => {
                watch.unanswered_since = None;
                watch.handed_on = None;
                let gave_up = matches!(reason, ClosedReason::ByVisitor | ClosedReason::VisitorLost);
                watch.abandoned_at = (gave_up && !watch.served).then_some(event.at);
            }
            Body::Reopened | Body::Queued { reason: QueuedReason::ContactLeft, .. } => {
                **watch = Watch { visitor_at: watch.visitor_at, ..Watch::default() };
            }
            Body::AlarmRaised(alarm) => watch.keep(alarm, event.at),
            _ => {}
        }
    }
}
