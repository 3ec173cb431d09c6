//! Forgetting a visitor, and what becomes of one conversation then.

use super::find::find;
use crate::audit;
use crate::peer::Peer;
use crate::shared::{CALL_DEADLINE, Shared, within};
use frontdesk_core::audit::Act;
use frontdesk_core::conversation::{Command, ErasedWhy};
use frontdesk_core::ids::{AttachmentId, ConversationId, SiteId};
use frontdesk_core::party::{Origin, Principal};
use frontdesk_core::privacy::Remains;
use frontdesk_proto::api::{ApiError, AttachmentFilter, Envelope};
use frontdesk_proto::v1;
use serde_json::json;
use std::time::Duration;

/// The files of an embedded store are written anew at the end: some seconds a gigabyte.
const SCRUB_DEADLINE: Duration = Duration::from_secs(600);

/// Forgets a visitor, once it is written down by whom; `dry_run` only counts.
pub(crate) async fn erase(
    shared: &Shared,
    who: &Principal,
    peer: Peer,
    wanted: &str,
    dry_run: bool,
) -> Result<v1::EraseVisitorResponse, ApiError> {
    let found = find(shared, &who.site, wanted).await?;
    let mut answer = v1::EraseVisitorResponse {
        visitors: found.keys().map(ToString::to_string).collect(),
        ..Default::default()
    };
    if dry_run {
        for summary in found.values().flatten() {
            answer.conversations += u32::from(!summary.erased);
            answer.files += files_of(shared, &who.site, summary.id).await?.len() as u32;
        }
        return Ok(answer);
    }
    for (visitor, conversations) in &found {
        let details = json!({ "conversations": conversations.len() });
        audit::record_of(shared, who, peer, Act::ERASE_VISITOR, visitor, details).await?;
    }
    for summary in found.into_values().flatten() {
        // Also of one that is erased: its files may be what was not done the last time.
        answer.files += forget(shared, &who.site, summary.id, ErasedWhy::Request).await?;
        answer.conversations += u32::from(!summary.erased);
    }
    let remains = within(SCRUB_DEADLINE, "sessions", shared.deps.sessions.scrub()).await?;
    answer.until_vacuum = remains == Remains::UntilVacuum;
    Ok(answer)
}

/// Erases one conversation and its files; gives how many those were.
pub(super) async fn forget(
    shared: &Shared,
    site: &SiteId,
    conversation: ConversationId,
    why: ErasedWhy,
) -> Result<u32, ApiError> {
    // From now on nothing more is uploaded to it.
    let command = Command::Erase { why };
    let envelope = Envelope { conversation, origin: Origin::System, command };
    within(CALL_DEADLINE, "sessions", shared.deps.sessions.submit(envelope)).await?;
    let files = files_of(shared, site, conversation).await?;
    remove(shared, site, files).await
}

async fn files_of(
    shared: &Shared,
    site: &SiteId,
    conversation: ConversationId,
) -> Result<Vec<AttachmentId>, ApiError> {
    let filter = AttachmentFilter::OfConversation(conversation);
    let files = shared.deps.desk.attachments(site, filter);
    Ok(within(CALL_DEADLINE, "desk", files).await?.into_iter().map(|file| file.id).collect())
}

/// Removes the bytes of files, then what is known of them: so that nothing is left that
/// nobody knows of.
pub(super) async fn remove(
    shared: &Shared,
    site: &SiteId,
    files: Vec<AttachmentId>,
) -> Result<u32, ApiError> {
    if files.is_empty() {
        return Ok(0);
    }
    for id in &files {
        let removed = shared.deps.blobs.delete(site, *id);
        within(CALL_DEADLINE, "attachments", removed).await?;
    }
    let count = files.len() as u32;
    let forgotten = shared.deps.desk.remove_attachments(site, files);
    within(CALL_DEADLINE, "desk", forgotten).await?;
    Ok(count)
}
