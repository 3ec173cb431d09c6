//! The database is away: nothing is acknowledged, and everything goes on by itself
//! when it is back.

use super::{AT_MS, LASTS_MS, at_most};
use crate::engine::{Fault, Plan, explore};

#[test]
fn everything_goes_on_by_itself() {
    let plan = |seed| Plan::calm(seed).and(Fault::JournalDown, AT_MS, LASTS_MS);
    explore("faults::database_lost::everything_goes_on_by_itself", plan, |outcome| {
        // What was written just before may still be answered just after.
        let acknowledged = outcome.acknowledged(AT_MS + 100, AT_MS + LASTS_MS);
        let mut wrongs = Vec::new();
        if acknowledged > 0 {
            wrongs.push(format!("{acknowledged} were acknowledged without a database"));
        }
        let slowest = outcome.slowest(AT_MS, AT_MS + LASTS_MS);
        wrongs.extend(at_most(LASTS_MS + 4_000, slowest, "an acknowledgement"));
        wrongs
    });
}
