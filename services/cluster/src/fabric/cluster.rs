//! A process's connection to its cluster: what it knows of the others, and how it
//! asks the group.

use super::channels::Channels;
use super::follow;
use super::member::{self, Own};
use super::question::Question;
use super::view::ClusterView;
use super::voters::Voters;
use frontdesk_core::ids::NodeId;
use frontdesk_core::presence::{Action, NodeRole, Reply};
use frontdesk_proto::api::{ApiError, PresenceChange};
use frontdesk_telemetry::tasks;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;

/// Changes of agents a listener may be behind before it has to list again.
const CHANGES: usize = 8_192;

/// What a process must know to take part.
#[derive(Debug, Clone)]
pub struct ClusterSettings {
    /// This process, with its incarnation.
    pub node: NodeId,
    /// What it does.
    pub roles: Vec<NodeRole>,
    /// `host:port` at which the others reach it.
    pub address: Arc<str>,
    /// `host:port` of the voters; at least one.
    pub voters: Vec<Arc<str>>,
}

/// The tasks that follow the group and keep this process a member.
pub struct ClusterTasks {
    tasks: Vec<JoinHandle<()>>,
}

impl ClusterTasks {
    /// Ends them; the group takes the process for dead once its time is over,
    /// unless it has left.
    pub async fn stop(self) {
        for task in self.tasks {
            task.abort();
            // Cancelled is what was asked for.
            let _ = task.await;
        }
    }
}

/// See the module.
pub struct Cluster {
    own: Own,
    channels: Arc<Channels>,
    voters: Arc<Voters>,
    view: watch::Receiver<Arc<ClusterView>>,
    agents: broadcast::Sender<PresenceChange>,
    joined: watch::Receiver<bool>,
}

impl Cluster {
    /// Begins to follow the group, and to take part in it when there are roles.
    pub fn start(settings: ClusterSettings, channels: Arc<Channels>) -> (Arc<Self>, ClusterTasks) {
        let voters = Arc::new(Voters::new(channels.clone(), settings.voters));
        let own = Own { node: settings.node, roles: settings.roles, address: settings.address };
        let (view, seen) = watch::channel(Arc::new(ClusterView::default()));
        let (joins, joined) = watch::channel(false);
        let (agents, _) = broadcast::channel(CHANGES);
        // Owned by `ClusterTasks` and ended in its `stop`.
        let mut tasks =
            vec![tasks::spawn("cluster.follow", follow::run(voters.clone(), view, agents.clone()))];
        if !own.roles.is_empty() {
            tasks.push(tasks::spawn(
                "cluster.member",
                member::run(own.clone(), voters.clone(), joins),
            ));
        }
        let cluster = Self { own, channels, voters, view: seen, agents, joined };
        (Arc::new(cluster), ClusterTasks { tasks })
    }

    /// This process.
    pub fn node(&self) -> &NodeId {
        &self.own.node
    }

    /// The channels of this process.
    pub fn channels(&self) -> &Arc<Channels> {
        &self.channels
    }

    /// Who is there and owns what, as far as is known.
    pub fn view(&self) -> watch::Receiver<Arc<ClusterView>> {
        self.view.clone()
    }

    /// Whether the group knows this process.
    pub fn joined(&self) -> watch::Receiver<bool> {
        self.joined.clone()
    }

    /// Changes of agents from now on.
    pub fn agents(&self) -> broadcast::Receiver<PresenceChange> {
        self.agents.subscribe()
    }

    /// Has the group do something, once however often it has to be asked.
    pub async fn propose(&self, action: Action) -> Result<Reply, ApiError> {
        member::propose(&self.voters, action).await
    }

    /// Asks a voter; the question must be safe to repeat.
    pub async fn ask_voters<T: DeserializeOwned>(
        &self,
        question: &Question,
        deadline: Duration,
    ) -> Result<T, ApiError> {
        self.voters.ask(question, deadline).await
    }

    /// Gives all shards away, at most within `patience`: the group moves them
    /// while this process goes on serving. Does not wait when nobody is left to
    /// take them.
    pub async fn drain(&self, patience: Duration) -> Result<(), ApiError> {
        self.propose(Action::DrainNode { node: self.own.node.clone() }).await?;
        let mut view = self.view.clone();
        let given_away = view.wait_for(|view| !self.own.roles.iter().any(|r| self.waits(view, *r)));
        match tokio::time::timeout(patience, given_away).await {
            Ok(_) => Ok(()),
            Err(_) => Err(ApiError::unavailable("some shards were not taken over in time")),
        }
    }

    /// Whether this process has shards of a role that somebody can still take.
    fn waits(&self, view: &ClusterView, role: NodeRole) -> bool {
        let own = &self.own.node;
        let owns = view.placement().any(|(place, p)| place.role == role && p.node == *own);
        owns && view.of_role(role).any(|member| member.node != *own && !member.draining)
    }

    /// Leaves: nothing is expected of this process any more.
    pub async fn leave(&self) -> Result<(), ApiError> {
        let node = self.own.node.clone();
        self.propose(Action::RemoveNode { node }).await.map(|_| ())
    }
}
