//! Who may found the presence group, so that it is founded once: by all of its founders
//! together, each with an empty disk. A founder whose disk is empty later is another one.
//!
//! A voter that has lost its log and votes again under its old id can undo what was
//! committed. So whoever comes with an empty disk asks the other founders first:
//!
//! 1. When all of them are empty, too, it notes on its disk that it is prepared.
//! 2. When all of them are prepared, it founds the group.
//!
//! Nobody founds before all have their note on disk, so who has none and finds a group
//! has lost what it had, or never was the one that the group knows.

use serde::{Deserialize, Serialize};

/// How far a founder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Founding {
    /// Nothing is on its disk.
    Empty,
    /// It has noted that it is about to found the group.
    Prepared,
    /// It knows of a group that was founded.
    Founded,
}

/// What a founder that has no log does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundingStep {
    /// Ask again later.
    Wait,
    /// Note that it is prepared, durably, before it says so.
    Prepare,
    /// Found the group, with the same founders as all others.
    Found,
    /// Found nothing: the group is there, and this disk is not one of its.
    Refuse,
}

/// The next step of a founder without a log, `prepared` or not, given what the other
/// founders have said; `None` for one that did not answer.
pub fn next_founding_step(prepared: bool, others: &[Option<Founding>]) -> FoundingStep {
    let all = |wanted: fn(Founding) -> bool| others.iter().all(|said| said.is_some_and(wanted));
    let founded = others.contains(&Some(Founding::Founded));
    match prepared {
        false if founded => FoundingStep::Refuse,
        false if all(|said| said != Founding::Founded) => FoundingStep::Prepare,
        true if all(|said| said != Founding::Empty) => FoundingStep::Found,
        _ => FoundingStep::Wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A founder as the others see it, and whether it runs.
    #[derive(Debug, Clone, Copy)]
    struct Founder {
        disk: Founding,
        up: bool,
        refused: bool,
    }

    const FRESH: Founder = Founder { disk: Founding::Empty, up: true, refused: false };

    fn step(founders: &mut [Founder], own: usize, hears: &[bool]) {
        if !founders[own].up || founders[own].disk == Founding::Founded {
            return;
        }
        let others: Vec<Option<Founding>> = (0..founders.len())
            .filter(|n| *n != own)
            .map(|n| (founders[n].up && hears[n]).then_some(founders[n].disk))
            .collect();
        match next_founding_step(founders[own].disk == Founding::Prepared, &others) {
            FoundingStep::Wait => {}
            FoundingStep::Prepare => founders[own].disk = Founding::Prepared,
            FoundingStep::Found => founders[own].disk = Founding::Founded,
            FoundingStep::Refuse => founders[own].refused = true,
        }
    }

    #[test]
    fn one_alone_founds_in_two_steps() {
        assert_eq!(next_founding_step(false, &[]), FoundingStep::Prepare);
        assert_eq!(next_founding_step(true, &[]), FoundingStep::Found);
    }

    #[test]
    fn who_has_lost_its_disk_is_refused_by_any_that_has_not() {
        let others = [Some(Founding::Founded), None];
        assert_eq!(next_founding_step(false, &others), FoundingStep::Refuse);
        // Nobody there to say: it waits rather than found a second group.
        assert_eq!(next_founding_step(false, &[None, None]), FoundingStep::Wait);
        assert_eq!(next_founding_step(false, &[Some(Founding::Empty), None]), FoundingStep::Wait);
    }

    proptest! {
        /// Whatever is heard or lost, and whoever restarts with its disk: nobody founds
        /// before all have prepared, none of them is refused, and once all hear each
        /// other all found.
        #[test]
        fn a_group_is_founded_by_all_of_its_founders(
            size in prop_oneof![Just(1_usize), Just(3), Just(5)],
            turns in prop::collection::vec((0_usize..5, any::<[bool; 5]>(), any::<[bool; 5]>()), 0..200),
        ) {
            let mut founders = vec![FRESH; size];
            for (own, up, hears) in turns {
                for (founder, up) in founders.iter_mut().zip(up) {
                    founder.up = up;
                }
                step(&mut founders, own % size, &hears);
                let founded = founders.iter().any(|f| f.disk == Founding::Founded);
                let all_prepared = founders.iter().all(|f| f.disk != Founding::Empty);
                prop_assert!(!founded || all_prepared, "{founders:?}");
            }
            founders.iter_mut().for_each(|founder| founder.up = true);
            for own in (0..size).cycle().take(3 * size) {
                step(&mut founders, own, &[true; 5]);
            }
            prop_assert!(founders.iter().all(|f| f.disk == Founding::Founded && !f.refused));
        }

        /// Disks that are lost once the group is founded, as long as one is not: their
        /// founders never found again.
        #[test]
        fn a_lost_disk_never_founds_again(
            lost in prop::collection::btree_set(0_usize..5, 1..5),
            turns in prop::collection::vec((0_usize..5, any::<[bool; 5]>()), 1..200),
        ) {
            let mut founders = [Founder { disk: Founding::Founded, ..FRESH }; 5];
            for n in &lost {
                founders[*n].disk = Founding::Empty;
            }
            for (own, hears) in turns {
                step(&mut founders, own, &hears);
            }
            for n in lost {
                prop_assert_eq!(founders[n].disk, Founding::Empty);
            }
        }
    }
}
