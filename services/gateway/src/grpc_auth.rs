//! `AuthService`: the token calls over gRPC. Programs, not pages: no Origin.

use crate::auth;
use crate::peer::Peer;
use crate::shared::Shared;
use frontdesk_proto::status::to_status;
use frontdesk_proto::v1;
use frontdesk_proto::v1::auth_service_server::AuthService;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// The service.
pub(crate) struct Auth {
    shared: Arc<Shared>,
}

impl Auth {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

#[tonic::async_trait]
impl AuthService for Auth {
    async fn issue_visitor_token(
        &self,
        request: Request<v1::IssueVisitorTokenRequest>,
    ) -> Result<Response<v1::Token>, Status> {
        let request = request.into_inner();
        let site = auth::site_of_key(&self.shared, &request.site_key, None)
            .await
            .map_err(|e| to_status(&e))?;
        auth::visitor_token(&self.shared, &site.id, &request.previous_token)
            .map(Response::new)
            .map_err(|e| to_status(&e))
    }

    async fn sign_in(
        &self,
        request: Request<v1::SignInRequest>,
    ) -> Result<Response<v1::Token>, Status> {
        let peer = request.extensions().get::<Peer>().copied().unwrap_or_default();
        auth::sign_in(&self.shared, peer.0, request.get_ref())
            .await
            .map(Response::new)
            .map_err(|e| to_status(&e))
    }
}
