//! Counts the agents for the metrics, after changes, at most once a second.

use super::metrics;
use frontdesk_cluster::PresenceGroup;
use frontdesk_core::presence::{AgentStatus, AgentView, PresenceState};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// Counting goes over all agents: 100,000 take about a millisecond.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs until the group's news end or the task is aborted.
pub(crate) async fn run(group: PresenceGroup) {
    let mut changes = group.agent_changes();
    loop {
        group.view(count);
        match changes.recv().await {
            // What else has changed meanwhile is counted along.
            Ok(_) | Err(RecvError::Lagged(_)) => tokio::time::sleep(PAUSE).await,
            Err(RecvError::Closed) => return,
        }
        changes = changes.resubscribe();
    }
}

fn count(state: &PresenceState) {
    let (mut online, mut busy, mut away, mut offline) = (0, 0, 0, 0);
    let (mut taken, mut capacity) = (0u64, 0u64);
    for agent in state.agents() {
        taken += u64::from(agent.load);
        match agent.status {
            AgentStatus::Online => {
                online += 1;
                capacity += slots_of(agent);
            }
            AgentStatus::Busy => busy += 1,
            AgentStatus::Away => away += 1,
            AgentStatus::Offline => offline += 1,
        }
    }
    metrics::agents("online", online);
    metrics::agents("busy", busy);
    metrics::agents("away", away);
    metrics::agents("offline", offline);
    metrics::slots(taken, capacity);
}

fn slots_of(agent: &Arc<AgentView>) -> u64 {
    u64::from(agent.profile.capacity)
}
