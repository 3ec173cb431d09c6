//! Deliveries to gateways without the broker: one stream for each gateway, opened
//! when it is first needed and closed when it is not used.

use crate::fabric::Cluster;
use bytes::Bytes;
use frontdesk_core::ids::NodeId;
use frontdesk_proto::api::ApiError;
use frontdesk_proto::convert::error_from_status;
use frontdesk_proto::internal::DeliverRequest;
use frontdesk_proto::internal::gateway_service_client::GatewayServiceClient;
use frontdesk_telemetry::tasks;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Batches that may wait for one gateway: what is lost beyond is healed by it.
const WAITING: usize = 4_096;
/// Batches in one message.
const BATCH: usize = 64;
/// Messages that may wait for the network.
const IN_FLIGHT: usize = 16;
/// A stream that carried nothing for this long is closed.
const IDLE: Duration = Duration::from_secs(10);
/// The longest one message may wait for a gateway that does not read.
const STALLED: Duration = Duration::from_secs(5);

/// See the module.
pub struct DirectFeed {
    cluster: Arc<Cluster>,
    feeds: Mutex<HashMap<NodeId, mpsc::Sender<Bytes>>>,
}

impl DirectFeed {
    /// By way of this process's connection to the cluster.
    pub fn new(cluster: Arc<Cluster>) -> Self {
        Self { cluster, feeds: Mutex::default() }
    }

    /// Sends an encoded `DeliveryBatch`; never waits. False when the gateway is
    /// not there or too far behind.
    pub fn push(&self, gateway: &NodeId, batch: Bytes) -> bool {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        let batch = match feeds.get(gateway).map(|feed| feed.try_send(batch.clone())) {
            Some(Ok(())) => return true,
            Some(Err(mpsc::error::TrySendError::Full(_))) => return false,
            // Its stream has ended.
            Some(Err(mpsc::error::TrySendError::Closed(batch))) => batch,
            None => batch,
        };
        feeds.retain(|_, feed| !feed.is_closed());
        let view = self.cluster.view().borrow().clone();
        let Some(member) = view.member(gateway) else { return false };
        let Ok(channel) = self.cluster.channels().to(&member.address) else { return false };
        let (feed, waiting) = mpsc::channel(WAITING);
        // Fits: the channel is new.
        let _ = feed.try_send(batch);
        feeds.insert(gateway.clone(), feed);
        let client = GatewayServiceClient::new(channel);
        // Ends with the stream, when it is idle, or when the feed is dropped.
        tasks::spawn("bus.feed", run(gateway.clone(), client, waiting));
        true
    }
}

async fn run(
    gateway: NodeId,
    mut client: GatewayServiceClient<tonic::transport::Channel>,
    mut waiting: mpsc::Receiver<Bytes>,
) {
    let (out, stream) = mpsc::channel(IN_FLIGHT);
    let pumped = pump(&gateway, &mut waiting, out);
    let delivered = client.deliver(ReceiverStream::new(stream));
    let ended: Result<(), ApiError> = tokio::select! {
        pumped = pumped => pumped,
        delivered = delivered => delivered.map(|_| ()).map_err(|s| error_from_status(&s)),
    };
    if let Err(error) = ended {
        tracing::debug!(%gateway, %error, "a gateway could not be fed directly");
    }
}

async fn pump(
    gateway: &NodeId,
    waiting: &mut mpsc::Receiver<Bytes>,
    out: mpsc::Sender<DeliverRequest>,
) -> Result<(), ApiError> {
    let mut taken = Vec::new();
    loop {
        match tokio::time::timeout(IDLE, waiting.recv_many(&mut taken, BATCH)).await {
            Ok(0) | Err(_) => return Ok(()),
            Ok(_) => {}
        }
        let batches = std::mem::take(&mut taken);
        let request = DeliverRequest { gateway: gateway.to_string(), batches };
        let sent = tokio::time::timeout(STALLED, out.send(request)).await;
        if !matches!(sent, Ok(Ok(()))) {
            return Err(ApiError::unavailable("the gateway does not read"));
        }
    }
}
