//! The receiving end of the voters' transport.

use crate::fabric::{Call, answer};
use crate::{GroupError, PeerRequest, PresenceGroup, RequestKind};
use frontdesk_proto::internal::raft_call::Kind;
use frontdesk_proto::internal::raft_service_server::RaftService;
use frontdesk_proto::internal::{RaftAnswer, RaftCall};
use tonic::{Request, Response, Status};

pub(super) struct Raft {
    group: PresenceGroup,
}

impl Raft {
    pub(super) fn new(group: PresenceGroup) -> Self {
        Self { group }
    }
}

#[tonic::async_trait]
impl RaftService for Raft {
    async fn call(&self, request: Request<RaftCall>) -> Result<Response<RaftAnswer>, Status> {
        let (metadata, _, call) = request.into_parts();
        if call.voter != self.group.id() {
            return Err(Status::failed_precondition("another voter has this address now"));
        }
        let kind = match call.kind() {
            Kind::Append => RequestKind::Append,
            Kind::Vote => RequestKind::Vote,
            Kind::PreVote => RequestKind::PreVote,
            Kind::Snapshot => RequestKind::Snapshot,
            Kind::TransferLeader => RequestKind::TransferLeader,
            Kind::Propose => RequestKind::Propose,
            Kind::ReadIndex => RequestKind::ReadIndex,
            Kind::Heartbeat => RequestKind::Heartbeat,
            Kind::Membership => RequestKind::Membership,
            Kind::Unspecified => return Err(Status::unimplemented("unknown kind of request")),
        };
        let name = Call::raft(call.kind());
        let handled = async {
            let request = PeerRequest { kind, body: call.body.into() };
            match self.group.handle(request).await {
                Ok(body) => Ok(RaftAnswer { body: body.into() }),
                Err(error @ GroupError::Malformed(_)) => {
                    Err(Status::invalid_argument(error.to_string()))
                }
                Err(error) => Err(Status::unavailable(error.to_string())),
            }
        };
        answer(&metadata, name, handled).await
    }
}
