//! What an agent is told of offers and assignments. It follows from how a conversation was and
//! is, whoever changed it: thus nothing that was decided goes untold because the
//! one who decided it has died. May be lost; a client that connects lists its
//! offers and conversations.

use crate::agents::Agents;
use crate::metrics;
use frontdesk_bus::{Bus, Published};
use frontdesk_core::conversation::{Offer, Phase, Summary};
use frontdesk_core::ids::{AgentId, ConversationId, SiteId};
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_proto::convert::offer_push;
use frontdesk_proto::internal::{AgentNotice, Delivery, DeliveryBatch, delivery::Kind};
use frontdesk_proto::v1::{self, server_frame::Frame};
use prost::Message as _;

/// An assignment first heard of later than this was told by somebody before.
const STILL_NEWS: Millis = Millis::from_secs(60);

/// For all connections of one agent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Notice {
    pub(crate) site: SiteId,
    pub(crate) agent: AgentId,
    pub(crate) frame: Option<Frame>,
    /// The agent's connections follow this one now.
    pub(crate) assigned: Option<ConversationId>,
}

/// What is to be told when a conversation is as it is now, and was `before`;
/// `None` when it was not known.
pub(crate) fn of(before: Option<&Phase>, now: &Summary, at: Timestamp) -> Vec<Notice> {
    let mut notices = Vec::new();
    let (was, is) = (before.and_then(open_offer), open_offer(&now.phase));
    let same = was.zip(is).is_some_and(|(was, is)| was.id == is.id);
    if let Some(was) = was.filter(|_| !same) {
        notices.extend(closed(was, now, at));
    }
    if let Some(is) = is.filter(|is| !same && at < is.expires_at) {
        let frame = Frame::Offer(offer_push(now, is));
        notices.extend(is.agent.agent_id().map(|agent| told(now, agent, frame)));
    }
    notices.extend(assigned(before, now, at));
    notices
}

fn open_offer(phase: &Phase) -> Option<&Offer> {
    match phase {
        Phase::Offered(offer) => Some(offer),
        _ => None,
    }
}

fn told(now: &Summary, agent: AgentId, frame: Frame) -> Notice {
    Notice { site: now.site.clone(), agent, frame: Some(frame), assigned: None }
}

fn closed(was: &Offer, now: &Summary, at: Timestamp) -> Option<Notice> {
    let agent = was.agent.agent_id()?;
    let accepted =
        matches!(&now.phase, Phase::Assigned { agent: has, .. } if has.id == was.agent.id);
    let outcome = if accepted {
        v1::OfferOutcome::Unspecified
    } else if now.excluded.last() != Some(&agent) {
        v1::OfferOutcome::Withdrawn
    } else if at < was.expires_at {
        v1::OfferOutcome::Declined
    } else {
        v1::OfferOutcome::Expired
    };
    let push = v1::OfferClosedPush {
        offer_id: was.id.to_string(),
        conversation_id: now.id.to_string(),
        outcome: outcome.into(),
    };
    Some(told(now, agent, Frame::OfferClosed(push)))
}

fn assigned(before: Option<&Phase>, now: &Summary, at: Timestamp) -> Option<Notice> {
    let Phase::Assigned { agent, since } = &now.phase else {
        return None;
    };
    let known = match before {
        Some(Phase::Assigned { agent: had, .. }) => had.id == agent.id,
        Some(_) => false,
        None => at.since(*since) > STILL_NEWS,
    };
    let agent = agent.agent_id().filter(|_| !known)?;
    Some(Notice { site: now.site.clone(), agent, frame: None, assigned: Some(now.id) })
}

/// Publishes to every gateway the agent is connected to.
pub(crate) fn publish(bus: &dyn Bus, agents: &Agents, notice: Notice) {
    let frame = notice.frame.map(|frame| v1::ServerFrame { id: 0, frame: Some(frame) });
    let assigned = notice.assigned.map(|c| c.as_bytes().to_vec()).unwrap_or_default();
    let delivery = AgentNotice {
        site: notice.site.to_string(),
        agent_id: notice.agent.as_bytes().to_vec().into(),
        frame: frame.map(|f| f.encode_to_vec()).unwrap_or_default().into(),
        assigned_conversation: assigned.into(),
    };
    send(bus, agents, (&notice.site, notice.agent), delivery);
}

/// Publishes an encoded frame to every gateway the agent is connected to.
pub(crate) fn tell(bus: &dyn Bus, agents: &Agents, site: &SiteId, agent: AgentId, frame: Vec<u8>) {
    let delivery = AgentNotice {
        site: site.to_string(),
        agent_id: agent.as_bytes().to_vec().into(),
        frame: frame.into(),
        assigned_conversation: bytes::Bytes::new(),
    };
    send(bus, agents, (site, agent), delivery);
}

fn send(bus: &dyn Bus, agents: &Agents, to: (&SiteId, AgentId), delivery: AgentNotice) {
    let deliveries = vec![Delivery { kind: Some(Kind::Agent(delivery)) }];
    let payload: bytes::Bytes = DeliveryBatch { deliveries }.encode_to_vec().into();
    for gateway in agents.gateways(to.0, to.1) {
        if bus.publish(&gateway, payload.clone()) != Published::Accepted {
            metrics::notice_dropped();
        }
    }
}
