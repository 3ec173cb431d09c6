//! When one connection is cut: storms hit a share of all of them at once, churn
//! ends each after a random life.

use super::common::Common;
use super::crew::Seat;
use crate::plan::Dice;
use std::time::Duration;

/// The times from `from` on, for a connection that goes on to the end.
pub(super) fn of(common: &Common, seat: Seat, from: Duration) -> Vec<Duration> {
    let kind = match seat {
        Seat::Visitor(_) => "cut visitor",
        Seat::Idle(_) => "cut idle",
        Seat::Agent(_) | Seat::Supervisor(_) => return Vec::new(),
    };
    let mut dice = Dice::of(common.scenario.seed, kind, seat.number());
    let mut times = Vec::new();
    for cut in &common.plan.cuts {
        // Drawn for every storm, so that it does not matter when one came.
        if dice.happens(cut.share) && cut.at > from {
            times.push(cut.at);
        }
    }
    for churn in &common.plan.churns {
        let mut at = churn.stay.from + churn.mean.mul_f64(dice.exponential());
        while at < churn.stay.to {
            if at > from {
                times.push(at);
            }
            at += churn.mean.mul_f64(dice.exponential());
        }
    }
    times
}
