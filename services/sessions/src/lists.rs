//! Lists of conversations: the journal says which, memory how they are now.
//! Brings nothing into memory.

use crate::service::{PAGE_BYTES, SessionsService, within_deadline};
use frontdesk_core::conversation::{Phase, Summary};
use frontdesk_core::ids::{Seq, SiteId};
use frontdesk_core::party::{Audience, Participant};
use frontdesk_proto::api::{ApiError, ListFilter, Place, SummaryPage};
use frontdesk_proto::convert::decode_event;
use frontdesk_store::journal::{ListQuery, ReadQuery};
use futures::stream::{StreamExt as _, TryStreamExt as _, iter};
use std::cmp::Reverse;
use std::sync::Arc;

/// Rows of a list that are looked at together.
const LOOKS: usize = 32;
/// Rows of a page, whatever is asked for: at 1 KiB each, 1 MiB.
const MOST_OF_PAGE: u32 = 1_000;

/// What to ask the journal.
pub(crate) fn query_of(site: Option<&SiteId>, filter: ListFilter) -> Result<ListQuery, ApiError> {
    let of_site = || site.cloned().ok_or_else(|| ApiError::Invalid("a list needs a site".into()));
    Ok(match filter {
        ListFilter::OfVisitor(visitor) => ListQuery::OfVisitor(of_site()?, visitor),
        ListFilter::OfAgent { agent, closed } => {
            ListQuery::OfAgent { site: of_site()?, agent, closed }
        }
        ListFilter::Waiting(queue) => ListQuery::Waiting(of_site()?, queue),
        ListFilter::AllWaiting => ListQuery::AllWaiting(of_site()?),
        ListFilter::AllAssigned => ListQuery::AllAssigned(of_site()?),
        ListFilter::All => ListQuery::OfSite(of_site()?),
        ListFilter::Open => ListQuery::Open,
        ListFilter::ChangedFrom(Place { from, after }) => {
            ListQuery::Changed { site: of_site()?, from, after }
        }
    })
}

impl SessionsService {
    pub(crate) async fn listed(
        &self,
        query: ListQuery,
        limit: u32,
    ) -> Result<Vec<Summary>, ApiError> {
        let rows = within_deadline(self.journal.list(query.clone(), limit)).await?;
        let at_a_glance = matches!(
            query,
            ListQuery::Open
                | ListQuery::AllWaiting(_)
                | ListQuery::AllAssigned(_)
                | ListQuery::Changed { .. }
        );
        if at_a_glance {
            // Reconcilers and boards look at what lists show only; that is never old.
            return Ok(rows.into_iter().map(Arc::unwrap_or_clone).collect());
        }
        let fresh = iter(rows).map(|row| self.fresh(row)).buffered(LOOKS);
        let mut list: Vec<Summary> = fresh.try_collect().await?;
        list.retain(|summary| belongs(summary, &query));
        if !matches!(query, ListQuery::Waiting(..)) {
            list.sort_by_key(|summary| Reverse(summary.last_at));
        }
        Ok(list)
    }

    /// A page of what is open, or of what was changed at a site; never brought up to date,
    /// as those who ask look at what lists show only.
    pub(crate) async fn changed_from(
        &self,
        site: Option<&SiteId>,
        from: Place,
        limit: u32,
    ) -> Result<SummaryPage, ApiError> {
        let limit = limit.clamp(1, MOST_OF_PAGE);
        let Place { from, after } = from;
        let query = match site.cloned() {
            Some(site) => ListQuery::Changed { site, from, after },
            None => ListQuery::OpenFrom { from, after },
        };
        let rows = within_deadline(self.journal.list(query, limit)).await?;
        let is_full = rows.len() >= limit as usize;
        let place = |row: &Arc<Summary>| Place { from: row.last_at, after: Some(row.id) };
        let next = rows.last().map(place).filter(|_| is_full);
        Ok(SummaryPage { summaries: rows.into_iter().map(Arc::unwrap_or_clone).collect(), next })
    }

    /// A row brought up to date: its own figures may be old.
    async fn fresh(&self, row: Arc<Summary>) -> Result<Summary, ApiError> {
        match self.look(row.id, None, true).await {
            Ok(live) => return Ok(live),
            Err(error @ ApiError::Unavailable { .. }) => return Err(error),
            // Not in memory, not here, or not to be had: one damaged conversation must not
            // hide the others.
            Err(_) => {}
        }
        let mut summary = Arc::unwrap_or_clone(row);
        for audience in [Audience::Internal, Audience::Public] {
            let query = ReadQuery {
                conversation: summary.id,
                audience,
                after: Seq::ZERO,
                limit: 1,
                max_bytes: PAGE_BYTES,
                backwards: true,
            };
            let page = within_deadline(self.journal.read(query)).await?;
            let Some(last) = page.records.last() else { continue };
            match audience {
                Audience::Internal => summary.head = last.seq,
                Audience::Public => summary.public_head = last.seq,
            }
            if let Ok(event) = decode_event(&last.payload, last.prev_public) {
                summary.last_at = summary.last_at.max(event.at);
            }
        }
        Ok(summary)
    }
}

/// Whether a conversation still belongs in a list; it may have gone elsewhere
/// since the journal was asked.
fn belongs(summary: &Summary, query: &ListQuery) -> bool {
    let is_closed = matches!(summary.phase, Phase::Closed { .. });
    match query {
        ListQuery::OfVisitor(..) | ListQuery::OfSite(_) => true,
        ListQuery::Open => !is_closed,
        // Never asked for here, or not looked through.
        ListQuery::Changed { .. }
        | ListQuery::OpenFrom { .. }
        | ListQuery::AllWaiting(_)
        | ListQuery::AllAssigned(_) => true,
        ListQuery::Waiting(_, queue) => {
            summary.queue == *queue
                && matches!(summary.phase, Phase::Waiting | Phase::Offered { .. })
        }
        ListQuery::OfAgent { agent, closed, .. } => {
            let is =
                |who: Option<&Participant>| who.and_then(Participant::agent_id) == Some(*agent);
            is(summary.phase.holder()) || (*closed && is_closed && is(summary.last_agent.as_ref()))
        }
    }
}
