//! Routing, asked over the network: the owner of the agent's site.

use super::{DEADLINE, RemoteObserver};
use crate::fabric::{Cluster, Question, RoutingQuestion};
use async_trait::async_trait;
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{AgentId, ConversationId, OfferId, SiteId};
use frontdesk_core::party::Principal;
use frontdesk_core::presence::NodeRole;
use frontdesk_core::shard::ShardId;
use frontdesk_proto::api::{ApiError, Explanation, Routing, WorkObserver};
use std::sync::Arc;

/// See the module.
pub struct RemoteRouting {
    cluster: Arc<Cluster>,
    observer: RemoteObserver,
}

impl RemoteRouting {
    /// By way of this process's connection to the cluster.
    pub fn new(cluster: Arc<Cluster>) -> Self {
        Self { observer: RemoteObserver::routing(cluster.clone()), cluster }
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        site: &SiteId,
        question: RoutingQuestion,
    ) -> Result<T, ApiError> {
        let (shard, question) = (ShardId::of_site(site), Question::Routing(question));
        self.cluster.ask_owner(NodeRole::Routing, shard, &question, DEADLINE).await
    }
}

#[async_trait]
impl WorkObserver for RemoteRouting {
    async fn observe(&self, changed: Vec<Arc<Summary>>) -> Result<(), ApiError> {
        self.observer.observe(changed).await
    }
}

#[async_trait]
impl Routing for RemoteRouting {
    async fn accept(
        &self,
        who: &Principal,
        conversation: ConversationId,
        offer: OfferId,
    ) -> Result<(), ApiError> {
        let question = RoutingQuestion::Accept { who: who.clone(), conversation, offer };
        self.ask(&who.site, question).await
    }

    async fn decline(
        &self,
        who: &Principal,
        conversation: ConversationId,
        offer: OfferId,
        reason: &str,
    ) -> Result<(), ApiError> {
        let reason = reason.to_owned();
        let question = RoutingQuestion::Decline { who: who.clone(), conversation, offer, reason };
        self.ask(&who.site, question).await
    }

    async fn take_over(
        &self,
        who: &Principal,
        conversation: ConversationId,
    ) -> Result<(), ApiError> {
        let question = RoutingQuestion::TakeOver { who: who.clone(), conversation };
        self.ask(&who.site, question).await
    }

    async fn tell(&self, site: &SiteId, agent: AgentId, frame: Vec<u8>) -> Result<(), ApiError> {
        self.ask(site, RoutingQuestion::Tell { site: site.clone(), agent, frame }).await
    }

    async fn guest_in(
        &self,
        site: &SiteId,
        agent: AgentId,
    ) -> Result<Vec<ConversationId>, ApiError> {
        self.ask(site, RoutingQuestion::GuestIn { site: site.clone(), agent }).await
    }

    async fn asked_in(
        &self,
        site: &SiteId,
        agent: AgentId,
    ) -> Result<Vec<ConversationId>, ApiError> {
        self.ask(site, RoutingQuestion::AskedIn { site: site.clone(), agent }).await
    }

    async fn explain(
        &self,
        site: &SiteId,
        conversation: ConversationId,
    ) -> Result<Option<Explanation>, ApiError> {
        self.ask(site, RoutingQuestion::Explain { site: site.clone(), conversation }).await
    }
}
