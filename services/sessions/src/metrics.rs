//! Names of this role's metrics, each in one place.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// Handles looked up once; recording is then one atomic operation.
#[derive(Clone)]
pub(crate) struct Meters {
    pub(crate) commands: Counter,
    pub(crate) rejects: Counter,
    pub(crate) sheds: Counter,
    pub(crate) activations: Counter,
    pub(crate) passivations: Counter,
    pub(crate) reruns: Counter,
    pub(crate) fences: Counter,
    pub(crate) publishes_lost: Counter,
    pub(crate) observer_drops: Counter,
    pub(crate) live: Gauge,
    pub(crate) commit: Histogram,
}

impl Meters {
    pub(crate) fn new() -> Self {
        Self {
            commands: counter!("frontdesk_sessions_commands_total"),
            rejects: counter!("frontdesk_sessions_rejects_total"),
            sheds: counter!("frontdesk_sessions_mailbox_sheds_total"),
            activations: counter!("frontdesk_sessions_activations_total"),
            passivations: counter!("frontdesk_sessions_passivations_total"),
            reruns: counter!("frontdesk_sessions_reruns_total"),
            fences: counter!("frontdesk_sessions_fences_total"),
            publishes_lost: counter!("frontdesk_sessions_publishes_lost_total"),
            observer_drops: counter!("frontdesk_sessions_observer_drops_total"),
            live: gauge!("frontdesk_sessions_live_conversations"),
            commit: histogram!("frontdesk_sessions_commit_seconds"),
        }
    }
}
