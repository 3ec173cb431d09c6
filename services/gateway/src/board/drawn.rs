//! A board as it is drawn from what the roles say: no clock, nobody asked. Bounded,
//! whatever the site's size.

use super::today::Day;
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::QueueId;
use frontdesk_core::party::Audience;
use frontdesk_core::presence::{AgentStatus, AgentView, Hold};
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::{QueueConfig, QueueView, SiteConfig};
use frontdesk_proto::convert::{
    agent_view_to_proto, queue_view_to_proto, summary_to_state, timestamp_to_proto,
};
use frontdesk_proto::v1;
use prost::Message as _;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

/// Conversations on a board.
pub(super) const MAX_CONVERSATIONS: usize = 500;
/// Agents on a board; those who are there come first.
const MAX_AGENTS: usize = 2_000;
/// Bytes of a board: thrice that as JSON stays below an outbox's hard limit. 500
/// conversations of 300 bytes and 2,000 agents of 130 are 410 KB.
const MAX_BYTES: usize = 512 * 1024;

/// What the roles say of a site.
pub(super) struct Seen {
    pub(super) at: Timestamp,
    pub(super) config: Arc<SiteConfig>,
    pub(super) queues: Vec<QueueView>,
    pub(super) agents: Vec<Arc<AgentView>>,
    /// The longest wait first; one more than are shown when there are others.
    pub(super) waiting: Vec<Summary>,
    /// The newest activity first; one more than are shown when there are others.
    pub(super) assigned: Vec<Summary>,
    pub(super) today: Arc<HashMap<QueueId, Day>>,
}

/// The board.
pub(super) fn board(seen: Seen) -> v1::BoardPush {
    let queues = seen.queues.iter().map(|view| queue(view, &seen)).collect();
    let (conversations, more_conversations) = conversations(&seen.waiting, &seen.assigned);
    let mut board = v1::BoardPush {
        at: Some(timestamp_to_proto(seen.at)),
        queues,
        agents: agents(seen.agents),
        conversations,
        more_conversations,
    };
    while board.encoded_len() > MAX_BYTES && !board.conversations.is_empty() {
        board.conversations.truncate(board.conversations.len() / 2);
        board.more_conversations = true;
    }
    while board.encoded_len() > MAX_BYTES && !board.agents.is_empty() {
        board.agents.truncate(board.agents.len() / 2);
    }
    board
}

fn queue(view: &QueueView, seen: &Seen) -> v1::BoardQueue {
    let id = &view.queue.queue;
    let config = seen.config.queue(id);
    let hours = config.and_then(|config| seen.config.hours(config));
    let today = seen.today.get(id).copied().unwrap_or_default();
    let with = |status: AgentStatus| {
        let there = |agent: &&Arc<AgentView>| is_there(agent) && agent.status == status;
        small(seen.agents.iter().filter(there).filter(|agent| agent.serves(id)).count())
    };
    v1::BoardQueue {
        state: Some(queue_view_to_proto(view)),
        assigned: view.assigned,
        agents_online: with(AgentStatus::Online),
        agents_busy: with(AgentStatus::Busy),
        agents_away: with(AgentStatus::Away),
        free_slots: free_slots(id, config, &seen.agents),
        open: hours.is_none_or(|hours| hours.is_open(seen.at)),
        service_level: today.service_level(),
        arrivals: today.arrivals,
        served: today.served,
        abandoned: today.abandoned,
    }
}

fn is_there(agent: &AgentView) -> bool {
    agent.status != AgentStatus::Offline && !agent.gateways.is_empty()
}

/// Chats of a queue that its agents could take.
fn free_slots(id: &QueueId, config: Option<&QueueConfig>, agents: &[Arc<AgentView>]) -> u32 {
    let rules = config.map(|config| config.rules.clone()).unwrap_or_default();
    let weight = config.map_or(1, |config| config.weight);
    rules.free_slots(id, weight, agents.iter().map(Arc::as_ref))
}

/// Those who are there first, then by name.
fn agents(mut agents: Vec<Arc<AgentView>>) -> Vec<v1::BoardAgent> {
    agents.sort_by_key(|agent| {
        let there = agent.status != AgentStatus::Offline;
        (Reverse(there), agent.profile.name.clone(), agent.id)
    });
    agents.truncate(MAX_AGENTS);
    let has =
        |agent: &AgentView| agent.reservations.iter().filter(|r| r.hold == Hold::Active).count();
    let drawn = agents.iter().map(|agent| v1::BoardAgent {
        state: Some(agent_view_to_proto(agent)),
        conversations: small(has(agent)),
    });
    drawn.collect()
}

/// Each kind gets at least half of the room when there are as many; with whether there
/// are others.
fn conversations(waiting: &[Summary], assigned: &[Summary]) -> (Vec<v1::ConversationState>, bool) {
    let for_waiting = MAX_CONVERSATIONS - assigned.len().min(MAX_CONVERSATIONS / 2);
    let waits = waiting.len().min(for_waiting);
    let shown = assigned.len().min(MAX_CONVERSATIONS - waits);
    let more = waits < waiting.len() || shown < assigned.len();
    let waiting = waiting[..waits].iter().map(|summary| v1::ConversationState {
        waiting_since: Some(timestamp_to_proto(summary.waiting_since)),
        ..conversation(summary)
    });
    (waiting.chain(assigned[..shown].iter().map(conversation)).collect(), more)
}

fn conversation(summary: &Summary) -> v1::ConversationState {
    let attributes = HashMap::new();
    v1::ConversationState { attributes, ..summary_to_state(summary, Audience::Internal) }
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
