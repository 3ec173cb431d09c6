//! What this crate measures: the group, the placement, the ways to owners.

use frontdesk_core::presence::NodeRole;
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

/// What has become of a shard.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Moved {
    TakenOver,
    LetGo,
    HandedOn,
    Failed,
}

/// Shards have moved, and now so many are owned here.
pub(crate) fn moved(role: NodeRole, what: Moved, shards: usize, owned: usize) {
    let step = match what {
        Moved::TakenOver => "taken_over",
        Moved::LetGo => "let_go",
        Moved::HandedOn => "handed_on",
        Moved::Failed => "failed",
    };
    let placed = role.as_str();
    counter!("frontdesk_placement_moves_total", "placed" => placed, "step" => step)
        .increment(shards as u64);
    gauge!("frontdesk_placement_owned_shards", "placed" => placed).set(owned as f64);
}

/// Why a command did not get onto its way.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NotSent {
    LinkFull,
    NoOwner,
}

pub(crate) fn not_sent(why: NotSent) {
    let reason = match why {
        NotSent::LinkFull => "link_full",
        NotSent::NoOwner => "no_owner",
    };
    counter!("frontdesk_link_refusals_total", "reason" => reason).increment(1);
}
