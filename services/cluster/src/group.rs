//! One voter of the group, and the way for everybody else to it.

use super::changes::PlacementChange;
use super::liveness::Liveness;
use super::membership::{self, GroupStatus, MembershipChange};
use super::network::Network;
use super::storage::Disk;
use super::types::Raft;
use super::voter::{Voter, stopped};
use super::{
    Clock, GroupError, GroupSettings, Peer, PeerRequest, RaftTransport, VoterId, leadership,
    metrics, storage,
};
use frontdesk_core::ids::NodeId;
use frontdesk_core::presence::{Action, Founding, PresenceState, Reply, RequestId};
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::PresenceChange;
use openraft::BasicNode;
use openraft::async_runtime::WatchReceiver;
use openraft::errors::{InitializeError, RaftError};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, broadcast, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// How long `shutdown` waits for what has been proposed to be written.
const STOP: Duration = Duration::from_secs(5);

/// A handle to this process's voter; clones share it. `shutdown` ends it.
#[derive(Clone)]
pub struct PresenceGroup {
    inner: Arc<Inner>,
}

struct Inner {
    voter: Voter,
    in_flight: Semaphore,
    leading: watch::Receiver<bool>,
    follower: Mutex<Option<JoinHandle<()>>>,
}

impl PresenceGroup {
    /// Opens the voter `id` with its file on `disk`, and founds the group with
    /// `founders` when the disk is empty. All founders give the same ones, `id`
    /// among them; who joins later gives none, and waits to be told of the group.
    /// Does not wait for a leader: see `ready`.
    pub async fn open(
        settings: GroupSettings,
        disk: Disk,
        id: VoterId,
        founders: Vec<Peer>,
        transport: Arc<dyn RaftTransport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, GroupError> {
        let config = Arc::new(settings.to_raft()?);
        if !founders.is_empty() && !founders.iter().any(|peer| peer.id == id) {
            return Err(GroupError::Settings(format!("voter {id} is not among the founders")));
        }
        let opened = storage::open(disk).await;
        let storage = opened.map_err(|e| GroupError::Storage(e.to_string()))?;
        let network = Network { own: id, transport: transport.clone() };
        let raft = Raft::new(id, config, network, storage.log, storage.machine)
            .await
            .map_err(|e| GroupError::Storage(e.to_string()))?;
        if !founders.is_empty() {
            found(&raft, founders).await?;
        }
        let liveness = Arc::new(Liveness::default());
        let (leading, follower) = leadership::follow(raft.metrics(), liveness.clone());
        let in_flight = Semaphore::new(settings.max_in_flight);
        let voter = Voter {
            id,
            settings,
            raft,
            published: storage.published,
            writer: storage.writer,
            transport,
            clock,
            liveness,
            changing: Semaphore::new(1),
        };
        let follower = Mutex::new(Some(follower));
        let inner = Arc::new(Inner { voter, in_flight, leading, follower });
        Ok(Self { inner })
    }

    /// This voter's id.
    pub fn id(&self) -> VoterId {
        self.inner.voter.id
    }

    /// Waits until there is a leader and this voter has applied all that was
    /// committed before it started.
    pub async fn ready(&self, deadline: Duration) -> Result<(), GroupError> {
        let recovered = self.inner.voter.raft.wait_for_recovery(Some(deadline)).await;
        recovered.map(|_| ()).map_err(|_| GroupError::Deadline(deadline))
    }

    /// Whether the voter works; `false` after `shutdown` or an error of the disk
    /// that does not pass.
    pub fn is_running(&self) -> bool {
        self.inner.voter.raft.metrics().borrow_watched().running_state.is_ok()
    }

    /// Has the group do something, wherever the leader is, and waits until it is
    /// durable and applied there. The leader stamps its time. Retried with the
    /// same request id it acts once. At most `settings.deadline`.
    pub async fn propose(&self, request: RequestId, action: Action) -> Result<Reply, GroupError> {
        let Ok(_permit) = self.inner.in_flight.try_acquire() else {
            metrics::proposal_failed();
            return Err(GroupError::Overloaded);
        };
        let started = Instant::now();
        let deadline = self.inner.voter.settings.deadline;
        let outcome = timeout(deadline, self.inner.voter.propose(request, action)).await;
        let outcome = outcome.unwrap_or(Err(GroupError::Deadline(deadline)));
        match &outcome {
            Ok(_) => metrics::proposed(started.elapsed()),
            Err(_) => metrics::proposal_failed(),
        }
        outcome
    }

    /// Reads a state that is at least as new as everything answered before the
    /// call, on any voter. At most `settings.deadline`.
    pub async fn read<T>(&self, read: impl FnOnce(&PresenceState) -> T) -> Result<T, GroupError> {
        let deadline = self.inner.voter.settings.deadline;
        match timeout(deadline, self.inner.voter.catch_up(deadline)).await {
            Ok(caught_up) => caught_up.map(|()| self.inner.voter.published.read(read)),
            Err(_) => Err(GroupError::Deadline(deadline)),
        }
    }

    /// Reads what this voter has applied so far; it may lag.
    pub fn view<T>(&self, read: impl FnOnce(&PresenceState) -> T) -> T {
        self.inner.voter.published.read(read)
    }

    /// Tells the leader that a node lives; whether the node has joined. At most
    /// `settings.deadline`.
    pub async fn heartbeat(&self, node: &NodeId) -> Result<bool, GroupError> {
        let deadline = self.inner.voter.settings.deadline;
        let beat = timeout(deadline, self.inner.voter.heartbeat(node)).await;
        beat.unwrap_or(Err(GroupError::Deadline(deadline)))
    }

    /// Members that the leader has not heard of for longer than `ttl`; empty when
    /// this voter does not lead.
    pub fn silent(&self, ttl: Duration) -> Vec<NodeId> {
        let members: Vec<NodeId> = self.view(|s| s.members().map(|m| m.node.clone()).collect());
        self.inner.voter.liveness.silent(&members, ttl, Instant::now())
    }

    /// The group as this voter sees it.
    pub fn status(&self) -> GroupStatus {
        let voter = &self.inner.voter;
        membership::status(&voter.raft, voter.clock.now())
    }

    /// Whether this voter knows of a group that was founded: one that has had a leader.
    pub fn founding(&self) -> Founding {
        let status = self.status();
        // The first entry is the founders' own, written by each of them.
        if status.leader.is_some() || status.last_log > 0 {
            Founding::Founded
        } else {
            Founding::Prepared
        }
    }

    /// Changes who votes, wherever the leader is; gives the id of whom it is
    /// about. `Refused` when it would cost the quorum. At most ten times
    /// `settings.deadline`, as a learner may have a snapshot to take in.
    pub async fn change_voters(&self, change: MembershipChange) -> Result<VoterId, GroupError> {
        let deadline = self.inner.voter.settings.deadline * 10;
        let changed = timeout(deadline, self.inner.voter.change(change)).await;
        changed.unwrap_or(Err(GroupError::Deadline(deadline)))
    }

    /// Finishes a change of who votes that was left half done; for the leader.
    pub async fn finish_change(&self) -> Result<(), GroupError> {
        let deadline = self.inner.voter.settings.deadline;
        let finished = timeout(deadline, self.inner.voter.finish_change()).await;
        finished.unwrap_or(Err(GroupError::Deadline(deadline)))
    }

    /// Hands leadership to another voter, before a planned stop. Does nothing
    /// when this one does not lead or is alone.
    pub async fn hand_over(&self) -> Result<(), GroupError> {
        // An heir that is going to lead does so well within an election.
        let deadline = self.inner.voter.settings.election_max;
        let mut leading = self.leading();
        let handed = async {
            if self.inner.voter.hand_over().await?.is_some() {
                // An error means that the group has stopped.
                let _ = leading.wait_for(|leads| !*leads).await;
            }
            Ok(())
        };
        timeout(deadline, handed).await.unwrap_or(Err(GroupError::Deadline(deadline)))
    }

    /// Changes of agents applied here from now on.
    pub fn agent_changes(&self) -> broadcast::Receiver<PresenceChange> {
        self.inner.voter.published.agents()
    }

    /// Changes of shards' owners applied here from now on.
    pub fn placement_changes(&self) -> broadcast::Receiver<PlacementChange> {
        self.inner.voter.published.placement()
    }

    /// Rises whenever a node has joined, begun to drain or gone.
    pub fn member_changes(&self) -> watch::Receiver<u64> {
        self.inner.voter.published.members()
    }

    /// When time alone next changes the state applied here.
    pub fn next_deadline(&self) -> watch::Receiver<Option<Timestamp>> {
        self.inner.voter.published.deadline()
    }

    /// Whether this voter leads.
    pub fn leading(&self) -> watch::Receiver<bool> {
        self.inner.leading.clone()
    }

    /// Serves a request of another voter; for the receiving end of a transport.
    pub async fn handle(&self, request: PeerRequest) -> Result<Vec<u8>, GroupError> {
        self.inner.voter.handle(request).await
    }

    /// Makes a snapshot of what is applied and lets go of the log before it. At
    /// most `settings.deadline`; it then goes on in the background.
    pub async fn compact(&self) -> Result<(), GroupError> {
        let Voter { raft, settings, .. } = &self.inner.voter;
        let applied = raft.metrics().borrow_watched().last_applied;
        raft.trigger().snapshot().await.map_err(stopped)?;
        let wait = raft.wait(Some(settings.deadline));
        let made = wait.metrics(|seen| seen.snapshot >= applied, "snapshot").await;
        made.map(|_| ()).map_err(|_| GroupError::Deadline(settings.deadline))
    }

    /// Stops the voter and closes its files. Waits a few seconds at most for
    /// what is being written. Repeating it is harmless.
    pub async fn shutdown(&self) {
        let Inner { voter, follower, .. } = &*self.inner;
        let follower = follower.lock().unwrap_or_else(PoisonError::into_inner).take();
        let stop = async {
            if let Err(error) = voter.raft.shutdown().await {
                tracing::error!(%error, "the presence group did not stop cleanly");
            }
            if let Some(follower) = follower {
                // It neither panics nor is cancelled: it only copies numbers.
                let _ = follower.await;
            }
            voter.writer.stop().await;
        };
        if timeout(STOP, stop).await.is_err() {
            tracing::error!("the presence log could not be closed in time");
        }
    }
}

async fn found(raft: &Raft, founders: Vec<Peer>) -> Result<(), GroupError> {
    let members: BTreeMap<u64, BasicNode> =
        founders.into_iter().map(|peer| (peer.id, BasicNode { addr: peer.address })).collect();
    match raft.initialize(members).await {
        // Not allowed: this voter has a log or a vote, so the group exists.
        Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => Ok(()),
        Err(error) => Err(GroupError::Storage(error.to_string())),
    }
}
