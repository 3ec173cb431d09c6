//! What this role measures. No site and no queue as a label: their number is not bounded.

use frontdesk_core::conversation::{AlarmKind, Instead, Unserved};
use frontdesk_core::queue::Estimate;
use frontdesk_core::time::Millis;
use metrics::{counter, gauge, histogram};

pub(crate) fn line_moved(waiting: i64, offered: i64) {
    gauge!("frontdesk_queueing_waiting").increment(waiting as f64);
    gauge!("frontdesk_queueing_offered").increment(offered as f64);
}

pub(crate) fn served(waited: Millis, estimated: Option<Estimate>) {
    let seconds = |m: Millis| m.to_duration().as_secs_f64();
    histogram!("frontdesk_queueing_wait_seconds").record(seconds(waited));
    if let Some(estimated) = estimated {
        let error = (seconds(waited) - seconds(estimated.mean)).abs();
        histogram!("frontdesk_queueing_estimate_error_seconds").record(error);
        let within = if waited <= estimated.upper { "yes" } else { "no" };
        counter!("frontdesk_queueing_estimates_total", "within" => within).increment(1);
    }
}

pub(crate) fn turned_away(why: Unserved, instead: &Instead) {
    let reason = match why {
        Unserved::OutOfHours => "out_of_hours",
        Unserved::QueueFull => "queue_full",
        Unserved::WaitedTooLong => "waited_too_long",
    };
    let answer = match instead {
        Instead::Queue(_) => "queue",
        Instead::Form => "form",
        Instead::Callback => "callback",
    };
    counter!("frontdesk_queueing_unserved_total", "reason" => reason, "answer" => answer)
        .increment(1);
}

/// Told to a conversation, which may know better.
pub(crate) fn alarm(kind: AlarmKind) {
    counter!("frontdesk_queueing_alarms_total", "kind" => kind.as_str()).increment(1);
}

pub(crate) fn transfer_returned() {
    counter!("frontdesk_queueing_transfers_returned_total").increment(1);
}

pub(crate) fn pushed(count: u64) {
    counter!("frontdesk_queueing_pushes_total").increment(count);
}

pub(crate) fn observed(count: u64) {
    counter!("frontdesk_queueing_observed_total").increment(count);
}

pub(crate) fn shed(count: u64) {
    counter!("frontdesk_queueing_shed_total").increment(count);
}

pub(crate) fn reconcile_failed() {
    counter!("frontdesk_queueing_reconcile_failures_total").increment(1);
}

pub(crate) fn found_lost(count: u64) {
    counter!("frontdesk_queueing_lost_found_total").increment(count);
}
