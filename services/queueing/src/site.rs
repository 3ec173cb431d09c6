//! One site within its group: its queues, who is there to serve them, and whom they do
//! not serve.

use crate::push::{self, Pushes};
use crate::turning::Away;
use crate::waits::Waits;
use frontdesk_core::hours::{Hours, Opening};
use frontdesk_core::ids::{AgentId, ConversationId, QueueId};
use frontdesk_core::presence::AgentView;
use frontdesk_core::queue::{Board, Crew, Estimate, OrderKey, Pool, Standing, Vigil};
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::{QueueConfig, QueueKey, QueuePosition, QueueView, SiteConfig};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

#[derive(Default)]
pub(crate) struct Site {
    pub(crate) board: Board,
    /// For whom an alarm may come to be due.
    pub(crate) vigil: Vigil,
    agents: HashMap<AgentId, Arc<AgentView>>,
    /// The room of `agents`.
    crew: Crew,
    pub(crate) config: Option<Arc<SiteConfig>>,
    pub(crate) pushes: Pushes,
    /// Not before this is anyone told again.
    pub(crate) next_push: Option<Instant>,
    /// Then it is to be looked whom the queues do not serve.
    pub(crate) next_look: Option<Instant>,
    /// Then it is to be looked which alarms are due.
    pub(crate) next_watch: Option<Instant>,
    /// Between two looks at whom the queues do not serve; longer where that takes long.
    pub(crate) look_pause: Duration,
}

/// Whom the queues of a site do not serve.
#[derive(Default)]
pub(crate) struct Unserving {
    pub(crate) away: Vec<(QueueId, Away)>,
    /// When time alone may change it, or open or close a queue in which anybody waits.
    pub(crate) due: Option<Timestamp>,
}

impl Site {
    /// Takes news of an agent; false when it is old.
    pub(crate) fn note_agent(&mut self, view: Arc<AgentView>) -> bool {
        let known = self.agents.get(&view.id);
        if known.is_some_and(|known| known.revision >= view.revision) {
            return false;
        }
        self.crew.replace(known.map(Arc::as_ref), &view);
        self.agents.insert(view.id, view);
        true
    }

    pub(crate) fn agent(&self, agent: AgentId) -> Option<&AgentView> {
        self.agents.get(&agent).map(Arc::as_ref)
    }

    pub(crate) fn agents(&self) -> impl Iterator<Item = &AgentView> {
        self.agents.values().map(Arc::as_ref)
    }

    pub(crate) fn configured(&self, queue: &QueueId) -> Option<&QueueConfig> {
        self.config.as_ref()?.queue(queue)
    }

    pub(crate) fn hours(&self, queue: &QueueConfig) -> Option<&Hours> {
        self.config.as_ref()?.hours(queue).map(Arc::as_ref)
    }

    fn opens_at(&self, queue: &QueueId, now: Timestamp) -> Option<Timestamp> {
        let hours = self.configured(queue).and_then(|config| self.hours(config))?;
        match hours.opening(now) {
            Opening::Closed { until } => until,
            Opening::Open { .. } => None,
        }
    }

    /// Queues in which anybody waits, and some more, with the room for their chats.
    fn pool(&self, more: impl IntoIterator<Item = QueueId>) -> (Vec<QueueId>, Pool) {
        let mut queues: Vec<QueueId> = self.board.active().cloned().collect();
        queues.extend(more);
        queues.sort_unstable();
        queues.dedup();
        let weight = |queue: &QueueId| self.configured(queue).map_or(1, |config| config.weight);
        let weighted: Vec<_> = queues.iter().map(|q| (q.clone(), weight(q))).collect();
        (queues, Pool::of(&weighted, &self.crew))
    }

    /// How many go before a place, in each of some queues.
    fn ahead(&self, queues: &[QueueId], place: &OrderKey) -> Vec<u32> {
        queues.iter().map(|queue| self.board.ahead(queue, place)).collect()
    }

    /// Where a conversation waits.
    pub(crate) fn standing(
        &self,
        conversation: ConversationId,
        now: Timestamp,
    ) -> Option<QueuePosition> {
        let (queue, position) = self.board.position(conversation)?;
        let place = self.board.place_of(conversation)?;
        let (queues, pool) = self.pool([queue.clone()]);
        let ahead = self.ahead(&queues, &place);
        let mut waits = Waits::new(self, &pool, now);
        let placed = self.board.placed(conversation)?;
        let steps = waits.steps(queue, &placed.entry);
        if !steps.is_empty() {
            waits.pass(queue, &place, self.board.ahead(queue, &place));
        }
        let estimate = waits.estimate(queue, placed.standing, &ahead, &steps);
        let opens_at = self.opens_at(queue, now);
        Some(told(position, estimate, pool.agents(queue), opens_at))
    }

    /// Whom the queues do not serve at a moment.
    pub(crate) fn unserving(&self, now: Timestamp) -> Unserving {
        let mut all = Unserving::default();
        let queues = self.config.iter().flat_map(|config| &config.queues);
        let is_limited = |queue: &&QueueConfig| queue.hours.is_some() || !queue.limits.is_none();
        for queue in queues.filter(is_limited) {
            if self.board.line(&queue.id).next().is_none() {
                continue;
            }
            let hours = self.hours(queue);
            let found = self.board.turned_away(&queue.id, &queue.limits, hours, now);
            let change = hours.and_then(|hours| match hours.opening(now) {
                Opening::Open { until } | Opening::Closed { until } => until,
            });
            all.due = [all.due, found.due, change].into_iter().flatten().min();
            let opens_at = found.opens_at;
            all.away.extend(found.entries.into_iter().map(|(conversation, why, instead)| {
                (queue.id.clone(), Away { conversation, why, instead, opens_at })
            }));
        }
        all
    }

    /// Everyone who waits, in one walk through all queues in the order of the scores.
    pub(crate) fn everyone(&self, now: Timestamp) -> Vec<(ConversationId, QueuePosition)> {
        let (queues, pool) = self.pool([]);
        let mut placed = Vec::new();
        for (i, queue) in queues.iter().enumerate() {
            placed.extend(self.board.line(queue).zip(1_u32..).map(|(p, at)| (i, p, at)));
        }
        placed.sort_unstable_by_key(|(_, placed, _)| placed.entry.order_key());
        let opens: Vec<_> = queues.iter().map(|queue| self.opens_at(queue, now)).collect();
        let mut ahead = vec![0; queues.len()];
        let mut waits = Waits::new(self, &pool, now);
        let mut all = Vec::with_capacity(placed.len());
        for (i, placed, position) in placed {
            let queue = &queues[i];
            let steps = waits.steps(queue, &placed.entry);
            let estimate = waits.estimate(queue, placed.standing, &ahead, &steps);
            waits.count(placed.standing, &steps);
            let position = told(position, estimate, pool.agents(queue), opens[i]);
            all.push((placed.entry.conversation, position));
            ahead[i] += u32::from(placed.standing == Standing::Waiting);
        }
        all
    }

    /// The configured queues.
    pub(crate) fn views(&self, config: &SiteConfig, now: Timestamp) -> Vec<QueueView> {
        let (queues, pool) = self.pool(config.queues.iter().map(|queue| queue.id.clone()));
        let view = |queue: &QueueConfig| {
            let counts = self.board.counts(&queue.id);
            let place = OrderKey::of_newcomer(now, queue.priority_minutes);
            let mut ahead = self.ahead(&queues, &place);
            // All of its own, even one that another clock says is yet to come.
            for (_, own) in queues.iter().zip(&mut ahead).filter(|(id, _)| **id == queue.id) {
                *own = counts.waiting;
            }
            let (behind, slots) = (pool.behind(&queue.id, &ahead), pool.slots(&queue.id));
            let estimate = self.board.estimate(&queue.id, behind, slots, now);
            QueueView {
                queue: QueueKey { site: config.id.clone(), queue: queue.id.clone() },
                waiting: counts.waiting,
                offered: counts.offered,
                oldest_since: counts.oldest_since,
                estimated_wait: estimate.map(|e| push::told_estimate(e.mean)),
                agents_online: pool.agents(&queue.id),
                assigned: self.board.assigned(&queue.id),
                estimated_wait_upper: estimate.map(|e| push::told_estimate(e.upper)),
            }
        };
        config.queues.iter().map(view).collect()
    }
}

fn told(
    position: u32,
    estimate: Option<Estimate>,
    agents: u32,
    opens_at: Option<Timestamp>,
) -> QueuePosition {
    QueuePosition {
        position,
        estimated_wait: estimate.map(|e| push::told_estimate(e.mean)),
        agents_online: agents > 0,
        opens_at,
        estimated_wait_upper: estimate.map(|e| push::told_estimate(e.upper)),
    }
}
