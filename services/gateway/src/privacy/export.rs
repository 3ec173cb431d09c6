//! Handing out all that is kept of a visitor.

use super::find::{events, find};
use crate::audit;
use crate::peer::Peer;
use crate::shared::{CALL_DEADLINE, Shared, within};
use frontdesk_core::audit::Act;
use frontdesk_core::conversation::Summary;
use frontdesk_core::party::{Audience, Principal, Role};
use frontdesk_proto::api::{ApiError, AttachmentFilter, AttachmentRecord};
use frontdesk_proto::convert::summary_to_state;
use frontdesk_proto::status::to_status;
use frontdesk_proto::v1;
use frontdesk_telemetry::tasks;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::mpsc;
use tonic::Status;

/// Events of one page: far below what a message may have.
const EVENTS: usize = 20;
/// Bytes of a file in one page.
const PIECE: usize = 256 * 1024;

/// Where the pages go.
pub(crate) type Pages = mpsc::Sender<Result<v1::ExportVisitorPage, Status>>;

/// Finds the visitor, writes down that it is handed out, and starts to do so.
pub(crate) async fn export(
    shared: &Arc<Shared>,
    who: &Principal,
    peer: Peer,
    wanted: &str,
    pages: Pages,
) -> Result<(), ApiError> {
    let found = find(shared, &who.site, wanted).await?;
    for (visitor, conversations) in &found {
        let details = json!({ "conversations": conversations.len() });
        audit::record_of(shared, who, peer, Act::EXPORT_VISITOR, visitor, details).await?;
    }
    let (owner, stopping) = (shared.clone(), shared.stopping.clone());
    // Ends with its caller, or when `stopping` is cancelled.
    tasks::spawn_tracked(&shared.tasks, "gateway.export", async move {
        let all = async {
            for summary in found.into_values().flatten() {
                if let Err(error) = conversation(&owner, &summary, &pages).await {
                    // Nobody to tell when the caller has hung up.
                    let _ = pages.send(Err(to_status(&error))).await;
                    return;
                }
            }
        };
        tokio::select! {
            () = all => {}
            () = pages.closed() => {}
            () = stopping.cancelled() => {
                let _ = pages.try_send(Err(Status::unavailable("the gateway is stopping")));
            }
        }
    });
    Ok(())
}

async fn conversation(shared: &Shared, summary: &Summary, pages: &Pages) -> Result<(), ApiError> {
    let send = async |page| pages.send(Ok(page)).await.map_err(|_| hung_up());
    // What the staff thinks of a visitor is not the visitor's.
    let state = v1::ConversationState {
        tags: Vec::new(),
        alarms: Vec::new(),
        extra_priority_minutes: 0,
        ..summary_to_state(summary, Audience::Internal)
    };
    send(v1::ExportVisitorPage { conversation: Some(state), ..Default::default() }).await?;
    let as_visitor = Principal {
        site: summary.site.clone(),
        role: Role::Visitor,
        id: summary.visitor.id,
        name: summary.visitor.name.clone(),
    };
    let events = events(shared, summary.id, Some(as_visitor)).await?;
    for page in events.chunks(EVENTS) {
        send(v1::ExportVisitorPage { events: page.to_vec(), ..Default::default() }).await?;
    }
    let filter = AttachmentFilter::OfConversation(summary.id);
    let files = shared.deps.desk.attachments(&summary.site, filter);
    for file in within(CALL_DEADLINE, "desk", files).await? {
        let bytes = shared.deps.blobs.get(&summary.site, file.id);
        let bytes = within(CALL_DEADLINE, "attachments", bytes).await?.unwrap_or_default();
        let mut file = Some(attachment(file));
        let mut rest = bytes;
        while file.is_some() || !rest.is_empty() {
            let bytes = rest.split_to(rest.len().min(PIECE)).to_vec();
            send(v1::ExportVisitorPage { file: file.take(), bytes, ..Default::default() }).await?;
        }
    }
    Ok(())
}

fn hung_up() -> ApiError {
    ApiError::unavailable("the caller has hung up")
}

fn attachment(file: AttachmentRecord) -> v1::Attachment {
    v1::Attachment {
        id: file.id.to_string(),
        name: file.name,
        media_type: file.media_type,
        size: file.size,
    }
}
