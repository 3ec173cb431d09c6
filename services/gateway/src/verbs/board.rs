//! What only supervisors may follow: their site's board.

use super::{Handling, done};
use crate::connection::Client;
use frontdesk_core::party::Role;
use frontdesk_proto::api::ApiError;
use frontdesk_proto::v1::{self, server_frame::Frame};
use std::sync::Arc;

/// Begins or ends to follow the board.
pub(super) fn watch(client: &Arc<Client>, r: &v1::WatchBoard) -> Result<Handling, ApiError> {
    if client.who().role != Role::Supervisor {
        return Err(ApiError::Forbidden("only a supervisor may do this".into()));
    }
    if r.on {
        client.shared.boards.watch(&client.shared, &client.reader);
    } else {
        client.shared.boards.leave(&client.reader);
    }
    Ok(done(Some(Frame::Done(v1::Done {}))))
}
