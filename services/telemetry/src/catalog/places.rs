//! Where conversations live: owners, their mailboxes, who owns what, the presence group.

use super::labels::{COMMAND, GROUP_COMMAND, GROUP_OUTCOME, LINK_REFUSAL, MOVED, PLACED, REJECT};
use super::{Metric, counter, gauge, histogram};

#[rustfmt::skip] // A table: a line for what is measured, and a line for what it says.
pub(super) const METRICS: &[Metric] = &[
    counter("frontdesk_sessions_commands_total", "Commands that were answered; messages among them are \"sent\".").by(&[COMMAND]),
    counter("frontdesk_sessions_rejections_total", "Commands that a conversation refused.").by(&[REJECT]),
    counter("frontdesk_sessions_mailbox_sheds_total", "Commands refused because a mailbox was full."),
    gauge("frontdesk_sessions_mailbox_depth", "What waits in the mailboxes of owned shards."),
    gauge("frontdesk_sessions_mailbox_limit", "What the mailboxes of owned shards hold at most."),
    gauge("frontdesk_sessions_live_conversations", "Conversations in memory."),
    counter("frontdesk_sessions_activations_total", "Conversations brought into memory."),
    counter("frontdesk_sessions_passivations_total", "Idle conversations put out of memory."),
    counter("frontdesk_sessions_reloads_total", "Conversations loaded again after a refused append."),
    counter("frontdesk_sessions_conflicts_total", "Appends refused because the journal had gone on."),
    counter("frontdesk_sessions_fences_total", "Shards that were found to have another owner."),
    counter("frontdesk_sessions_publishes_lost_total", "Batches for gateways that the bus did not take."),
    counter("frontdesk_sessions_observer_drops_total", "News for queueing and routing that found no room."),
    histogram("frontdesk_sessions_commit_seconds", "From handing an append to the journal to its answer."),

    counter("frontdesk_link_refusals_total", "Commands refused on their way to an owner: its link was full, or too many waited for the shard to have one.").by(&[LINK_REFUSAL]),

    gauge("frontdesk_placement_owned_shards", "Shards that this process owns.").by(&[PLACED]),
    counter("frontdesk_placement_moves_total", "Shards taken over, let go and handed on, and take-overs that failed.").by(&[PLACED, MOVED]),

    counter("frontdesk_presence_commands_total", "Commands to the presence group.").by(&[GROUP_COMMAND, GROUP_OUTCOME]),
    histogram("frontdesk_presence_command_seconds", "How long the group took for a command.").by(&[GROUP_COMMAND]),

    gauge("frontdesk_raft_is_leader", "1 at the voter that leads."),
    gauge("frontdesk_raft_has_leader", "1 at a voter that knows a leader."),
    gauge("frontdesk_raft_term", "The term as this voter knows it."),
    gauge("frontdesk_raft_last_log_index", "The last entry of this voter's log."),
    gauge("frontdesk_raft_applied_index", "The last entry that this voter has applied."),
    gauge("frontdesk_raft_snapshot_index", "The last entry in this voter's snapshot."),
    histogram("frontdesk_raft_propose_seconds", "From proposing an entry to its being applied."),
    counter("frontdesk_raft_proposals_failed_total", "Entries that were not taken."),
    histogram("frontdesk_raft_disk_commit_seconds", "How long a write of the log took, its fsync included."),
    histogram("frontdesk_raft_disk_commit_entries", "Entries that were written at once."),
    counter("frontdesk_raft_disk_commit_failures_total", "Writes of the log that failed."),
];
