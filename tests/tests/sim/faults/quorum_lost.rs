//! Two voters of three are killed: nobody new is assigned, open chats go on.

use super::{AT_MS, LASTS_MS, at_most};
use crate::engine::{Fault, Plan, explore};

#[test]
fn open_chats_go_on() {
    let plan = |seed| {
        // Two come before, two while there is no quorum, or a little later.
        let plan = Plan { arrivals: AT_MS - 3_000..AT_MS + 4_000, ..Plan::calm(seed) };
        let plan = plan.and(Fault::Crash("v1"), AT_MS, LASTS_MS);
        plan.and(Fault::Crash("v2"), AT_MS, LASTS_MS)
    };
    explore("faults::quorum_lost::open_chats_go_on", plan, |outcome| {
        let without = AT_MS + 500..AT_MS + LASTS_MS;
        let assigned = outcome.assigned();
        let taken = assigned.iter().filter(|(_, at)| without.contains(at)).count();
        let mut wrongs = Vec::new();
        if taken > 0 {
            wrongs.push(format!("{taken} were assigned without a quorum"));
        }
        if assigned.iter().any(|(_, at)| *at < AT_MS) {
            let slowest = outcome.slowest(without.start, without.end);
            wrongs.extend(at_most(LASTS_MS, slowest, "an acknowledgement"));
            if outcome.acknowledged(without.start, without.end) == 0 {
                wrongs.push("nothing was acknowledged without a quorum".into());
            }
        }
        wrongs
    });
}
