//! One site within its group: its queues, and who is there to serve them.

use crate::push::{self, Pushes};
use frontdesk_core::ids::{AgentId, ConversationId, QueueId};
use frontdesk_core::presence::{AgentStatus, AgentView};
use frontdesk_core::queue::{Board, Slots};
use frontdesk_proto::api::{QueueKey, QueuePosition, QueueView, SiteConfig};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::time::Instant;

#[derive(Default)]
pub(crate) struct Site {
    pub(crate) board: Board,
    pub(crate) agents: HashMap<AgentId, Arc<AgentView>>,
    pub(crate) weights: HashMap<QueueId, u32>,
    pub(crate) pushes: Pushes,
    /// Not before this is anyone told again.
    pub(crate) next_push: Option<Instant>,
}

/// Room for a queue's chats, and how many agents make it.
pub(crate) struct Room {
    slots: Slots,
    agents: u32,
}

impl Site {
    pub(crate) fn weight(&self, queue: &QueueId) -> u32 {
        self.weights.get(queue).copied().unwrap_or(1)
    }

    pub(crate) fn room(&self, queue: &QueueId, weight: u32) -> Room {
        let weight = weight.max(1);
        let mut room = Room { slots: Slots::default(), agents: 0 };
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
        }
    }

    pub(crate) fn everyone(&self) -> Vec<(ConversationId, QueuePosition)> {
        let mut all = Vec::new();
        for queue in self.board.active() {
            let room = self.room(queue, self.weight(queue));
            let placed = self.board.line(queue).zip(1..);
            all.extend(placed.map(|(placed, position)| {
                (placed.entry.conversation, self.standing(queue, position, &room))
            }));
        }
        all
    }

    pub(crate) fn view(&self, config: &SiteConfig, queue: &QueueId, weight: u32) -> QueueView {
        let counts = self.board.counts(queue);
        let room = self.room(queue, weight);
        let last = counts.waiting + counts.offered + 1;
        QueueView {
            queue: QueueKey { site: config.id.clone(), queue: queue.clone() },
            waiting: counts.waiting,
            offered: counts.offered,
            oldest_since: counts.oldest_since,
            estimated_wait: self.board.estimate(queue, last, room.slots).map(push::told_estimate),
            agents_online: room.agents,
        }
    }
}
