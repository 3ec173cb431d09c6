//! What a board is drawn from: one question to each role that knows a part of it.

use super::drawn::{self, MAX_CONVERSATIONS, Seen};
use super::today::Told;
use crate::shared::{CALL_DEADLINE, Shared, within};
use frontdesk_core::ids::SiteId;
use frontdesk_proto::api::{ApiError, ListFilter};
use frontdesk_proto::v1;

/// One more than are shown: so it is known whether there are others.
const LISTED: u32 = MAX_CONVERSATIONS as u32 + 1;

/// Looks at a site.
pub(super) async fn look(
    shared: &Shared,
    site: &SiteId,
    today: &Told,
) -> Result<v1::BoardPush, ApiError> {
    let deps = &shared.deps;
    let listed = |filter| deps.sessions.list(Some(site), filter, LISTED);
    let (config, queues, agents, waiting, assigned) = tokio::try_join!(
        within(CALL_DEADLINE, "desk", deps.desk.site(site)),
        within(CALL_DEADLINE, "queueing", deps.queueing.queues(site)),
        within(CALL_DEADLINE, "presence", deps.presence.agents(Some(site))),
        within(CALL_DEADLINE, "sessions", listed(ListFilter::AllWaiting)),
        within(CALL_DEADLINE, "sessions", listed(ListFilter::AllAssigned)),
    )?;
    let config = config.ok_or_else(|| ApiError::NotFound("site".into()))?;
    let (at, today) = (shared.now(), today.now());
    Ok(drawn::board(Seen { at, config, queues, agents, waiting, assigned, today }))
}
