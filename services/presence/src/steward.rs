//! Looks after nodes and placement, on the leader only: proposes that silent nodes
//! are dead, that shards go where they should be, and that a half-done change of
//! who votes is finished. What should be is decided in `core`.

use frontdesk_cluster::{Clock, PresenceGroup};
use frontdesk_core::presence::{Action, Refusal, Reply, RequestId, plan};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

/// How often the nodes are looked at: a twelfth of their time to live.
const EVERY: Duration = Duration::from_millis(250);
/// After this many looks a change of who votes that still is half done is taken
/// for left behind.
const LOOKS_PER_CHANGE: u32 = 20;

/// Runs until the group ends or the task is aborted.
pub(crate) async fn run(group: PresenceGroup, clock: Arc<dyn Clock>, ttl: Duration) {
    let mut leading = group.leading();
    let mut looks = interval(EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut changing_for = 0;
    loop {
        if leading.wait_for(|leads| *leads).await.is_err() {
            return;
        }
        let mut members = group.member_changes();
        tokio::select! {
            _ = looks.tick() => {}
            // Who joins is given something to do at once.
            _ = members.changed() => {}
        }
        bury(&group, ttl).await;
        place(&group, &*clock).await;
        changing_for = if group.status().changing { changing_for + 1 } else { 0 };
        if changing_for > LOOKS_PER_CHANGE {
            changing_for = 0;
            if let Err(error) = group.finish_change().await {
                tracing::warn!(%error, "a change of who votes could not be finished");
            }
        }
    }
}

async fn bury(group: &PresenceGroup, ttl: Duration) {
    for node in group.silent(ttl) {
        tracing::warn!(%node, ?ttl, "a node has been silent for too long: it counts as dead");
        propose(group, Action::RemoveNode { node }).await;
    }
}

async fn place(group: &PresenceGroup, clock: &dyn Clock) {
    let now = clock.now();
    for action in group.view(|state| plan(state, now)) {
        match &action {
            Action::AssignShards { role, shards, node } => {
                tracing::info!(role = role.as_str(), shards = shards.len(), %node, "assigning");
            }
            Action::MoveShards { role, shards, to, .. } => {
                tracing::info!(role = role.as_str(), shards = shards.len(), %to, "moving");
            }
            _ => {}
        }
        propose(group, action).await;
    }
}

/// What fails is planned again at the next look.
async fn propose(group: &PresenceGroup, action: Action) {
    let name = action.name();
    let request = RequestId::from_uuid(Uuid::now_v7());
    match group.propose(request, action).await {
        Ok(Reply::Refused(Refusal::UnknownNode | Refusal::Draining)) => {
            tracing::debug!(action = name, "a node has gone since it was planned for");
        }
        Ok(Reply::Refused(refusal)) => tracing::warn!(action = name, %refusal, "not placed"),
        Ok(_) => {}
        Err(error) => tracing::warn!(action = name, %error, "not placed; trying again"),
    }
}
