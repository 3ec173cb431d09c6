//! What one voter does: as the leader itself, elsewhere by asking the leader; and
//! what it answers to the other voters.

use super::changes::Published;
use super::network::{self, decode, encode};
use super::types::{Raft, TypeConfig};
use super::{
    Clock, GroupError, GroupSettings, Peer, PeerRequest, RaftTransport, RequestKind, VoterId,
    storage,
};
use crate::liveness::Liveness;
use crate::membership::MembershipChange;
use frontdesk_core::ids::NodeId;
use frontdesk_core::presence::{Action, Command, Reply, RequestId};
use openraft::ReadPolicy;
use openraft::async_runtime::WatchReceiver;
use openraft::errors::{
    ClientWriteError, Fatal, ForwardToLeader, LinearizableReadError, RaftError,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

/// Pause before a leader is looked for again; an election takes at least 600 ms.
const RETRY: Duration = Duration::from_millis(50);

/// The parts of a voter. None of its methods has a deadline of its own.
pub(crate) struct Voter {
    pub(crate) id: VoterId,
    pub(crate) settings: GroupSettings,
    pub(crate) raft: Raft,
    pub(crate) published: Arc<Published>,
    pub(crate) writer: storage::Writer,
    pub(crate) transport: Arc<dyn RaftTransport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) liveness: Arc<Liveness>,
    /// One change of who votes at a time: the same one may be asked for twice at once.
    pub(crate) changing: Semaphore,
}

/// What came of asking one voter.
enum Attempt<T> {
    Answer(T),
    /// It does not lead; perhaps this one does.
    Elsewhere(Option<Peer>),
}

impl Voter {
    /// Has the leader do something, looking for it until there is one.
    pub(crate) async fn propose(
        &self,
        request: RequestId,
        action: Action,
    ) -> Result<Reply, GroupError> {
        let mut forwarded = None;
        loop {
            match self.propose_here(request, action.clone()).await? {
                Attempt::Answer(reply) => return Ok(reply),
                Attempt::Elsewhere(Some(leader)) => {
                    let body = match &mut forwarded {
                        Some(body) => body,
                        empty => empty.insert(encode(&(request, &action)).map_err(malformed)?),
                    };
                    let answer = self.ask::<Option<Reply>>(&leader, RequestKind::Propose, body);
                    if let Some(reply) = answer.await? {
                        return Ok(reply);
                    }
                }
                Attempt::Elsewhere(None) => {}
            }
            sleep(RETRY).await;
        }
    }

    async fn propose_here(
        &self,
        request: RequestId,
        action: Action,
    ) -> Result<Attempt<Reply>, GroupError> {
        let command = Command { request, now: self.clock.now(), action };
        match self.raft.client_write(command).await {
            Ok(written) => Ok(Attempt::Answer(written.data)),
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(to))) => Ok(elsewhere(to)),
            // Discarded entries and the like: the request id makes a retry safe.
            Err(RaftError::APIError(_)) => Ok(Attempt::Elsewhere(None)),
            Err(RaftError::Fatal(fatal)) => Err(stopped(fatal)),
        }
    }

    /// Waits until the state here is as new as the leader's was on the way.
    pub(crate) async fn catch_up(&self, deadline: Duration) -> Result<(), GroupError> {
        let index = loop {
            match self.read_index_here().await? {
                Attempt::Answer(index) => break index,
                Attempt::Elsewhere(Some(leader)) => {
                    let answer = self.ask::<Option<u64>>(&leader, RequestKind::ReadIndex, &[]);
                    if let Some(index) = answer.await? {
                        break index;
                    }
                }
                Attempt::Elsewhere(None) => {}
            }
            sleep(RETRY).await;
        };
        let wait = self.raft.wait(Some(deadline));
        let applied = wait.applied_index_at_least(Some(index), "linearizable read").await;
        applied.map(|_| ()).map_err(|_| GroupError::Deadline(deadline))
    }

    async fn read_index_here(&self) -> Result<Attempt<u64>, GroupError> {
        match self.raft.get_read_log_id(ReadPolicy::ReadIndex).await {
            Ok((read, _)) => Ok(Attempt::Answer(read.index())),
            Err(RaftError::APIError(LinearizableReadError::ForwardToLeader(to))) => {
                Ok(elsewhere(to))
            }
            Err(RaftError::APIError(LinearizableReadError::QuorumNotEnough(_))) => {
                Ok(Attempt::Elsewhere(None))
            }
            Err(RaftError::Fatal(fatal)) => Err(stopped(fatal)),
        }
    }

    /// Tells the leader that a node lives; whether the node has joined.
    pub(crate) async fn heartbeat(&self, node: &NodeId) -> Result<bool, GroupError> {
        loop {
            match self.heartbeat_here(node) {
                Attempt::Answer(known) => return Ok(known),
                Attempt::Elsewhere(Some(leader)) => {
                    let body = encode(node).map_err(malformed)?;
                    let answer = self.ask::<Option<bool>>(&leader, RequestKind::Heartbeat, &body);
                    if let Some(known) = answer.await? {
                        return Ok(known);
                    }
                }
                Attempt::Elsewhere(None) => {}
            }
            sleep(RETRY).await;
        }
    }

    fn heartbeat_here(&self, node: &NodeId) -> Attempt<bool> {
        match self.leader() {
            Some(leader) if leader.id == self.id => {
                self.liveness.heard(node, Instant::now());
                Attempt::Answer(self.published.read(|s| s.members().any(|m| m.node == *node)))
            }
            leader => Attempt::Elsewhere(leader),
        }
    }

    /// Has the leader change who votes.
    pub(crate) async fn change(&self, change: MembershipChange) -> Result<VoterId, GroupError> {
        loop {
            let done = match self.change_here(change.clone()).await? {
                None => match self.leader().filter(|leader| leader.id != self.id) {
                    Some(leader) => {
                        let body = encode(&change).map_err(malformed)?;
                        self.ask::<Option<_>>(&leader, RequestKind::Membership, &body).await?
                    }
                    None => None,
                },
                done => done,
            };
            match done {
                Some(Ok(voter)) => return Ok(voter),
                Some(Err(why)) => return Err(GroupError::Refused(why)),
                None => sleep(RETRY).await,
            }
        }
    }

    /// Who leads, as far as this voter knows.
    fn leader(&self) -> Option<Peer> {
        let seen = self.raft.metrics();
        let seen = seen.borrow_watched();
        let id = seen.current_leader?;
        let nodes = seen.membership_config.membership();
        let (_, node) = nodes.nodes().find(|(known, _)| **known == id)?;
        Some(Peer { id, address: node.addr.clone() })
    }

    /// Asks who leads; a default answer when it cannot be reached now, or leads no
    /// longer while it is silent: what is asked may be asked again.
    async fn ask<T: serde::de::DeserializeOwned + Default>(
        &self,
        leader: &Peer,
        kind: RequestKind,
        body: &[u8],
    ) -> Result<T, GroupError> {
        let request = PeerRequest { kind, body: body.to_vec() };
        let answer = tokio::select! {
            biased;
            answer = self.transport.call(leader, request, self.settings.deadline) => answer,
            () = self.led_by_another_than(leader.id) => return Ok(T::default()),
        };
        match answer {
            Ok(answer) => decode(&answer).map_err(malformed),
            // The caller looks for a leader again until its own deadline.
            Err(_) => Ok(T::default()),
        }
    }

    /// Returns once somebody else leads.
    async fn led_by_another_than(&self, id: VoterId) {
        let mut seen = self.raft.metrics();
        loop {
            if seen.borrow_watched().current_leader.is_some_and(|leader| leader != id) {
                return;
            }
            if seen.changed().await.is_err() {
                // The voter has stopped; whoever asks has a deadline.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Serves another voter.
    pub(crate) async fn handle(&self, request: PeerRequest) -> Result<Vec<u8>, GroupError> {
        let body = &request.body;
        let answer = match request.kind {
            RequestKind::Append => {
                let rpc = decode(body).map_err(malformed)?;
                encode(&self.raft.append_entries(rpc).await.map_err(refused)?)
            }
            RequestKind::Vote => {
                let rpc = decode(body).map_err(malformed)?;
                encode(&self.raft.vote(rpc).await.map_err(refused)?)
            }
            RequestKind::PreVote => {
                let rpc = decode(body).map_err(malformed)?;
                encode(&self.raft.pre_vote(rpc).await.map_err(refused)?)
            }
            RequestKind::Snapshot => {
                let (vote, snapshot) = network::decode_snapshot(body).map_err(malformed)?;
                encode(&self.raft.install_full_snapshot(vote, snapshot).await.map_err(stopped)?)
            }
            RequestKind::TransferLeader => {
                let rpc = decode(body).map_err(malformed)?;
                encode(&self.raft.handle_transfer_leader(rpc).await.map_err(stopped)?)
            }
            RequestKind::Propose => {
                let (request, action) = decode(body).map_err(malformed)?;
                encode(&answered(self.propose_here(request, action).await?))
            }
            RequestKind::ReadIndex => encode(&answered(self.read_index_here().await?)),
            RequestKind::Heartbeat => {
                let node: NodeId = decode(body).map_err(malformed)?;
                encode(&answered(self.heartbeat_here(&node)))
            }
            RequestKind::Membership => {
                let change: MembershipChange = decode(body).map_err(malformed)?;
                encode(&self.change_here(change).await?)
            }
        };
        answer.map_err(malformed)
    }
}

fn answered<T>(attempt: Attempt<T>) -> Option<T> {
    match attempt {
        Attempt::Answer(answer) => Some(answer),
        Attempt::Elsewhere(_) => None,
    }
}

fn elsewhere<T>(to: ForwardToLeader<TypeConfig>) -> Attempt<T> {
    let leader = to.leader_id.zip(to.leader_node);
    Attempt::Elsewhere(leader.map(|(id, node)| Peer { id, address: node.addr }))
}

pub(crate) fn stopped(_: Fatal<TypeConfig>) -> GroupError {
    GroupError::Stopped
}

fn refused(_: RaftError<TypeConfig>) -> GroupError {
    GroupError::Stopped
}

fn malformed(error: std::io::Error) -> GroupError {
    GroupError::Malformed(error.to_string())
}
