//! Queueing, asked over the network: the owner of the site. Changes are followed
//! at every node of the role.

use super::{DEADLINE, RemoteObserver};
use crate::fabric::{Cluster, FollowQuestion, Question, QueueingQuestion, ask, decode, encode};
use async_trait::async_trait;
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{ConversationId, NodeId, SiteId};
use frontdesk_core::presence::NodeRole;
use frontdesk_core::shard::ShardId;
use frontdesk_proto::api::{
    ApiError, QueueChange, QueueKey, QueuePosition, QueueView, Queueing, WaitingEntry, WorkObserver,
};
use frontdesk_proto::convert::error_from_status;
use frontdesk_proto::internal::role_service_client::RoleServiceClient;
use frontdesk_telemetry::tasks;
use futures::future::join_all;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio::time::timeout;
use tonic::transport::Channel;

/// Changes a slow listener may be behind before it has to ask for everything.
const CHANGES: usize = 1_024;
/// Silence after which a stream counts as dead; something comes every second.
const SILENCE: Duration = Duration::from_secs(4);
/// Before a node is followed again.
const PAUSE: Duration = Duration::from_millis(500);

/// See the module.
pub struct RemoteQueueing {
    cluster: Arc<Cluster>,
    observer: RemoteObserver,
    changes: broadcast::Sender<QueueChange>,
}

/// The task that follows the keepers of queues.
pub struct QueueingTasks(JoinHandle<()>);

impl QueueingTasks {
    /// Ends it.
    pub async fn stop(self) {
        self.0.abort();
        // Cancelled is what was asked for.
        let _ = self.0.await;
    }
}

impl RemoteQueueing {
    /// By way of this process's connection to the cluster.
    pub fn start(cluster: Arc<Cluster>) -> (Arc<Self>, QueueingTasks) {
        let (changes, _) = broadcast::channel(CHANGES);
        // Owned by `QueueingTasks`.
        let task = tasks::spawn("cluster.queues", follow_all(cluster.clone(), changes.clone()));
        let observer = RemoteObserver::queueing(cluster.clone());
        (Arc::new(Self { cluster, observer, changes }), QueueingTasks(task))
    }

    async fn of_site<T: serde::de::DeserializeOwned>(
        &self,
        site: &SiteId,
        question: QueueingQuestion,
    ) -> Result<T, ApiError> {
        let (shard, question) = (ShardId::of_site(site), Question::Queueing(question));
        self.cluster.ask_owner(NodeRole::Queueing, shard, &question, DEADLINE).await
    }
}

/// Follows each live node of the role with a task of its own.
async fn follow_all(cluster: Arc<Cluster>, changes: broadcast::Sender<QueueChange>) {
    let mut view = cluster.view();
    let mut following = JoinSet::new();
    let mut followed: HashMap<NodeId, AbortHandle> = HashMap::new();
    loop {
        let seen = view.borrow_and_update().clone();
        followed.retain(|node, task| {
            let lives = seen.member(node).is_some();
            if !lives {
                task.abort();
            }
            lives
        });
        for member in seen.of_role(NodeRole::Queueing) {
            if !followed.contains_key(&member.node)
                && let Ok(channel) = cluster.channels().to(&member.address)
            {
                let follows = follow_one(channel, changes.clone());
                let task = tasks::spawn_in(&mut following, "cluster.queues", follows);
                followed.insert(member.node.clone(), task);
            }
        }
        while following.try_join_next().is_some() {}
        if view.changed().await.is_err() {
            return;
        }
    }
}

async fn follow_one(channel: Channel, changes: broadcast::Sender<QueueChange>) {
    loop {
        if let Err(error) = one_stream(channel.clone(), &changes).await {
            tracing::debug!(%error, "a keeper of queues is followed no longer; trying again");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn one_stream(
    channel: Channel,
    changes: &broadcast::Sender<QueueChange>,
) -> Result<(), ApiError> {
    let silent = || ApiError::unavailable("the keeper of queues is silent");
    let mut client = RoleServiceClient::new(channel.clone());
    let opened = timeout(SILENCE, client.follow(encode(&FollowQuestion::Queues)?)).await;
    let mut stream = opened.map_err(|_| silent())?.map_err(|s| error_from_status(&s))?.into_inner();
    // What changed before is not in the stream.
    let question = Question::Queueing(QueueingQuestion::Active);
    tell(ask(channel, &question, DEADLINE).await?, changes);
    loop {
        let message = timeout(SILENCE, stream.message()).await.map_err(|_| silent())?;
        let Some(document) = message.map_err(|s| error_from_status(&s))? else { return Ok(()) };
        tell(decode(&document)?, changes);
    }
}

fn tell(queues: Vec<QueueKey>, changes: &broadcast::Sender<QueueChange>) {
    for queue in queues {
        // Fails when nobody listens, which is fine.
        let _ = changes.send(QueueChange { queue });
    }
}

#[async_trait]
impl WorkObserver for RemoteQueueing {
    async fn observe(&self, changed: Vec<Arc<Summary>>) -> Result<(), ApiError> {
        self.observer.observe(changed).await
    }
}

#[async_trait]
impl Queueing for RemoteQueueing {
    async fn waiting(&self, queue: &QueueKey, limit: u32) -> Result<Vec<WaitingEntry>, ApiError> {
        let question = QueueingQuestion::Waiting { queue: queue.clone(), limit };
        self.of_site(&queue.site, question).await
    }

    async fn active(&self) -> Result<Vec<QueueKey>, ApiError> {
        let view = self.cluster.view().borrow().clone();
        let question = Question::Queueing(QueueingQuestion::Active);
        let asked = view.of_role(NodeRole::Queueing).map(|member| {
            let (channel, question) = (self.cluster.channels().to(&member.address), &question);
            async move { ask::<Vec<QueueKey>>(channel?, question, DEADLINE).await }
        });
        let all: Result<Vec<_>, _> = join_all(asked).await.into_iter().collect();
        Ok(all?.into_iter().flatten().collect())
    }

    async fn queues(&self, site: &SiteId) -> Result<Vec<QueueView>, ApiError> {
        self.of_site(site, QueueingQuestion::Queues { site: site.clone() }).await
    }

    async fn position(
        &self,
        site: &SiteId,
        conversation: ConversationId,
    ) -> Result<Option<QueuePosition>, ApiError> {
        let question = QueueingQuestion::Position { site: site.clone(), conversation };
        self.of_site(site, question).await
    }

    fn subscribe(&self) -> broadcast::Receiver<QueueChange> {
        self.changes.subscribe()
    }
}
