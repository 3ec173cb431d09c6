//! Following conversations: attaching this gateway at their owners for as long
//! as anybody here follows them.

use crate::registry::Reader;
use crate::shared::{CALL_DEADLINE, Shared, within};
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_proto::api::{ApiError, Attach, Attached};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Makes the reader a follower of a conversation from `cursor` on; the owner
/// authorises it. A reader who follows already goes on from `cursor`; when that
/// is refused nothing changes.
pub(crate) async fn follow(
    shared: &Arc<Shared>,
    reader: &Arc<Reader>,
    id: ConversationId,
    cursor: Seq,
) -> Result<Attached, ApiError> {
    let was_following = shared.registry.follows(id, reader);
    // Joining comes first: what is published while the owner answers is noted.
    let turn = shared
        .registry
        .join(id, reader, cursor)
        .map_err(|_| ApiError::State("this connection follows too many conversations".into()))?;
    let request = Attach {
        conversation: id,
        who: reader.who.clone(),
        gateway: shared.deps.node_id.clone(),
        cursor,
    };
    let attaching = async {
        let _permit = take(&turn).await?;
        shared.deps.sessions.attach(request).await
    };
    match within(CALL_DEADLINE, "sessions", attaching).await {
        Ok(attached) => {
            shared.registry.attached(id, reader, cursor, attached.head);
            Ok(attached)
        }
        Err(error) => {
            if !was_following {
                unfollow(shared, reader, id);
            }
            Err(error)
        }
    }
}

/// The reader follows no longer.
pub(crate) fn unfollow(shared: &Arc<Shared>, reader: &Reader, id: ConversationId) {
    if shared.registry.leave(id, reader) {
        detach(shared, id);
    }
}

/// Detaches this gateway from a conversation, unless somebody has come back.
/// The task ends with the owner's answer or its deadline.
pub(crate) fn detach(shared: &Arc<Shared>, id: ConversationId) {
    let Some(turn) = shared.registry.abandoned(id) else {
        return;
    };
    let owner = shared.clone();
    shared.tasks.spawn(async move {
        let detaching = async {
            let _permit = take(&turn).await?;
            if owner.registry.abandoned(id).is_some() {
                owner.deps.sessions.detach(&owner.deps.node_id, id).await;
                owner.registry.forget(id);
            }
            Ok(())
        };
        // An owner that does not answer goes on publishing to a gateway that
        // drops what nobody follows: harmless.
        if let Err(error) = within(CALL_DEADLINE, "sessions", detaching).await {
            tracing::debug!(conversation = %id, %error, "could not detach");
            owner.registry.forget(id);
        }
    });
}

async fn take(turn: &Semaphore) -> Result<tokio::sync::SemaphorePermit<'_>, ApiError> {
    turn.acquire().await.map_err(|_| ApiError::Internal("a turn was closed".into()))
}
