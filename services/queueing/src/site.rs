//! One site within its group: its queues, who is there to serve them, and whom they do
//! not serve.

use crate::push::{self, Pushes};
use crate::turning::Away;
use frontdesk_core::hours::{Hours, Opening};
use frontdesk_core::ids::{AgentId, ConversationId, QueueId, SiteId};
use frontdesk_core::presence::{AgentStatus, AgentView};
use frontdesk_core::queue::{Board, Slots};
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::{QueueConfig, QueueKey, QueuePosition, QueueView, SiteConfig};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::time::Instant;

#[derive(Default)]
pub(crate) struct Site {
    pub(crate) board: Board,
    pub(crate) agents: HashMap<AgentId, Arc<AgentView>>,
    pub(crate) config: Option<Arc<SiteConfig>>,
    pub(crate) pushes: Pushes,
    /// Not before this is anyone told again.
    pub(crate) next_push: Option<Instant>,
    /// Then it is to be looked whom the queues do not serve.
    pub(crate) next_look: Option<Instant>,
}

/// Whom the queues of a site do not serve.
#[derive(Default)]
pub(crate) struct Unserving {
    pub(crate) away: Vec<(QueueId, Away)>,
    /// When time alone may change it, or open or close a queue in which anybody waits.
    pub(crate) due: Option<Timestamp>,
}

/// Room for a queue's chats, and how many agents make it.
pub(crate) struct Room {
    slots: Slots,
    agents: u32,
    opens_at: Option<Timestamp>,
}

impl Site {
    fn configured(&self, queue: &QueueId) -> Option<&QueueConfig> {
        self.config.as_ref()?.queue(queue)
    }

    fn hours(&self, queue: &QueueConfig) -> Option<&Hours> {
        self.config.as_ref()?.hours(queue).map(Arc::as_ref)
    }

    pub(crate) fn room(&self, queue: &QueueId, now: Timestamp) -> Room {
        let config = self.configured(queue);
        let weight = config.map_or(1, |config| config.weight).max(1);
        let opens_at = config.and_then(|config| self.hours(config)).and_then(|hours| {
            match hours.opening(now) {
                Opening::Closed { until } => until,
                Opening::Open { .. } => None,
            }
        });
        let mut room = Room { slots: Slots::default(), agents: 0, opens_at };
        for agent in self.agents.values() {
            let online = agent.status == AgentStatus::Online && !agent.gateways.is_empty();
            if online && agent.serves(queue) {
                room.agents += 1;
                room.slots.online += agent.profile.capacity / weight;
                room.slots.free += agent.free() / weight;
            }
        }
        room
    }

    pub(crate) fn standing(&self, queue: &QueueId, position: u32, room: &Room) -> QueuePosition {
        let estimate = self.board.estimate(queue, position, room.slots);
        QueuePosition {
            position,
            estimated_wait: estimate.map(push::told_estimate),
            agents_online: room.agents > 0,
            opens_at: room.opens_at,
        }
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

    pub(crate) fn everyone(&self, now: Timestamp) -> Vec<(ConversationId, QueuePosition)> {
        let mut all = Vec::new();
        for queue in self.board.active() {
            let room = self.room(queue, now);
            let placed = self.board.line(queue).zip(1..);
            all.extend(placed.map(|(placed, position)| {
                (placed.entry.conversation, self.standing(queue, position, &room))
            }));
        }
        all
    }

    /// With so many of its conversations with agents.
    pub(crate) fn view(
        &self,
        site: &SiteId,
        queue: &QueueId,
        assigned: u32,
        now: Timestamp,
    ) -> QueueView {
        let counts = self.board.counts(queue);
        let room = self.room(queue, now);
        let last = counts.waiting + counts.offered + 1;
        QueueView {
            queue: QueueKey { site: site.clone(), queue: queue.clone() },
            waiting: counts.waiting,
            offered: counts.offered,
            oldest_since: counts.oldest_since,
            estimated_wait: self.board.estimate(queue, last, room.slots).map(push::told_estimate),
            agents_online: room.agents,
            assigned,
        }
    }
}
