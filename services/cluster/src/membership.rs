//! Changing who votes: one step at a time, each refused when it would cost the
//! quorum. A half-done change is finished by whoever leads next.

use super::types::{Raft, TypeConfig};
use super::voter::{Voter, stopped};
use super::{GroupError, VoterId};
use frontdesk_core::presence::{Action, RequestId};
use frontdesk_core::time::Timestamp;
use openraft::async_runtime::WatchReceiver;
use openraft::errors::{ClientWriteError, RaftError};
use openraft::{BasicNode, ChangeMembers, Instant as _, LogIdOptionExt, RaftMetrics};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use uuid::Uuid;

/// Most voters: more make every decision slower and survive nothing new.
pub const MAX_VOTERS: usize = 5;
/// Ids below are the founders'; later ones are this plus a log index.
const FIRST_LATER_ID: VoterId = 1_000;
/// A voter heard of within this time counts as there.
const THERE_WITHIN: Duration = Duration::from_secs(2);
/// Entries that a learner may lag behind when it is promoted.
const MAX_LAG: u64 = 1_000;

/// A change of who votes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MembershipChange {
    /// A process at this address learns, without a vote. Its id is new; repeated
    /// for an address that is there it gives that one's.
    Add {
        /// `host:port` of its internal listener.
        address: String,
    },
    /// A learner votes from now on.
    Promote {
        /// Which.
        voter: VoterId,
    },
    /// A voter or learner takes part no longer.
    Remove {
        /// Which.
        voter: VoterId,
    },
    /// A voter is to lead.
    Transfer {
        /// Which.
        voter: VoterId,
    },
}

/// One who takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoterStatus {
    /// Its id.
    pub id: VoterId,
    /// Its address.
    pub address: String,
    /// Whether it votes; else it only learns.
    pub votes: bool,
    /// Entries it lacks; known to the leader only.
    pub lag: Option<u64>,
    /// Milliseconds since it last answered the leader; known to the leader only.
    pub silent_ms: Option<u64>,
}

/// The group as one voter sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupStatus {
    /// Who tells.
    pub by: VoterId,
    /// Who leads.
    pub leader: Option<VoterId>,
    /// The term.
    pub term: u64,
    /// Last entry of the log here.
    pub last_log: u64,
    /// Last entry applied here.
    pub applied: u64,
    /// Last entry in the snapshot here.
    pub snapshot: u64,
    /// Whether a change of who votes is half done.
    pub changing: bool,
    /// All who take part.
    pub voters: Vec<VoterStatus>,
    /// The clock of who tells; absent from programs that did not tell it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Timestamp>,
}

/// The group as this voter sees it, at this time.
pub(crate) fn status(raft: &Raft, now: Timestamp) -> GroupStatus {
    let seen = raft.metrics().borrow_watched().clone();
    let members = seen.membership_config.membership();
    let votes: BTreeSet<VoterId> = members.voter_ids().collect();
    let last_log = seen.last_log_index.unwrap_or(0);
    let voters = members.nodes().map(|(id, node)| VoterStatus {
        id: *id,
        address: node.addr.clone(),
        votes: votes.contains(id),
        lag: lag_of(&seen, *id),
        silent_ms: silence_of(&seen, *id)
            .map(|silence| u64::try_from(silence.as_millis()).unwrap_or(u64::MAX)),
    });
    GroupStatus {
        by: seen.id,
        leader: seen.current_leader,
        term: seen.current_term,
        last_log,
        applied: seen.last_applied.index().unwrap_or(0),
        snapshot: seen.snapshot.index().unwrap_or(0),
        changing: members.get_joint_config().len() > 1,
        voters: voters.collect(),
        now: Some(now),
    }
}

fn lag_of(seen: &RaftMetrics<TypeConfig>, id: VoterId) -> Option<u64> {
    let last = seen.last_log_index.unwrap_or(0);
    if seen.id == id {
        return seen.state.is_leader().then_some(0);
    }
    let matched = seen.replication.as_ref()?.get(&id)?;
    Some(last.saturating_sub(matched.index().unwrap_or(0)))
}

fn silence_of(seen: &RaftMetrics<TypeConfig>, id: VoterId) -> Option<Duration> {
    if seen.id == id {
        return seen.state.is_leader().then_some(Duration::ZERO);
    }
    let acked = seen.heartbeat.as_ref()?.get(&id)?.as_ref()?;
    Some(acked.elapsed())
}

impl Voter {
    /// Carries out a change on the leader; gives the id it is about. `None` when
    /// this voter does not lead.
    pub(crate) async fn change_here(
        &self,
        change: MembershipChange,
    ) -> Result<Option<Result<VoterId, String>>, GroupError> {
        // What the change is judged by must not change meanwhile: an address that is
        // added twice at once would get two ids.
        let _turn = self.changing.acquire().await.map_err(|_| GroupError::Stopped)?;
        let status = status(&self.raft, self.clock.now());
        if status.leader != Some(self.id) {
            return Ok(None);
        }
        let done = match change {
            MembershipChange::Add { address } => self.add(&status, address).await,
            MembershipChange::Promote { voter } => self.promote(&status, voter).await,
            MembershipChange::Remove { voter } => self.remove(&status, voter).await,
            MembershipChange::Transfer { voter } => self.transfer(&status, voter).await,
        };
        match done {
            Ok(id) => Ok(Some(Ok(id))),
            Err(GroupError::Refused(why)) => Ok(Some(Err(why))),
            Err(error) => Err(error),
        }
    }

    /// Finishes a change that a leader before this one left half done.
    pub(crate) async fn finish_change(&self) -> Result<(), GroupError> {
        let members = self.raft.metrics().borrow_watched().membership_config.membership().clone();
        let [_, .., wanted] = members.get_joint_config().as_slice() else { return Ok(()) };
        let change = ChangeMembers::ReplaceAllVoters(wanted.clone());
        let done = self.raft.change_membership(change, true).await;
        done.map(|_| ()).map_err(refused)
    }

    async fn add(&self, status: &GroupStatus, address: String) -> Result<VoterId, GroupError> {
        if let Some(known) = status.voters.iter().find(|v| v.address == address) {
            return Ok(known.id);
        }
        // An entry that changes nothing: its index is an id nobody ever had.
        let request = RequestId::from_uuid(Uuid::now_v7());
        let now = self.clock.now();
        let entry = frontdesk_core::presence::Command { request, now, action: Action::Expire };
        let written = self.raft.client_write(entry).await.map_err(refused)?;
        let id = FIRST_LATER_ID + written.log_id.index();
        let node = BasicNode { addr: address };
        self.raft.add_learner(id, node, false).await.map_err(refused)?;
        Ok(id)
    }

    async fn promote(&self, status: &GroupStatus, voter: VoterId) -> Result<VoterId, GroupError> {
        let member = find(status, voter)?;
        if member.votes {
            return Ok(voter);
        }
        if count_votes(status) >= MAX_VOTERS {
            return Err(GroupError::Refused(format!("there are {MAX_VOTERS} voters already")));
        }
        if member.lag.is_none_or(|lag| lag > MAX_LAG) || !is_there(member) {
            return Err(GroupError::Refused(format!(
                "voter {voter} is not there or has not caught up yet"
            )));
        }
        let change = ChangeMembers::AddVoterIds(BTreeSet::from([voter]));
        self.raft.change_membership(change, true).await.map_err(refused)?;
        Ok(voter)
    }

    async fn remove(&self, status: &GroupStatus, voter: VoterId) -> Result<VoterId, GroupError> {
        let Ok(member) = find(status, voter) else { return Ok(voter) };
        if voter == self.id {
            return Err(GroupError::Refused(format!("voter {voter} leads: transfer first")));
        }
        if member.votes {
            check_quorum_without(status, voter)?;
            let change = ChangeMembers::RemoveVoters(BTreeSet::from([voter]));
            self.raft.change_membership(change, true).await.map_err(refused)?;
        }
        let change = ChangeMembers::RemoveNodes(BTreeSet::from([voter]));
        self.raft.change_membership(change, false).await.map_err(refused)?;
        Ok(voter)
    }

    async fn transfer(&self, status: &GroupStatus, voter: VoterId) -> Result<VoterId, GroupError> {
        let member = find(status, voter)?;
        if voter == self.id {
            return Ok(voter);
        }
        if !member.votes || !is_there(member) {
            return Err(GroupError::Refused(format!("voter {voter} cannot lead now")));
        }
        self.raft.trigger().transfer_leader(voter).await.map_err(stopped)?;
        Ok(voter)
    }

    /// Hands leadership to whoever is there and has most of the log; does nothing
    /// when this voter does not lead or nobody else is there.
    pub(crate) async fn hand_over(&self) -> Result<Option<VoterId>, GroupError> {
        let status = status(&self.raft, self.clock.now());
        let others = status.voters.iter().filter(|v| v.votes && v.id != self.id && is_there(v));
        let Some(heir) = others.min_by_key(|v| v.lag.unwrap_or(u64::MAX)) else { return Ok(None) };
        if status.leader != Some(self.id) {
            return Ok(None);
        }
        self.raft.trigger().transfer_leader(heir.id).await.map_err(stopped)?;
        Ok(Some(heir.id))
    }
}

fn find(status: &GroupStatus, voter: VoterId) -> Result<&VoterStatus, GroupError> {
    let found = status.voters.iter().find(|v| v.id == voter);
    found.ok_or_else(|| GroupError::Refused(format!("there is no voter {voter}")))
}

fn is_there(voter: &VoterStatus) -> bool {
    voter.silent_ms.is_some_and(|silent| u128::from(silent) <= THERE_WITHIN.as_millis())
}

fn count_votes(status: &GroupStatus) -> usize {
    status.voters.iter().filter(|v| v.votes).count()
}

/// Refuses a removal after which those who are there would be no majority.
fn check_quorum_without(status: &GroupStatus, voter: VoterId) -> Result<(), GroupError> {
    let rest: BTreeMap<VoterId, bool> = status
        .voters
        .iter()
        .filter(|v| v.votes && v.id != voter)
        .map(|v| (v.id, is_there(v)))
        .collect();
    let there = rest.values().filter(|there| **there).count();
    if there > rest.len() / 2 {
        return Ok(());
    }
    Err(GroupError::Refused(format!(
        "without voter {voter} only {there} of {} voters would be there: no quorum",
        rest.len()
    )))
}

fn refused(error: RaftError<TypeConfig, ClientWriteError<TypeConfig>>) -> GroupError {
    match error {
        RaftError::Fatal(fatal) => stopped(fatal),
        RaftError::APIError(error) => GroupError::Refused(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status_of(voters: &[(VoterId, bool)]) -> GroupStatus {
        let voters = voters.iter().map(|(id, there)| VoterStatus {
            id: *id,
            address: format!("10.0.0.{id}:7100"),
            votes: true,
            lag: Some(0),
            silent_ms: there.then_some(100),
        });
        GroupStatus {
            by: 1,
            leader: Some(1),
            term: 1,
            last_log: 9,
            applied: 9,
            snapshot: 0,
            changing: false,
            voters: voters.collect(),
            now: None,
        }
    }

    #[test]
    fn a_removal_that_costs_the_quorum_is_refused() {
        let healthy = status_of(&[(1, true), (2, true), (3, true)]);
        assert_eq!(check_quorum_without(&healthy, 3), Ok(()));
        let one_down = status_of(&[(1, true), (2, true), (3, false)]);
        assert_eq!(check_quorum_without(&one_down, 3), Ok(()), "the one that is down may go");
        assert!(matches!(check_quorum_without(&one_down, 2), Err(GroupError::Refused(_))));
        let alone = status_of(&[(1, true)]);
        assert!(matches!(check_quorum_without(&alone, 1), Err(GroupError::Refused(_))));
    }
}
