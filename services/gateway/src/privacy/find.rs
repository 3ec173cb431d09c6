//! Finding a visitor: by id, or by an e-mail address that it has left or that its
//! attributes have.

use crate::shared::{CALL_DEADLINE, Shared, within};
use frontdesk_core::conversation::{Reachable, Summary};
use frontdesk_core::ids::{ConversationId, Seq, SiteId, VisitorId};
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::{ApiError, HistoryQuery, ListFilter, Place};
use frontdesk_proto::v1::{self, event::Body};
use prost::Message as _;
use std::collections::BTreeMap;

/// Conversations of one visitor: at about 1 KiB each, 20 MiB.
const MOST: u32 = 20_000;
/// Conversations of a site that are looked through at a time.
const PAGE: u32 = 500;
/// Events of one page.
const EVENTS: u32 = 200;

/// Visitors and their conversations.
pub(super) type Found = BTreeMap<VisitorId, Vec<Summary>>;

/// Finds whom `wanted` means. `NotFound` when nothing is kept of anybody.
pub(super) async fn find(shared: &Shared, site: &SiteId, wanted: &str) -> Result<Found, ApiError> {
    let visitors = match wanted.parse::<VisitorId>() {
        Ok(id) => vec![id],
        Err(_) if wanted.contains('@') => with_address(shared, site, wanted.trim()).await?,
        Err(_) => {
            let why = "a visitor is named by its id or an e-mail address";
            return Err(ApiError::Invalid(why.into()));
        }
    };
    let mut found = Found::new();
    for visitor in visitors {
        let list = shared.deps.sessions.list(Some(site), ListFilter::OfVisitor(visitor), MOST);
        let list = within(CALL_DEADLINE, "sessions", list).await?;
        if list.len() >= MOST as usize {
            return Err(ApiError::State(format!("visitor {visitor} has too many conversations")));
        }
        if !list.is_empty() {
            found.insert(visitor, list);
        }
    }
    if found.is_empty() {
        return Err(ApiError::NotFound("visitor".into()));
    }
    Ok(found)
}

/// Looks through all conversations of the site.
async fn with_address(
    shared: &Shared,
    site: &SiteId,
    address: &str,
) -> Result<Vec<VisitorId>, ApiError> {
    let mut visitors = Vec::new();
    let mut place = Place { from: Timestamp::ZERO, after: None };
    loop {
        let list = shared.deps.sessions.list(Some(site), ListFilter::ChangedFrom(place), PAGE);
        let list = within(CALL_DEADLINE, "sessions", list).await?;
        let Some(last) = list.last() else { break };
        place = Place { from: last.last_at, after: Some(last.id) };
        for summary in &list {
            let has = summary.attributes.values().any(|value| is_same(value, address));
            if has || has_left(shared, summary, address).await? {
                visitors.push(VisitorId::from_uuid(summary.visitor.id));
            }
        }
        if (list.len() as u32) < PAGE {
            break;
        }
    }
    visitors.sort_unstable();
    visitors.dedup();
    Ok(visitors)
}

async fn has_left(shared: &Shared, summary: &Summary, address: &str) -> Result<bool, ApiError> {
    if summary.reachable != Reachable::Left || summary.erased {
        return Ok(false);
    }
    let events = events(shared, summary.id, None).await?;
    Ok(events.iter().any(|event| match &event.body {
        Some(Body::ContactLeft(contact)) => is_same(&contact.email, address),
        _ => false,
    }))
}

fn is_same(value: &str, address: &str) -> bool {
    value.trim().eq_ignore_ascii_case(address)
}

/// All events of a conversation that this reader may see.
pub(super) async fn events(
    shared: &Shared,
    conversation: ConversationId,
    who: Option<frontdesk_core::party::Principal>,
) -> Result<Vec<v1::Event>, ApiError> {
    let (mut events, mut after) = (Vec::new(), Seq::ZERO);
    loop {
        let who = who.clone();
        let query = HistoryQuery { conversation, who, after, limit: EVENTS, backwards: false };
        let page = shared.deps.sessions.history(query);
        let page = within(CALL_DEADLINE, "sessions", page).await?;
        for stored in &page.events {
            after = stored.seq;
            events.push(
                v1::Event::decode(&stored.event[..])
                    .map_err(|e| ApiError::Internal(format!("event {}: {e}", stored.seq)))?,
            );
        }
        if !page.more {
            return Ok(events);
        }
    }
}
