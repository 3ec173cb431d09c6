//! Forgets what a site keeps no longer. Every gateway looks, at times of its own: what
//! another has done is not done again, and repeating it is harmless.

use super::erase::{forget, remove};
use crate::shared::{CALL_DEADLINE, Shared, within};
use frontdesk_core::conversation::ErasedWhy;
use frontdesk_core::ids::SiteId;
use frontdesk_core::privacy::Retention;
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::{ApiError, AttachmentFilter, ListFilter, Place};
use metrics::counter;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(60 * 60);
/// Before the first: a start has other things to do.
const FIRST: Duration = Duration::from_secs(5 * 60);
/// Conversations listed at a time.
const PAGE: u32 = 200;
/// Conversations erased in one look: at 5 ms each, 10 s.
const MOST: u32 = 2_000;
/// After each, so that others are served meanwhile.
const PAUSE: Duration = Duration::from_millis(5);
/// Lists of files in one look.
const FILE_LISTS: usize = 10;

/// How far each site was looked through: what was last changed before needs no look.
pub(super) type Places = HashMap<SiteId, Place>;

/// Runs until the gateway stops.
pub(crate) async fn keep(shared: Arc<Shared>) {
    let mut places = Places::new();
    // Gateways that start together look at different times.
    let spread = shared.deps.node_id.as_str().bytes().map(u64::from).sum::<u64>() % 600;
    let mut next = FIRST + Duration::from_secs(spread);
    loop {
        tokio::select! {
            () = shared.stopping.cancelled() => return,
            () = tokio::time::sleep(next) => {}
        }
        next = EVERY;
        tokio::select! {
            () = shared.stopping.cancelled() => return,
            result = look(&shared, &mut places) => if let Err(error) = result {
                tracing::warn!(%error, "what is kept no longer was not all removed; tried again");
            }
        }
    }
}

/// Looks once at every site.
pub(super) async fn look(shared: &Shared, places: &mut Places) -> Result<(), ApiError> {
    let sites = within(CALL_DEADLINE, "desk", shared.deps.desk.sites()).await?;
    for site in sites {
        let (retention, now) = (site.privacy.retention, shared.now());
        conversations(shared, &site.id, retention, now, places).await?;
        files(shared, &site.id, retention, now).await?;
    }
    Ok(())
}

async fn conversations(
    shared: &Shared,
    site: &SiteId,
    retention: Retention,
    now: Timestamp,
    places: &mut Places,
) -> Result<(), ApiError> {
    let Some(until) = retention.look_until(now) else {
        // When it is kept for a time again, all of it is looked through.
        places.remove(site);
        return Ok(());
    };
    let beginning = Place { from: Timestamp::ZERO, after: None };
    let place = places.entry(site.clone()).or_insert(beginning);
    let mut erased = 0;
    while erased < MOST {
        let list = shared.deps.sessions.list(Some(site), ListFilter::ChangedFrom(*place), PAGE);
        let list = within(CALL_DEADLINE, "sessions", list).await?;
        for summary in &list {
            if summary.last_at > until {
                return Ok(());
            }
            if retention.is_over(summary, now) {
                forget(shared, site, summary.id, ErasedWhy::Retention).await?;
                counter!("frontdesk_gateway_retention_total", "what" => "conversations")
                    .increment(1);
                erased += 1;
                tokio::time::sleep(PAUSE).await;
            }
            *place = Place { from: summary.last_at, after: Some(summary.id) };
        }
        if (list.len() as u32) < PAGE {
            return Ok(());
        }
    }
    Ok(())
}

async fn files(
    shared: &Shared,
    site: &SiteId,
    retention: Retention,
    now: Timestamp,
) -> Result<(), ApiError> {
    let Some(before) = retention.files_before(now) else { return Ok(()) };
    for _ in 0..FILE_LISTS {
        let list = shared.deps.desk.attachments(site, AttachmentFilter::Before(before));
        let list = within(CALL_DEADLINE, "desk", list).await?;
        if list.is_empty() {
            break;
        }
        let removed = remove(shared, site, list.into_iter().map(|file| file.id).collect()).await?;
        counter!("frontdesk_gateway_retention_total", "what" => "files")
            .increment(u64::from(removed));
    }
    Ok(())
}
