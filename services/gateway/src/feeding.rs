//! What a gateway does about its part in a cluster: while nothing comes through the
//! broker it asks the publishers to feed it directly, and it notices when the group
//! had taken it for dead.

use bytes::Bytes;
use frontdesk_bus::{Bus, BusWay, Published, Subscription};
use frontdesk_cluster::{Cluster, Question};
use frontdesk_core::ids::NodeId;
use frontdesk_core::presence::NodeRole;
use frontdesk_telemetry::tasks;
use futures::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often publishers are asked while nothing comes through the broker.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// Those who publish to gateways.
const PUBLISHERS: [NodeRole; 2] = [NodeRole::Sessions, NodeRole::Routing];

/// The fan-out of a gateway: while nothing comes through the broker, publishers
/// are asked to feed it directly.
pub struct FeedingBus {
    bus: Arc<dyn Bus>,
    cluster: Arc<Cluster>,
}

impl FeedingBus {
    /// Around a bus that takes what comes directly as well.
    pub fn new(bus: Arc<dyn Bus>, cluster: Arc<Cluster>) -> Self {
        Self { bus, cluster }
    }
}

impl Bus for FeedingBus {
    fn publish(&self, gateway: &NodeId, payload: Bytes) -> Published {
        self.bus.publish(gateway, payload)
    }

    /// To be called within a runtime.
    fn subscribe(&self, gateway: NodeId) -> Box<dyn Subscription> {
        let subscription = self.bus.subscribe(gateway);
        // Ends with the subscription.
        tasks::spawn("gateway.feeds", ask_for_feeds(self.cluster.clone(), subscription.live()));
        subscription
    }

    fn inspect(&self) -> Vec<BusWay> {
        self.bus.inspect()
    }
}

async fn ask_for_feeds(cluster: Arc<Cluster>, mut live: watch::Receiver<bool>) {
    while live.wait_for(|live| !*live).await.is_ok() {
        let view = cluster.view().borrow().clone();
        let publishes = |m: &&frontdesk_core::presence::Member| {
            PUBLISHERS.iter().any(|role| m.roles.contains(role))
        };
        let question = Question::FeedDirectly { gateway: cluster.node().clone() };
        let asked = view.members().filter(publishes).map(|member| {
            let (cluster, question) = (&cluster, &question);
            async move {
                if let Err(error) = cluster.tell(&member.address, question, ASK_EVERY).await {
                    tracing::debug!(node = %member.node, %error, "could not ask to be fed directly");
                }
            }
        });
        join_all(asked).await;
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// Counts how often the group had taken this process for dead; for
/// `GatewayDeps::rejoined`. Ends with its connection to the cluster.
pub async fn count_rejoins(mut joined: watch::Receiver<bool>, rejoined: watch::Sender<u64>) {
    while joined.wait_for(|known| *known).await.is_ok() {
        if joined.wait_for(|known| !*known).await.is_err()
            || joined.wait_for(|known| *known).await.is_err()
        {
            return;
        }
        rejoined.send_modify(|times| *times += 1);
    }
}
