//! The voter that leads is killed: chats go on, and within 3 s who comes is
//! assigned again.

use super::{AT_MS, LASTS_MS, at_most};
use crate::engine::{Fault, Plan, explore};

#[test]
fn assignments_go_on() {
    let plan = |seed| {
        let plan = Plan { arrivals: AT_MS - 2_000..AT_MS + 2_000, ..Plan::calm(seed) };
        plan.and(Fault::CrashLeader, AT_MS, LASTS_MS)
    };
    explore("faults::leader_lost::assignments_go_on", plan, |outcome| {
        let mut wrongs = Vec::new();
        for (begun, at) in outcome.assigned() {
            let what = format!("the assignment of who came at {begun} ms");
            wrongs.extend(at_most(3_500, at - begun.max(AT_MS).min(at), &what));
        }
        let slowest = outcome.slowest(AT_MS, AT_MS + LASTS_MS);
        wrongs.extend(at_most(3_500, slowest, "an acknowledgement"));
        wrongs
    });
}
