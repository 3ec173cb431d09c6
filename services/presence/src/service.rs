//! The role: API calls in, commands to the group, answers out.

use super::error::{PresenceError, from_group};
use super::metrics::{self, Outcome};
use super::{census, expiry, settings::PresenceSettings, steward};
use async_trait::async_trait;
use frontdesk_cluster::{
    Clock, Disk, GroupSettings, PlacementChange, PresenceGroup, RaftTransport,
};
use frontdesk_core::ids::{Epoch, NodeId, SiteId};
use frontdesk_core::presence::{
    Action, AgentKey, AgentView, Member, NodeRole, Place, Placement, Reply, RequestId,
};
use frontdesk_core::shard::ShardId;
use frontdesk_proto::api::{ApiError, PresenceChange, PresencePort};
use frontdesk_telemetry::tasks;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// The presence role of this process. `shutdown` ends it.
pub struct PresenceService {
    group: PresenceGroup,
    /// Expiry, census and steward; stopped before the group.
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl PresenceService {
    /// Opens the group and waits until it has a leader.
    pub async fn start(
        settings: &PresenceSettings,
        transport: Arc<dyn RaftTransport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, PresenceError> {
        let presence = Self::open(settings, transport, clock).await?;
        if let Err(error) = presence.group.ready(settings.ready_within()).await {
            presence.shutdown().await;
            return Err(PresenceError::NotReady(error));
        }
        Ok(presence)
    }

    /// Opens the group and starts to let time pass and, in a cluster, to look after
    /// nodes and placement. The other voters must be able to reach this one before
    /// there can be a leader: see `PresenceGroup::ready`.
    pub async fn open(
        settings: &PresenceSettings,
        transport: Arc<dyn RaftTransport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, PresenceError> {
        let disk = Disk::Folder(settings.folder.clone());
        Self::open_on(disk, settings, transport, clock).await
    }

    /// As `open`, with its file elsewhere than the settings say.
    pub async fn open_on(
        disk: Disk,
        settings: &PresenceSettings,
        transport: Arc<dyn RaftTransport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, PresenceError> {
        let group = PresenceGroup::open(
            GroupSettings::default(),
            disk,
            settings.voter,
            settings.peers(),
            transport,
            clock.clone(),
        )
        .await
        .map_err(PresenceError::Open)?;
        // All are owned by `tasks` and end in `shutdown`.
        let mut tasks = vec![
            tasks::spawn("presence.expiry", expiry::run(group.clone(), clock.clone())),
            tasks::spawn("presence.census", census::run(group.clone())),
        ];
        if let Some(ttl) = settings.node_ttl() {
            tasks.push(tasks::spawn("presence.steward", steward::run(group.clone(), clock, ttl)));
        }
        Ok(Arc::new(Self { group, tasks: Mutex::new(tasks) }))
    }

    /// The voter, for the receiving end of a transport and for readiness.
    pub fn group(&self) -> &PresenceGroup {
        &self.group
    }

    /// A node of this process takes part in a role. Whatever an older incarnation
    /// of it had is gone. `State` when a newer incarnation is there.
    pub async fn join_node(&self, node: NodeId, role: NodeRole) -> Result<(), ApiError> {
        self.act(Action::JoinNode { node, role, address: Arc::from("") }).await.map(|_| ())
    }

    /// A node gets no more shards.
    pub async fn drain_node(&self, node: NodeId) -> Result<(), ApiError> {
        self.act(Action::DrainNode { node }).await.map(|_| ())
    }

    /// A node is dead or has left; its agents' connections are gone at once.
    pub async fn drop_gateway(&self, node: NodeId) -> Result<(), ApiError> {
        self.act(Action::RemoveNode { node }).await.map(|_| ())
    }

    /// Gives all shards of conversations to one node, which has joined as
    /// `Sessions`, each with a new epoch, and returns the epochs.
    pub async fn assign_all_shards(&self, node: NodeId) -> Result<Vec<(ShardId, Epoch)>, ApiError> {
        let (role, shards) = (NodeRole::Sessions, ShardId::all().collect());
        match self.act(Action::AssignShards { role, shards, node }).await? {
            Reply::Shards(placed) => {
                Ok(placed.into_iter().map(|(place, p)| (place.shard, p.epoch)).collect())
            }
            other => Err(ApiError::Internal(format!("presence answered {other}"))),
        }
    }

    /// Owner and epoch of every shard that was ever assigned.
    pub async fn placement(&self) -> Result<Vec<(Place, Placement)>, ApiError> {
        let placed = self.group.read(|s| s.placement().map(|(s, p)| (s, p.clone())).collect());
        placed.await.map_err(from_group)
    }

    /// Changes of the placement from now on.
    pub fn placement_changes(&self) -> broadcast::Receiver<PlacementChange> {
        self.group.placement_changes()
    }

    /// The live nodes.
    pub async fn members(&self) -> Result<Vec<Member>, ApiError> {
        self.group.read(|s| s.members().cloned().collect()).await.map_err(from_group)
    }

    /// Stops the tasks, then the group, and closes its files.
    pub async fn shutdown(&self) {
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            task.abort();
            // Cancelled is what was asked for.
            let _ = task.await;
        }
        self.group.shutdown().await;
    }
}

#[async_trait]
impl PresencePort for PresenceService {
    /// Under a new request id; the group retries with that same id.
    async fn propose(&self, action: Action) -> Result<Reply, ApiError> {
        let name = action.name();
        let started = Instant::now();
        let request = RequestId::from_uuid(Uuid::now_v7());
        let answer = self.group.propose(request, action).await;
        let outcome = match &answer {
            Ok(Reply::Refused(_)) => Outcome::Refused,
            Ok(_) => Outcome::Done,
            Err(_) => Outcome::Failed,
        };
        metrics::command(name, outcome, started.elapsed());
        answer.map_err(from_group)
    }

    async fn view(&self, key: AgentKey) -> Result<Option<AgentView>, ApiError> {
        let found = self.group.read(|state| state.agent(&key).cloned()).await;
        found.map(|agent| agent.map(Arc::unwrap_or_clone)).map_err(from_group)
    }

    async fn views(&self, site: Option<&SiteId>) -> Result<Vec<Arc<AgentView>>, ApiError> {
        let wanted = |agent: &&Arc<AgentView>| site.is_none_or(|site| agent.site == *site);
        let found = self.group.read(|state| state.agents().filter(wanted).cloned().collect());
        found.await.map_err(from_group)
    }

    fn changes(&self) -> broadcast::Receiver<PresenceChange> {
        self.group.agent_changes()
    }
}
