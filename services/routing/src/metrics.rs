//! What this role measures.

use frontdesk_core::time::Millis;
use metrics::{counter, gauge, histogram};
use std::time::Duration;

/// How an offer went.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Offer {
    Made,
    Accepted,
    Declined,
    Expired,
    Withdrawn,
    /// The agent had no room after all.
    NoRoom,
    /// The conversation waited no longer.
    Gone,
    /// Not known; the reconciler finds out.
    Unknown,
}

pub(crate) fn offer(outcome: Offer) {
    let outcome = match outcome {
        Offer::Made => "made",
        Offer::Accepted => "accepted",
        Offer::Declined => "declined",
        Offer::Expired => "expired",
        Offer::Withdrawn => "withdrawn",
        Offer::NoRoom => "no_room",
        Offer::Gone => "gone",
        Offer::Unknown => "unknown",
    };
    counter!("frontdesk_routing_offers_total", "outcome" => outcome).increment(1);
}

/// From the beginning of the wait to the assignment.
pub(crate) fn matched(waited: Millis) {
    let seconds = waited.to_duration().as_secs_f64();
    histogram!("frontdesk_routing_match_seconds").record(seconds);
}

pub(crate) fn taken_over() {
    counter!("frontdesk_routing_taken_over_total").increment(1);
}

/// One round of matching, and how long it took.
pub(crate) fn decided(requests: usize, assignments: usize, took: Duration) {
    histogram!("frontdesk_routing_round_seconds").record(took.as_secs_f64());
    counter!("frontdesk_routing_decisions_total").increment(1);
    histogram!("frontdesk_routing_decision_requests").record(requests as f64);
    histogram!("frontdesk_routing_decision_assignments").record(assignments as f64);
}

pub(crate) fn half_done_found(count: usize) {
    counter!("frontdesk_routing_half_done_total").increment(count as u64);
}

/// A step could not be taken for want of another role; it is taken later.
pub(crate) fn unfinished() {
    counter!("frontdesk_routing_unfinished_total").increment(1);
}

pub(crate) fn reconcile_failed() {
    counter!("frontdesk_routing_reconcile_failures_total").increment(1);
}

pub(crate) fn notice_dropped() {
    counter!("frontdesk_routing_notices_dropped_total").increment(1);
}

pub(crate) fn under_way(conversations: usize) {
    gauge!("frontdesk_routing_under_way").set(conversations as f64);
}

pub(crate) fn shed() {
    counter!("frontdesk_routing_shed_total").increment(1);
}
