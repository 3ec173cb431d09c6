//! `ctl raft fit`: changes who votes, step by step, until those are the voters who
//! should be. What a step is is decided from the group's status alone, so it can be cut
//! short and begun again anywhere.

use super::raft::{change_voters, status};
use super::{CtlError, Link};
use crate::cli::{FitArgs, Output};
use crate::ctl::print_json;
use frontdesk_cluster::{GroupStatus, MembershipChange, VoterStatus};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between two attempts, and behind each step.
const PAUSE: Duration = Duration::from_millis(500);

/// What is to be done about who votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aim {
    /// Those who are missing join.
    Join,
    /// Those who are not wanted leave.
    Leave,
    /// Both, in this order.
    Both,
}

/// The next step.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Change(MembershipChange),
    /// Nothing can be done now.
    Wait(&'static str),
    Done,
}

pub(super) async fn run(link: &Link, output: Output, args: &FitArgs) -> Result<(), CtlError> {
    if args.addresses.len().is_multiple_of(2) {
        let why = "an even number of voters survives no more failures than one less";
        return Err(CtlError::Usage(why.into()));
    }
    let aim = match (args.only_join, args.only_leave) {
        (true, _) => Aim::Join,
        (_, true) => Aim::Leave,
        _ => Aim::Both,
    };
    let give_up = Instant::now() + Duration::from_secs(args.wait);
    loop {
        let why = match attempt(link, output, &args.addresses, aim).await {
            Ok(true) => return Ok(()),
            Ok(false) => "the group has not come to it".to_owned(),
            Err(error) => error.to_string(),
        };
        if Instant::now() >= give_up {
            return Err(CtlError::Usage(format!("gave up after {} s: {why}", args.wait)));
        }
        sleep(PAUSE).await;
    }
}

/// One step; whether there was none left.
async fn attempt(
    link: &Link,
    output: Output,
    wanted: &[String],
    aim: Aim,
) -> Result<bool, CtlError> {
    let seen = status(link).await?;
    match next(&seen, wanted, aim) {
        Step::Change(change) => {
            let did = match &change {
                MembershipChange::Add { .. } => "learns",
                MembershipChange::Promote { .. } => "votes",
                MembershipChange::Remove { .. } => "has left",
                MembershipChange::Transfer { .. } => "is to lead",
            };
            let voter = change_voters(link, change).await?;
            if output == Output::Table {
                println!("{voter} {did}");
            }
            Ok(false)
        }
        Step::Wait(why) => Err(CtlError::Usage(why.into())),
        Step::Done => {
            let voters: Vec<u64> = seen.voters.iter().filter(|v| v.votes).map(|v| v.id).collect();
            match output {
                Output::Json => print_json(&serde_json::json!({ "voters": voters }))?,
                Output::Table => println!("voters {voters:?}"),
            }
            Ok(true)
        }
    }
}

fn next(seen: &GroupStatus, wanted: &[String], aim: Aim) -> Step {
    let Some(leader) = seen.leader.filter(|id| *id == seen.by) else {
        return Step::Wait("the group has no leader, or it does not answer");
    };
    if seen.changing {
        return Step::Wait("another change of who votes is under way");
    }
    let joining = (aim != Aim::Leave).then(|| join(seen, wanted)).flatten();
    let leaving = || (aim != Aim::Join).then(|| leave(seen, wanted, leader)).flatten();
    joining.or_else(leaving).unwrap_or(Step::Done)
}

/// The first that is missing is added, the first that does not vote yet promoted; the
/// group itself refuses that until it has caught up.
fn join(seen: &GroupStatus, wanted: &[String]) -> Option<Step> {
    wanted
        .iter()
        .find_map(|address| match seen.voters.iter().find(|v| v.address == *address) {
            None => Some(MembershipChange::Add { address: address.clone() }),
            Some(learner) if !learner.votes => {
                Some(MembershipChange::Promote { voter: learner.id })
            }
            Some(_) => None,
        })
        .map(Step::Change)
}

/// Learners go first, then voters, the leader last, once one that stays leads.
fn leave(seen: &GroupStatus, wanted: &[String], leader: u64) -> Option<Step> {
    let stays = |voter: &&VoterStatus| wanted.contains(&voter.address);
    let goes = seen.voters.iter().filter(|voter| !stays(voter));
    let first = goes.min_by_key(|voter| (voter.id == leader, voter.votes, voter.id))?;
    // Addresses that nobody has are a mistake, and not a wish to have no group.
    let heirs = seen.voters.iter().filter(|v| v.votes && v.silent_ms.is_some()).filter(stays);
    let Some(heir) = heirs.min_by_key(|v| (v.silent_ms, v.id)) else {
        return Some(Step::Wait("none of these addresses is that of a voter who is there"));
    };
    Some(Step::Change(match first.id == leader {
        true => MembershipChange::Transfer { voter: heir.id },
        false => MembershipChange::Remove { voter: first.id },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(leader: u64, voters: &[(u64, &str, bool)]) -> GroupStatus {
        let voters = voters.iter().map(|(id, address, votes)| VoterStatus {
            id: *id,
            address: (*address).to_owned(),
            votes: *votes,
            lag: Some(0),
            silent_ms: Some(100),
        });
        GroupStatus {
            by: leader,
            leader: Some(leader),
            term: 1,
            last_log: 9,
            applied: 9,
            snapshot: 0,
            changing: false,
            voters: voters.collect(),
            now: None,
        }
    }

    fn wanted(addresses: &[&str]) -> Vec<String> {
        addresses.iter().map(|address| (*address).to_owned()).collect()
    }

    /// Carries steps out until there are none left; they are few.
    fn carried_out(
        mut seen: GroupStatus,
        wanted: &[String],
        aim: Aim,
    ) -> (Vec<String>, GroupStatus) {
        let mut steps = Vec::new();
        for _ in 0..20 {
            let Step::Change(change) = next(&seen, wanted, aim) else { return (steps, seen) };
            match &change {
                MembershipChange::Add { address } => {
                    let learner = VoterStatus {
                        id: 1_000 + seen.voters.len() as u64,
                        address: address.clone(),
                        votes: false,
                        lag: Some(0),
                        silent_ms: Some(0),
                    };
                    steps.push(format!("add {address}"));
                    seen.voters.push(learner);
                }
                MembershipChange::Promote { voter } => {
                    steps.push(format!("promote {voter}"));
                    seen.voters.iter_mut().filter(|v| v.id == *voter).for_each(|v| v.votes = true);
                }
                MembershipChange::Remove { voter } => {
                    assert_ne!(Some(*voter), seen.leader, "a leader cannot be removed");
                    steps.push(format!("remove {voter}"));
                    seen.voters.retain(|v| v.id != *voter);
                }
                MembershipChange::Transfer { voter } => {
                    steps.push(format!("transfer {voter}"));
                    (seen.leader, seen.by) = (Some(*voter), *voter);
                }
            }
        }
        panic!("it does not end: {steps:?}");
    }

    #[test]
    fn newcomers_are_added_and_promoted_one_after_the_other() {
        let three = group(2, &[(1, "a", true), (2, "b", true), (3, "c", true)]);
        let five = wanted(&["a", "b", "c", "d", "e"]);
        let (steps, after) = carried_out(three.clone(), &five, Aim::Join);
        assert_eq!(steps, ["add d", "promote 1003", "add e", "promote 1004"]);
        assert!(after.voters.iter().all(|v| v.votes));
        assert_eq!(carried_out(after, &five, Aim::Both).0, [] as [String; 0]);
        // Before an upgrade that only adds, nobody leaves.
        assert_eq!(carried_out(three, &five, Aim::Leave).0, [] as [String; 0]);
    }

    #[test]
    fn those_who_leave_do_so_before_they_are_gone_and_the_leader_last() {
        let three = group(3, &[(1, "a", true), (2, "b", true), (3, "c", true)]);
        let (steps, after) = carried_out(three.clone(), &wanted(&["a"]), Aim::Leave);
        assert_eq!(steps, ["remove 2", "transfer 1", "remove 3"]);
        assert_eq!(after.voters.len(), 1);
        assert_eq!(carried_out(three, &wanted(&["a"]), Aim::Join).0, [] as [String; 0]);
    }

    #[test]
    fn a_replaced_voter_joins_before_the_old_one_leaves() {
        let three = group(1, &[(1, "a", true), (2, "b", true), (3, "c", true)]);
        let (steps, _) = carried_out(three, &wanted(&["a", "b", "d"]), Aim::Both);
        assert_eq!(steps, ["add d", "promote 1003", "remove 3"]);
    }

    #[test]
    fn nothing_is_done_without_a_leader_or_for_addresses_that_nobody_has() {
        let three = group(1, &[(1, "a", true), (2, "b", true), (3, "c", true)]);
        let strangers = wanted(&["x", "y", "z"]);
        assert!(matches!(next(&three, &strangers, Aim::Leave), Step::Wait(_)));
        let leaderless = GroupStatus { leader: None, ..three.clone() };
        assert!(matches!(next(&leaderless, &wanted(&["a"]), Aim::Both), Step::Wait(_)));
        // What a follower says of others is old.
        let follower = GroupStatus { by: 2, ..three.clone() };
        assert!(matches!(next(&follower, &wanted(&["a"]), Aim::Both), Step::Wait(_)));
        let half_done = GroupStatus { changing: true, ..three };
        assert!(matches!(next(&half_done, &wanted(&["a"]), Aim::Both), Step::Wait(_)));
    }
}
