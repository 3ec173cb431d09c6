//! Tells the keepers of queues, or the routers, what has changed: each summary
//! goes to the owner of its site.

use super::DEADLINE;
use crate::fabric::{Cluster, Question, QueueingQuestion, RoutingQuestion};
use async_trait::async_trait;
use frontdesk_core::conversation::Summary;
use frontdesk_core::presence::NodeRole;
use frontdesk_core::shard::ShardId;
use frontdesk_proto::api::{ApiError, WorkObserver};
use futures::future::join_all;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Observers of one role, elsewhere.
pub struct RemoteObserver {
    cluster: Arc<Cluster>,
    role: NodeRole,
}

impl RemoteObserver {
    /// Those who keep queues.
    pub fn queueing(cluster: Arc<Cluster>) -> Self {
        Self { cluster, role: NodeRole::Queueing }
    }

    /// Those who match.
    pub fn routing(cluster: Arc<Cluster>) -> Self {
        Self { cluster, role: NodeRole::Routing }
    }

    fn question(&self, changed: Vec<Arc<Summary>>) -> Question {
        match self.role {
            NodeRole::Routing => Question::Routing(RoutingQuestion::Observe(changed)),
            _ => Question::Queueing(QueueingQuestion::Observe(changed)),
        }
    }
}

#[async_trait]
impl WorkObserver for RemoteObserver {
    async fn observe(&self, changed: Vec<Arc<Summary>>) -> Result<(), ApiError> {
        let mut by_shard: BTreeMap<ShardId, Vec<Arc<Summary>>> = BTreeMap::new();
        for summary in changed {
            by_shard.entry(ShardId::of_site(&summary.site)).or_default().push(summary);
        }
        let told = by_shard.into_iter().map(|(shard, changed)| {
            let question = self.question(changed);
            async move { self.cluster.ask_owner::<()>(self.role, shard, &question, DEADLINE).await }
        });
        join_all(told).await.into_iter().collect()
    }
}
