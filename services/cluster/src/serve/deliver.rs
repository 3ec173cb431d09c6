//! Deliveries that reach a gateway without the broker.

use bytes::Bytes;
use frontdesk_core::ids::NodeId;
use frontdesk_proto::internal::gateway_service_server::GatewayService;
use frontdesk_proto::internal::{DeliverReply, DeliverRequest};
use tokio::sync::mpsc;
use tonic::{Request, Response, Status, Streaming};

pub(super) struct Deliveries {
    node: NodeId,
    inlet: mpsc::Sender<Bytes>,
}

impl Deliveries {
    pub(super) fn new(node: NodeId, inlet: mpsc::Sender<Bytes>) -> Self {
        Self { node, inlet }
    }
}

#[tonic::async_trait]
impl GatewayService for Deliveries {
    async fn deliver(
        &self,
        request: Request<Streaming<DeliverRequest>>,
    ) -> Result<Response<DeliverReply>, Status> {
        let mut stream = request.into_inner();
        while let Some(message) = stream.message().await? {
            if !message.gateway.is_empty() && message.gateway != self.node.as_str() {
                return Err(Status::failed_precondition("another gateway has this address now"));
            }
            for batch in message.batches {
                // A gateway that cannot keep up slows this stream; the publisher's
                // own bound then says so.
                if self.inlet.send(batch).await.is_err() {
                    return Err(Status::unavailable("the gateway stops"));
                }
            }
        }
        Ok(Response::new(DeliverReply {}))
    }
}
