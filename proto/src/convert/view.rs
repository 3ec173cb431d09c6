//! What lists, queues and agents look like to clients.

use super::alarm::kind_to_proto;
use super::erased::consent_to_proto;
use super::{millis_to_proto, participant_to_proto, timestamp_to_proto};
use crate::api::QueueView;
use crate::v1;
use frontdesk_core::conversation::{Facts, Offer, Phase, Summary};
use frontdesk_core::party::{Audience, Participant};
use frontdesk_core::presence::{AgentStatus, AgentView};

/// The phase alone.
pub fn phase_of(phase: &Phase) -> v1::Phase {
    match phase {
        Phase::Waiting => v1::Phase::Waiting,
        Phase::Offered(_) => v1::Phase::Offered,
        Phase::Assigned { .. } => v1::Phase::Assigned,
        Phase::Closed { .. } => v1::Phase::Closed,
    }
}

/// A conversation as a reader may see it. To a visitor an offer looks like
/// waiting, and tags do not exist.
pub fn summary_to_state(summary: &Summary, reader: Audience) -> v1::ConversationState {
    let staff = reader == Audience::Internal;
    let phase = match (&summary.phase, staff) {
        (Phase::Offered(_), false) => v1::Phase::Waiting,
        (phase, _) => phase_of(phase),
    };
    let agent = match &summary.phase {
        Phase::Assigned { agent, .. } => Some(participant_to_proto(agent)),
        _ => None,
    };
    let head = if staff { summary.head } else { summary.public_head };
    let strings = |v: &[std::sync::Arc<str>]| v.iter().map(ToString::to_string).collect();
    v1::ConversationState {
        conversation_id: summary.id.to_string(),
        phase: phase.into(),
        queue: summary.queue.to_string(),
        visitor: Some(participant_to_proto(&summary.visitor)),
        agent,
        head_seq: head.get(),
        started_at: Some(timestamp_to_proto(summary.started_at)),
        last_event_at: Some(timestamp_to_proto(summary.last_at)),
        visitor_read_seq: summary.visitor_read.get(),
        agent_read_seq: summary.agent_read.get(),
        tags: if staff { strings(&summary.tags) } else { Vec::new() },
        attributes: if staff {
            summary.attributes.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
        } else {
            Default::default()
        },
        language: summary.language.to_string(),
        queue_position: None,
        offer: None,
        guests: summary.guests.iter().map(participant_to_proto).collect(),
        extra_priority_minutes: if staff { summary.extra_minutes } else { 0 },
        waiting_since: None,
        alarms: match staff {
            true => {
                Facts::of(summary).shown().into_iter().map(|k| kind_to_proto(k).into()).collect()
            }
            false => Vec::new(),
        },
        channel: summary.channel.as_deref().filter(|_| staff).unwrap_or_default().to_owned(),
        consent: summary.consent.as_ref().filter(|_| staff).map(consent_to_proto),
        erased: summary.erased,
    }
}

/// An offer as its agent sees it.
pub fn offer_push(summary: &Summary, offer: &Offer) -> v1::OfferPush {
    v1::OfferPush {
        offer_id: offer.id.to_string(),
        conversation_id: summary.id.to_string(),
        queue: summary.queue.to_string(),
        visitor: Some(participant_to_proto(&summary.visitor)),
        expires_at: Some(timestamp_to_proto(offer.expires_at)),
        waiting_since: Some(timestamp_to_proto(summary.waiting_since)),
        preview: summary.preview.to_string(),
        language: summary.language.to_string(),
        note: summary.handover_note.as_deref().unwrap_or_default().to_owned(),
    }
}

/// To the wire.
pub fn agent_status_to_proto(status: AgentStatus) -> v1::AgentStatus {
    match status {
        AgentStatus::Online => v1::AgentStatus::Online,
        AgentStatus::Busy => v1::AgentStatus::Busy,
        AgentStatus::Away => v1::AgentStatus::Away,
        AgentStatus::Offline => v1::AgentStatus::Offline,
    }
}

/// From the wire; `None` when unspecified.
pub fn agent_status_from_proto(status: v1::AgentStatus) -> Option<AgentStatus> {
    match status {
        v1::AgentStatus::Online => Some(AgentStatus::Online),
        v1::AgentStatus::Busy => Some(AgentStatus::Busy),
        v1::AgentStatus::Away => Some(AgentStatus::Away),
        v1::AgentStatus::Offline => Some(AgentStatus::Offline),
        v1::AgentStatus::Unspecified => None,
    }
}

/// To the wire.
pub fn agent_view_to_proto(view: &AgentView) -> v1::AgentState {
    let mut agent = Participant::agent(view.id, view.profile.name.clone());
    if view.profile.supervisor {
        agent.party = frontdesk_core::party::Party::Supervisor;
    }
    v1::AgentState {
        agent: Some(participant_to_proto(&agent)),
        status: agent_status_to_proto(view.status).into(),
        reason: view.reason.to_string(),
        since: Some(timestamp_to_proto(view.since)),
        capacity: view.profile.capacity,
        load: view.load,
        connections: view.gateways.iter().map(|(_, n)| n).sum(),
        languages: view.profile.languages.iter().map(ToString::to_string).collect(),
        missed_offers: view.missed,
    }
}

/// To the wire.
pub fn queue_view_to_proto(view: &QueueView) -> v1::QueueState {
    v1::QueueState {
        queue: view.queue.queue.to_string(),
        waiting: view.waiting,
        offered: view.offered,
        oldest_since: view.oldest_since.map(timestamp_to_proto),
        estimated_wait: view.estimated_wait.map(millis_to_proto),
        agents_online: view.agents_online,
    }
}
