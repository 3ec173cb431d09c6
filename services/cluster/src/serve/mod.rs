//! A process's own roles, offered to the others over the network. Requests are
//! unpacked here, once, and handed to the same traits that roles of one process
//! use among each other.

mod deliver;
mod follow;
mod link;
mod raft;
mod roles;

use crate::{About, PresenceGroup};
use bytes::Bytes;
use frontdesk_core::ids::NodeId;
use frontdesk_core::presence::Founding;
use frontdesk_proto::api::{Desk, Queueing, Routing, Sessions};
use frontdesk_proto::internal::gateway_service_server::GatewayServiceServer;
use frontdesk_proto::internal::raft_service_server::RaftServiceServer;
use frontdesk_proto::internal::role_service_server::RoleServiceServer;
use frontdesk_proto::internal::sessions_service_server::SessionsServiceServer;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tonic::service::Routes;

/// Bytes of one request: a Raft snapshot of 100,000 agents.
const MAX_REQUEST_BYTES: usize = 96 * 1024 * 1024;

/// What a process offers to the others.
#[derive(Clone, Default)]
pub struct Offer {
    /// The voter.
    pub presence: Option<PresenceGroup>,
    /// How far a founder is that has no voter yet.
    pub founding: Option<watch::Receiver<Founding>>,
    /// The owner of conversations.
    pub sessions: Option<Arc<dyn Sessions>>,
    /// The keeper of queues.
    pub queueing: Option<Arc<dyn Queueing>>,
    /// The router.
    pub routing: Option<Arc<dyn Routing>>,
    /// The desk.
    pub desk: Option<Arc<dyn Desk>>,
    /// The gateway, and where deliveries go that come without the broker.
    pub gateway: Option<(NodeId, mpsc::Sender<Bytes>)>,
    /// Feeds a gateway without the broker for a while.
    pub feed_directly: Option<Arc<dyn Fn(NodeId) + Send + Sync>>,
    /// Tells of the process itself.
    pub about: Option<Arc<dyn Fn() -> About + Send + Sync>>,
}

/// The services of an offer.
pub fn routes(offer: &Offer) -> Routes {
    let roles = RoleServiceServer::new(roles::Roles::new(offer.clone()))
        .max_decoding_message_size(MAX_REQUEST_BYTES)
        .max_encoding_message_size(usize::MAX);
    let mut routes = Routes::new(roles);
    if let Some(sessions) = &offer.sessions {
        let link = link::Links::new(sessions.clone());
        routes = routes.add_service(
            SessionsServiceServer::new(link).max_decoding_message_size(MAX_REQUEST_BYTES),
        );
    }
    if let Some(group) = &offer.presence {
        let raft = raft::Raft::new(group.clone());
        routes = routes.add_service(
            RaftServiceServer::new(raft)
                .max_decoding_message_size(MAX_REQUEST_BYTES)
                .max_encoding_message_size(usize::MAX),
        );
    }
    if let Some((node, inlet)) = &offer.gateway {
        let deliver = deliver::Deliveries::new(node.clone(), inlet.clone());
        routes = routes.add_service(
            GatewayServiceServer::new(deliver).max_decoding_message_size(MAX_REQUEST_BYTES),
        );
    }
    routes
}
