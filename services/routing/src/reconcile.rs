//! Finds what was left half done, by comparing what the conversations say with
//! what presence says.

use crate::call;
use crate::saga::Saga;
use frontdesk_core::conversation::{Phase, Summary};
use frontdesk_core::ids::{AgentId, ConversationId, SiteId};
use frontdesk_core::party::Participant;
use frontdesk_core::presence::{AgentStatus, AgentView, Hold};
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::{ApiError, OpenWalk};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Both sides, the agents read first.
pub(crate) struct Picture {
    pub(crate) agents: Vec<Arc<AgentView>>,
    pub(crate) open: Vec<Arc<Summary>>,
    /// Every open conversation is in `open`.
    pub(crate) complete: bool,
}

/// A conversation that needs a look.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) site: SiteId,
    /// Agents who hold room for it without being named by it, and guests who are gone.
    pub(crate) suspects: Vec<AgentId>,
}

pub(crate) async fn look(saga: &Saga) -> Result<Picture, ApiError> {
    let deps = saga.deps();
    let agents = call::list("presence.agents", deps.presence.agents(None)).await?;
    let mut walk = OpenWalk::begin(saga.now());
    // Of one that comes twice the later says how it is.
    let mut open = BTreeMap::new();
    while let Some(page) = call::list("sessions.changed", walk.page(deps.sessions.as_ref())).await?
    {
        open.extend(page.into_iter().map(|summary| (summary.id, Arc::new(summary))));
    }
    let open = open.into_values().collect();
    Ok(Picture { agents, open, complete: walk.is_complete() })
}

/// What does not agree. The picture may be a little old: each finding is read
/// afresh before anything is done about it.
pub(crate) fn compare(picture: &Picture, now: Timestamp) -> BTreeMap<ConversationId, Finding> {
    let mut findings = BTreeMap::new();
    let open: HashMap<ConversationId, &Summary> =
        picture.open.iter().map(|s| (s.id, s.as_ref())).collect();
    for agent in &picture.agents {
        for reservation in &agent.reservations {
            let named = match open.get(&reservation.conversation) {
                Some(summary) => summary.holder() == Some(agent.id),
                None => !picture.complete,
            };
            if !named && !matches!(reservation.hold, Hold::WrapUp(_)) {
                let finding = find(&mut findings, reservation.conversation, &agent.site);
                finding.suspects.push(agent.id);
            }
        }
    }
    let agents: HashMap<(&SiteId, AgentId), &AgentView> =
        picture.agents.iter().map(|a| ((&a.site, a.id), a.as_ref())).collect();
    for summary in &picture.open {
        let view = |agent| agents.get(&(&summary.site, agent)).copied();
        let suspicious = |holder| needs_a_look(summary.id, &summary.phase, view(holder), now);
        if summary.holder().is_some_and(suspicious) {
            find(&mut findings, summary.id, &summary.site);
        }
        let guests = summary.guests.iter().filter_map(Participant::agent_id);
        for guest in guests.filter(|guest| is_gone(view(*guest))) {
            find(&mut findings, summary.id, &summary.site).suspects.push(guest);
        }
    }
    findings
}

/// Offline past the grace, or of no account that presence knows.
pub(crate) fn is_gone(view: Option<&AgentView>) -> bool {
    view.is_none_or(|view| view.status == AgentStatus::Offline)
}

fn find<'a>(
    findings: &'a mut BTreeMap<ConversationId, Finding>,
    conversation: ConversationId,
    site: &SiteId,
) -> &'a mut Finding {
    let nothing = || Finding { site: site.clone(), suspects: Vec::new() };
    findings.entry(conversation).or_insert_with(nothing)
}

/// A conversation that names an agent: whether it is to be looked at, as the agent is.
pub(crate) fn needs_a_look(
    conversation: ConversationId,
    phase: &Phase,
    view: Option<&AgentView>,
    now: Timestamp,
) -> bool {
    let Some(view) = view.filter(|view| view.status != AgentStatus::Offline) else {
        return true;
    };
    match phase {
        Phase::Offered(offer) => now >= offer.expires_at,
        Phase::Assigned { .. } => {
            let mut held = view.reservations.iter();
            !held.any(|r| r.conversation == conversation && matches!(r.hold, Hold::Active))
        }
        Phase::Waiting | Phase::Closed { .. } => false,
    }
}
