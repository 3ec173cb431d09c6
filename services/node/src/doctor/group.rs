//! The voters, the quorum, and what the group knows of nodes and placement.

use super::finding::{Finding, Verdict};
use crate::ctl::{Link, now};
use frontdesk_cluster::{ClusterQuestion, ClusterView, GroupStatus, Question};
use frontdesk_core::presence::{NodeRole, node_name};
use frontdesk_core::shard::ShardId;
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::ApiError;
use futures::future::join_all;
use std::time::{Duration, Instant};

/// For one question to one process.
const DEADLINE: Duration = Duration::from_secs(3);
/// Without one of these nobody is served.
const NEEDED: [NodeRole; 5] =
    [NodeRole::Gateway, NodeRole::Sessions, NodeRole::Queueing, NodeRole::Routing, NodeRole::Desk];

/// What one voter said.
struct Answer {
    address: String,
    status: Result<GroupStatus, ApiError>,
    took: Duration,
    /// This machine's clock when the answer was there.
    heard: Timestamp,
}

/// The view besides, for whoever has more to ask.
pub(super) async fn check(link: &Link) -> (Vec<Finding>, Option<ClusterView>) {
    let voters = link.settings.cluster.voters.iter();
    let answers = join_all(voters.map(|voter| ask(link, voter.address.clone()))).await;
    let mut findings: Vec<Finding> = answers.iter().flat_map(voter).collect();
    findings.push(quorum(&answers));
    let view = match link.view().await {
        Ok(view) => {
            findings.extend(NEEDED.into_iter().map(|role| nodes(&view, role)));
            findings.extend(NodeRole::PLACED.into_iter().map(|role| placement(&view, role)));
            Some(view)
        }
        Err(error) => {
            findings.push(Finding::fail("cluster", format!("nobody knows: {error}")));
            None
        }
    };
    (findings, view)
}

/// The end of the group's log, as far as any voter that follows a leader has it; `None`
/// without one.
pub(super) async fn last_log(link: &Link) -> Option<u64> {
    let voters = link.settings.cluster.voters.iter();
    let answers = join_all(voters.map(|voter| ask(link, voter.address.clone()))).await;
    let told = answers.iter().filter_map(|answer| answer.status.as_ref().ok());
    told.filter(|status| status.leader.is_some()).map(|status| status.last_log).max()
}

async fn ask(link: &Link, address: String) -> Answer {
    let asked = Instant::now();
    let question = Question::Cluster(ClusterQuestion::Status);
    let status = link.cluster.ask_at(&address, &question, DEADLINE).await;
    Answer { address, status, took: asked.elapsed(), heard: now() }
}

fn voter(answer: &Answer) -> Vec<Finding> {
    let check = format!("voter {}", answer.address);
    let status = match &answer.status {
        Ok(status) => status,
        Err(error) => return vec![Finding::fail(check, format!("{error}: is it running?"))],
    };
    let mut findings = vec![match status.leader {
        Some(leader) => Finding::ok(check, format!("id {}, follows voter {leader}", status.by)),
        None => Finding::fail(check, format!("id {}, knows no leader", status.by)),
    }];
    if let Some(there) = status.now {
        let unsure = u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX);
        let clock = format!("voter {} clock", answer.address);
        findings.push(Finding::clock(clock, answer.heard, there, unsure));
    }
    findings
}

/// How many more may fail.
fn quorum(answers: &[Answer]) -> Finding {
    let told: Vec<&GroupStatus> = answers.iter().filter_map(|a| a.status.as_ref().ok()).collect();
    let Some(newest) = told.iter().max_by_key(|status| (status.term, status.applied)) else {
        return Finding::fail("quorum", "no voter answers: nothing can be assigned or placed");
    };
    let votes = newest.voters.iter().filter(|voter| voter.votes);
    let (mut all, mut there) = (0_usize, 0_usize);
    for voter in votes {
        all += 1;
        let known = told.iter().any(|status| status.by == voter.id);
        // Who was asked and did not answer is away, though the leader may not have
        // missed it yet. Of who was not asked, the leader's word is all there is.
        let asked = answers.iter().any(|answer| answer.address == voter.address);
        there += usize::from(known || !asked && voter.silent_ms.is_some_and(|ms| ms < 2_000));
    }
    let majority = all / 2 + 1;
    if there < majority {
        return Finding::fail("quorum", format!("{there} of {all} voters: {majority} are needed"));
    }
    let spare = there - majority;
    let verdict = if there < all { Verdict::Warn } else { Verdict::Ok };
    Finding::new("quorum", verdict, format!("{there} of {all} voters; {spare} more may fail"))
}

fn nodes(view: &ClusterView, role: NodeRole) -> Finding {
    let check = format!("{} processes", role.as_str());
    let names: Vec<&str> = view.of_role(role).map(|m| node_name(&m.node)).collect();
    match names.len() {
        0 => Finding::fail(check, "none: start one"),
        1 if role != NodeRole::Desk => Finding::new(
            check,
            Verdict::Warn,
            format!("{} alone: nobody takes over when it fails", names[0]),
        ),
        _ => Finding::ok(check, names.join(", ")),
    }
}

fn placement(view: &ClusterView, role: NodeRole) -> Finding {
    let check = format!("{} shards", role.as_str());
    let orphans = ShardId::all().filter(|shard| view.owner(role, *shard).is_none()).count();
    let moving = view.placement().filter(|(p, at)| p.role == role && at.moving.is_some()).count();
    match (orphans, moving) {
        (0, 0) => Finding::ok(check, "all have a live owner"),
        (0, moving) => Finding::ok(check, format!("all have a live owner; {moving} on the move")),
        (orphans, _) => Finding::fail(check, format!("{orphans} have no live owner")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_cluster::VoterStatus;

    fn answer(by: u64, voters: &[(u64, Option<u64>)]) -> Answer {
        let voters = voters.iter().map(|(id, silent_ms)| VoterStatus {
            id: *id,
            address: format!("voter-{id}"),
            votes: true,
            lag: None,
            silent_ms: *silent_ms,
        });
        let status = GroupStatus {
            by,
            leader: Some(1),
            term: 1,
            last_log: 1,
            applied: 1,
            snapshot: 0,
            changing: false,
            voters: voters.collect(),
            now: None,
        };
        let heard = Timestamp::from_millis(1_000);
        let address = format!("voter-{by}");
        Answer { address, status: Ok(status), took: Duration::ZERO, heard }
    }

    #[test]
    fn a_quorum_is_counted_from_who_answers() {
        let voters = [(1, None), (2, None), (3, None)];
        let all: Vec<_> = (1..=3).map(|id| answer(id, &voters)).collect();
        assert_eq!(quorum(&all).verdict, Verdict::Ok);
        assert_eq!(quorum(&all[..2]).verdict, Verdict::Warn);
        assert_eq!(quorum(&all[..1]).verdict, Verdict::Fail);
        assert_eq!(quorum(&[]).verdict, Verdict::Fail);
    }

    #[test]
    fn who_was_asked_and_does_not_answer_is_away() {
        let voters = [(1, None), (2, Some(10)), (3, Some(10))];
        let mut answers: Vec<_> = (1..=2).map(|id| answer(id, &voters)).collect();
        assert_eq!(quorum(&answers).verdict, Verdict::Ok, "the leader heard the third");
        answers.push(answer(3, &voters));
        answers[2].status = Err(ApiError::unavailable("it is stopped"));
        assert_eq!(quorum(&answers).verdict, Verdict::Warn, "{:?}", quorum(&answers));
    }

    #[test]
    fn a_slow_voter_makes_no_clock_of_another_wrong() {
        let mut early = answer(1, &[(1, None)]);
        if let Ok(status) = &mut early.status {
            status.now = Some(Timestamp::from_millis(999));
        }
        assert!(voter(&early).iter().all(|found| found.verdict == Verdict::Ok));
    }
}
