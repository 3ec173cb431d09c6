//! What this role measures. No labels: sites and queues are not bounded.

use frontdesk_core::time::Millis;
use metrics::{counter, gauge, histogram};

pub(crate) fn line_moved(waiting: i64, offered: i64) {
    gauge!("frontdesk_queueing_waiting").increment(waiting as f64);
    gauge!("frontdesk_queueing_offered").increment(offered as f64);
}

pub(crate) fn served(waited: Millis, estimated: Option<Millis>) {
    let seconds = |m: Millis| m.to_duration().as_secs_f64();
    histogram!("frontdesk_queueing_wait_seconds").record(seconds(waited));
    if let Some(estimated) = estimated {
        let error = (seconds(waited) - seconds(estimated)).abs();
        histogram!("frontdesk_queueing_estimate_error_seconds").record(error);
    }
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
