//! Following conversations: attaching this gateway at their owners for as long
//! as anybody here follows them.

use crate::registry::Reader;
use crate::shared::{CALL_DEADLINE, COMMAND_DEADLINE, Shared, within};
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_core::shard::ShardId;
use frontdesk_proto::api::{ApiError, Attach, Attached};
use frontdesk_telemetry::tasks;
use futures::stream::{StreamExt as _, iter};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Conversations attached again at a time.
const ATTACHES: usize = 256;

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

/// Detaches this gateway from a conversation, or says that its visitor has left, unless
/// somebody has come back. The task ends with the owner's answer or its deadline.
pub(crate) fn detach(shared: &Arc<Shared>, id: ConversationId) {
    let Some(turn) = shared.registry.without_visitor(id) else {
        return;
    };
    let owner = shared.clone();
    tasks::spawn_tracked(&shared.tasks, "gateway.detach", async move {
        let detaching = async {
            let _permit = take(&turn).await?;
            let (sessions, here) = (&owner.deps.sessions, &owner.deps.node_id);
            if owner.registry.abandoned(id).is_some() {
                sessions.detach(here, id).await;
                owner.registry.forget(id);
            } else if owner.registry.without_visitor(id).is_some() {
                sessions.visitor_left(here, id).await;
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

/// Attaches to the new owners of these shards for everyone who follows their
/// conversations here, and has them filled with what they may have missed.
pub(crate) async fn attach_again(shared: &Arc<Shared>, shards: &BTreeSet<ShardId>) {
    let followed = shared.registry.followed(|id| shards.contains(&ShardId::of(id)));
    let attached = iter(followed).for_each_concurrent(ATTACHES, |id| async move {
        // Its visitor before others: so the owner knows that it is here.
        for reader in shared.registry.readers(id) {
            match follow_on(shared, &reader, id).await {
                Ok(()) => return shared.registry.doubt(id),
                // Another reader may still have the right to.
                Err(error) if !error.retryable() => {
                    tracing::debug!(conversation = %id, %error, "could not be attached again");
                }
                Err(error) => {
                    tracing::warn!(conversation = %id, %error, "could not be attached again");
                }
            }
        }
    });
    attached.await;
}

async fn follow_on(
    shared: &Arc<Shared>,
    reader: &Arc<Reader>,
    id: ConversationId,
) -> Result<(), ApiError> {
    let request = Attach {
        conversation: id,
        who: reader.who.clone(),
        gateway: shared.deps.node_id.clone(),
        // Every reader is filled from its own cursor afterwards.
        cursor: Seq::ZERO,
    };
    within(COMMAND_DEADLINE, "sessions", shared.deps.sessions.attach(request)).await.map(|_| ())
}

async fn take(turn: &Semaphore) -> Result<tokio::sync::SemaphorePermit<'_>, ApiError> {
    turn.acquire().await.map_err(|_| ApiError::Internal("a turn was closed".into()))
}
