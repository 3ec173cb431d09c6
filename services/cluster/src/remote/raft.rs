//! The sending end of the voters' transport over the network.

use crate::fabric::{Call, Channels, call};
use crate::{Peer, PeerRequest, RaftTransport, RequestKind, TransportError};
use async_trait::async_trait;
use frontdesk_proto::internal::RaftCall;
use frontdesk_proto::internal::raft_call::Kind;
use frontdesk_proto::internal::raft_service_client::RaftServiceClient;
use std::sync::Arc;
use std::time::Duration;
use tonic::Code;

/// See the module.
pub struct GrpcTransport {
    channels: Arc<Channels>,
}

impl GrpcTransport {
    /// Over the channels of this process.
    pub fn new(channels: Arc<Channels>) -> Self {
        Self { channels }
    }
}

#[async_trait]
impl RaftTransport for GrpcTransport {
    async fn call(
        &self,
        peer: &Peer,
        request: PeerRequest,
        deadline: Duration,
    ) -> Result<Vec<u8>, TransportError> {
        let channel = self.channels.to(&peer.address);
        let channel = channel.map_err(|e| TransportError::Refused(e.to_string()))?;
        let kind = kind_of(request.kind);
        let message = RaftCall { kind: kind.into(), voter: peer.id, body: request.body.into() };
        let mut client = RaftServiceClient::new(channel)
            .max_decoding_message_size(usize::MAX)
            .max_encoding_message_size(usize::MAX);
        let send = |request| async move { client.call(request).await };
        match call(Call::raft(kind), message, deadline, send).await {
            Ok(answer) => Ok(answer.body.into()),
            Err(status) => Err(match status.code() {
                Code::InvalidArgument | Code::FailedPrecondition | Code::Unimplemented => {
                    TransportError::Refused(status.message().to_owned())
                }
                Code::DeadlineExceeded => TransportError::Deadline(deadline),
                _ => TransportError::Unreachable(peer.id),
            }),
        }
    }
}

fn kind_of(kind: RequestKind) -> Kind {
    match kind {
        RequestKind::Append => Kind::Append,
        RequestKind::Vote => Kind::Vote,
        RequestKind::PreVote => Kind::PreVote,
        RequestKind::Snapshot => Kind::Snapshot,
        RequestKind::TransferLeader => Kind::TransferLeader,
        RequestKind::Propose => Kind::Propose,
        RequestKind::ReadIndex => Kind::ReadIndex,
        RequestKind::Heartbeat => Kind::Heartbeat,
        RequestKind::Membership => Kind::Membership,
    }
}
