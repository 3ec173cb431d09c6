//! Follows how this voter sees the group: for the metrics, and for who must act
//! only on the leader.

use super::liveness::Liveness;
use super::metrics;
use super::types::TypeConfig;
use frontdesk_telemetry::tasks;
use openraft::async_runtime::WatchReceiver;
use openraft::type_config::alias::WatchReceiverOf;
use openraft::{LogIdOptionExt, RaftMetrics};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Starts the task that follows. It ends when the group stops; then `false` is
/// the last thing told.
pub(crate) fn follow(
    mut seen: WatchReceiverOf<TypeConfig, RaftMetrics<TypeConfig>>,
    liveness: Arc<Liveness>,
) -> (watch::Receiver<bool>, JoinHandle<()>) {
    let (leads, leading) = watch::channel(false);
    // Owned by the group, which awaits its end in `shutdown`.
    let task = tasks::spawn("raft.leadership", async move {
        loop {
            let view = view_of(&seen.borrow_watched());
            metrics::view(&view);
            if *leads.borrow() != view.leader {
                // Before anybody acts as the leader.
                liveness.leads(view.leader, Instant::now());
                leads.send_replace(view.leader);
            }
            if seen.changed().await.is_err() {
                leads.send_replace(false);
                return;
            }
        }
    });
    (leading, task)
}

fn view_of(seen: &RaftMetrics<TypeConfig>) -> metrics::View {
    metrics::View {
        leader: seen.state.is_leader() && seen.running_state.is_ok(),
        has_leader: seen.current_leader.is_some(),
        term: seen.current_term,
        last_log: seen.last_log_index.unwrap_or(0),
        applied: seen.last_applied.index().unwrap_or(0),
        snapshot: seen.snapshot.index().unwrap_or(0),
    }
}
