//! What happened in conversations, for figures: read from the journal alone, so that the
//! same is found however often it is asked. Brings nothing into memory to stay.

use crate::service::{PAGE_BYTES, SessionsService, within_deadline};
use frontdesk_core::conversation::Summary;
use frontdesk_core::figures::{Fold, Record};
use frontdesk_core::ids::{ConversationId, Seq, SiteId};
use frontdesk_core::party::Audience;
use frontdesk_proto::api::{ApiError, Place, RecordPage};
use frontdesk_proto::convert::decode_event;
use frontdesk_store::journal::{ListQuery, ReadQuery};
use futures::stream::{StreamExt as _, iter};
use std::sync::Arc;

/// Conversations that are read together.
const LOOKS: usize = 8;
/// Events after which a page ends: some 100 ms of reading.
const PAGE_EVENTS: u32 = 20_000;
/// Events of one read.
const READ: u32 = 1_000;
/// Conversations of one page.
const MOST: u32 = 500;

impl SessionsService {
    pub(crate) async fn recorded(
        &self,
        site: &SiteId,
        from: Place,
        limit: u32,
    ) -> Result<RecordPage, ApiError> {
        let limit = limit.clamp(1, MOST);
        let query = ListQuery::Changed { site: site.clone(), from: from.from, after: from.after };
        let rows = within_deadline(self.journal.list(query, limit)).await?;
        let is_last = rows.len() < limit as usize;
        let mut page = RecordPage::default();
        let mut events = 0;
        let read = |row: Arc<Summary>| async move {
            let place = Place { from: row.last_at, after: Some(row.id) };
            (place, self.record_of(row.id).await)
        };
        let mut records = iter(rows).map(read).buffered(LOOKS);
        while let Some((place, record)) = records.next().await {
            let (record, length) = record?;
            page.records.extend(record);
            page.next = Some(place);
            events += length;
            if events >= PAGE_EVENTS {
                return Ok(page);
            }
        }
        if is_last {
            page.next = None;
        }
        Ok(page)
    }

    /// With the number of its events; `None` when it is damaged: it must not hide the
    /// others.
    async fn record_of(
        &self,
        conversation: ConversationId,
    ) -> Result<(Option<Record>, u32), ApiError> {
        let mut fold = Fold::new(conversation);
        let mut after = Seq::ZERO;
        loop {
            let query = ReadQuery {
                conversation,
                audience: Audience::Internal,
                after,
                limit: READ,
                max_bytes: PAGE_BYTES,
                backwards: false,
            };
            let page = within_deadline(self.journal.read(query)).await?;
            for stored in &page.records {
                match decode_event(&stored.payload, stored.prev_public) {
                    Ok(event) => fold.apply(&event),
                    Err(error) => {
                        tracing::error!(%conversation, %error, "an event cannot be understood");
                        return Ok((None, after.get()));
                    }
                }
                after = stored.seq;
            }
            if !page.more {
                return Ok((Some(fold.finish()), after.get()));
            }
        }
    }
}
