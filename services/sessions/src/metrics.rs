//! Names of this role's metrics, each in one place.

use frontdesk_core::conversation::{Outcome, Reject};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// Handles looked up once; recording is then one atomic operation.
#[derive(Clone)]
pub(crate) struct Meters {
    done: Counter,
    sent: Counter,
    duplicates: Counter,
    rejected: Counter,
    rejections: [Counter; 5],
    pub(crate) unavailable: Counter,
    pub(crate) sheds: Counter,
    pub(crate) activations: Counter,
    pub(crate) passivations: Counter,
    pub(crate) reloads: Counter,
    pub(crate) conflicts: Counter,
    pub(crate) fences: Counter,
    pub(crate) publishes_lost: Counter,
    pub(crate) observer_drops: Counter,
    pub(crate) live: Gauge,
    pub(crate) mailbox: Gauge,
    pub(crate) mailbox_limit: Gauge,
    pub(crate) commit: Histogram,
}

impl Meters {
    pub(crate) fn new() -> Self {
        let commands = |name| counter!("frontdesk_sessions_commands_total", "outcome" => name);
        Self {
            done: commands("done"),
            sent: commands("sent"),
            duplicates: commands("duplicate"),
            rejected: commands("rejected"),
            rejections: ["not_found", "forbidden", "invalid", "state", "early"]
                .map(|why| counter!("frontdesk_sessions_rejections_total", "reason" => why)),
            unavailable: commands("unavailable"),
            sheds: counter!("frontdesk_sessions_mailbox_sheds_total"),
            activations: counter!("frontdesk_sessions_activations_total"),
            passivations: counter!("frontdesk_sessions_passivations_total"),
            reloads: counter!("frontdesk_sessions_reloads_total"),
            conflicts: counter!("frontdesk_sessions_conflicts_total"),
            fences: counter!("frontdesk_sessions_fences_total"),
            publishes_lost: counter!("frontdesk_sessions_publishes_lost_total"),
            observer_drops: counter!("frontdesk_sessions_observer_drops_total"),
            live: gauge!("frontdesk_sessions_live_conversations"),
            mailbox: gauge!("frontdesk_sessions_mailbox_depth"),
            mailbox_limit: gauge!("frontdesk_sessions_mailbox_limit"),
            commit: histogram!("frontdesk_sessions_commit_seconds"),
        }
    }

    /// Counts a command that has been answered.
    pub(crate) fn answered(&self, result: &Result<Outcome, Reject>) {
        let counter = match result {
            Ok(Outcome::Done) => &self.done,
            Ok(Outcome::Sent { duplicate: false, .. }) => &self.sent,
            Ok(Outcome::Sent { duplicate: true, .. }) => &self.duplicates,
            Err(reject) => {
                let why = match reject {
                    Reject::NotFound => 0,
                    Reject::Forbidden(_) => 1,
                    Reject::Invalid(_) => 2,
                    Reject::State(_) => 3,
                    Reject::Early(_) => 4,
                };
                self.rejections[why].increment(1);
                &self.rejected
            }
        };
        counter.increment(1);
    }
}
