//! The group's metrics, by name. None has a label.

use metrics::{counter, gauge, histogram};
use std::time::Duration;

/// How this voter sees the group.
pub(crate) struct View {
    pub(crate) leader: bool,
    pub(crate) has_leader: bool,
    pub(crate) term: u64,
    pub(crate) last_log: u64,
    pub(crate) applied: u64,
    pub(crate) snapshot: u64,
}

pub(crate) fn view(view: &View) {
    gauge!("frontdesk_raft_is_leader").set(f64::from(u8::from(view.leader)));
    gauge!("frontdesk_raft_has_leader").set(f64::from(u8::from(view.has_leader)));
    gauge!("frontdesk_raft_term").set(view.term as f64);
    gauge!("frontdesk_raft_last_log_index").set(view.last_log as f64);
    gauge!("frontdesk_raft_applied_index").set(view.applied as f64);
    gauge!("frontdesk_raft_snapshot_index").set(view.snapshot as f64);
}

pub(crate) fn proposed(took: Duration) {
    histogram!("frontdesk_raft_propose_seconds").record(took);
}

pub(crate) fn proposal_failed() {
    counter!("frontdesk_raft_proposals_failed_total").increment(1);
}

pub(crate) fn committed(entries: usize, took: Duration) {
    histogram!("frontdesk_raft_disk_commit_seconds").record(took);
    histogram!("frontdesk_raft_disk_commit_entries").record(entries as f64);
}

pub(crate) fn commit_failed() {
    counter!("frontdesk_raft_disk_commit_failures_total").increment(1);
}
