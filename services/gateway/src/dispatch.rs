//! From the bus and from presence to the connections. One task each; neither
//! ever waits for a connection.

use crate::asked;
use crate::codec;
use crate::following;
use crate::registry::{Delivered, LiveEvent};
use crate::shared::{CALL_DEADLINE, Shared, within};
use bytes::Bytes;
use frontdesk_bus::{Received, Subscription};
use frontdesk_core::conversation::{Phase, Summary};
use frontdesk_core::ids::{AgentId, ConversationId, Seq, SiteId};
use frontdesk_core::presence::AgentView;
use frontdesk_core::shard::ShardId;
use frontdesk_proto::api::{AgentConnect, ListFilter, PresenceChange};
use frontdesk_proto::convert::{
    Rights, agent_view_to_proto, offer_push, timestamp_from_proto, trace_from_proto,
};
use frontdesk_proto::internal::{
    AgentNotice, Delivery, DeliveryBatch, EventDelivery, HeadBeacon, HintDelivery, delivery::Kind,
};
use frontdesk_proto::v1::{self, server_frame::Frame};
use frontdesk_telemetry::tasks;
use prost::Message as _;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::broadcast;
use uuid::Uuid;

/// Conversations of an agent that are looked through after a loss: more than
/// the 100 slots an agent can have.
pub(crate) const MAX_WORK: u32 = 200;
/// Of so many events one is decoded to measure how long it took.
const MEASURED_OF: u32 = 32;

/// Consumes the bus until the gateway stops.
pub(crate) async fn consume(shared: Arc<Shared>, mut subscription: Box<dyn Subscription>) {
    loop {
        let received = tokio::select! {
            () = shared.stopping.cancelled() => return,
            received = subscription.recv() => received,
        };
        match received {
            Some(Received::Batch(bytes)) => batch(&shared, bytes),
            Some(Received::Lagged) => {
                shared.metrics.bus_lags.increment(1);
                tracing::warn!("the bus lost deliveries: every conversation is checked");
                lagged(&shared);
            }
            None => {
                tracing::warn!("the bus subscription was replaced by another one");
                return;
            }
        }
    }
}

fn batch(shared: &Arc<Shared>, bytes: Bytes) {
    match DeliveryBatch::decode(bytes) {
        Ok(batch) => {
            for delivery in batch.deliveries {
                deliver(shared, delivery);
            }
        }
        Err(error) => {
            shared.metrics.unreadable.increment(1);
            tracing::error!(%error, "a batch from the bus cannot be read");
        }
    }
}

fn deliver(shared: &Arc<Shared>, delivery: Delivery) {
    let done = match delivery.kind {
        Some(Kind::Event(event)) => event_delivery(shared, &event),
        Some(Kind::Hint(hint)) => hint_delivery(shared, &hint),
        Some(Kind::Agent(notice)) => agent_notice(shared, &notice),
        Some(Kind::Beacon(beacon)) => head_beacon(shared, &beacon),
        // From a newer node: nothing this gateway knows to do.
        None => Some(Delivered::default()),
    };
    match done {
        Some(Delivered { pushed, shed, unreadable: false, .. }) => {
            shared.metrics.delivered.increment(pushed);
            shared.metrics.shed.increment(shed);
        }
        Some(Delivered { unreadable: true, .. }) | None => {
            shared.metrics.unreadable.increment(1);
            tracing::error!("a delivery from the bus cannot be read");
        }
    }
}

fn event_delivery(shared: &Arc<Shared>, event: &EventDelivery) -> Option<Delivered> {
    let conversation = ConversationId::from_uuid(uuid(&event.conversation_id)?);
    let done = shared.registry.event(&LiveEvent {
        conversation,
        seq: Seq::new(event.seq),
        prev_public: Seq::new(event.prev_public),
        internal: event.internal,
        bytes: &event.event,
        rights: rights(event),
        trace: event.trace.as_ref().and_then(trace_from_proto),
    });
    if done.emptied {
        following::detach(shared, conversation);
    }
    if done.pushed > 0 && is_measured(event) {
        measure(shared, &event.event);
    }
    Some(done)
}

/// One in `MEASURED_OF`, whichever gateway has it; spread over conversations, so that
/// no place in a conversation is preferred.
fn is_measured(event: &EventDelivery) -> bool {
    let salt = event.conversation_id.last().copied().unwrap_or_default();
    event.seq.wrapping_add(u32::from(salt)).is_multiple_of(MEASURED_OF)
}

/// How long an event took from its owner's receipt of the command to here.
fn measure(shared: &Shared, event: &[u8]) {
    let decoded = v1::Event::decode(event).ok();
    let at = decoded.and_then(|event| timestamp_from_proto(event.at.as_ref()?));
    if let Some(at) = at {
        shared.metrics.delivery.record(shared.now().since(at).to_duration());
    }
}

fn rights(event: &EventDelivery) -> Option<Rights> {
    let agent = |bytes: &Bytes| uuid(bytes).map(AgentId::from_uuid);
    if let Some(agent) = agent(&event.dismissed_agent) {
        return Some(Rights::Dismissed(agent));
    }
    let assigned = agent(&event.assigned_agent)?;
    let readers = event.reading_agents.iter().filter_map(agent).collect();
    Some(Rights::Assigned { agent: assigned, readers })
}

fn hint_delivery(shared: &Shared, hint: &HintDelivery) -> Option<Delivered> {
    let conversation = ConversationId::from_uuid(uuid(&hint.conversation_id)?);
    Some(shared.registry.hint(conversation, hint.internal, &hint.except, &hint.frame))
}

/// Whoever has not seen the head has missed something.
fn head_beacon(shared: &Shared, beacon: &HeadBeacon) -> Option<Delivered> {
    let conversation = ConversationId::from_uuid(uuid(&beacon.conversation_id)?);
    let (head, public_head) = (Seq::new(beacon.head), Seq::new(beacon.public_head));
    let behind = shared.registry.head(conversation, head, public_head);
    shared.metrics.healed.increment(behind);
    Some(Delivered::default())
}

fn agent_notice(shared: &Shared, notice: &AgentNotice) -> Option<Delivered> {
    let site: SiteId = notice.site.parse().ok()?;
    let agent = AgentId::from_uuid(uuid(&notice.agent_id)?);
    let assigned = uuid(&notice.assigned_conversation).map(ConversationId::from_uuid);
    Some(shared.registry.agents.notice(&site, agent, &notice.frame, assigned))
}

fn uuid(bytes: &[u8]) -> Option<Uuid> {
    Uuid::from_slice(bytes).ok()
}

/// Every reader is filled from where it is, and every agent is shown its work
/// again: offers and assignments may be among what was lost.
fn lagged(shared: &Arc<Shared>) {
    shared.registry.doubt_all();
    let again = shared.clone();
    // Ends when every agent here was looked after; each question has a deadline.
    tasks::spawn_tracked(&shared.tasks, "gateway.reattach", async move {
        for (site, agent) in again.registry.agents.connected() {
            show_work(&again, &site, agent).await;
            show_asked(&again, &site, agent).await;
        }
    });
}

async fn show_work(shared: &Shared, site: &SiteId, agent: AgentId) {
    let filter = ListFilter::OfAgent { agent, closed: false };
    let list = shared.deps.sessions.list(Some(site), filter, MAX_WORK);
    match within(CALL_DEADLINE, "sessions", list).await {
        Ok(work) => work.iter().for_each(|s| show(shared, site, agent, s)),
        Err(error) => tracing::warn!(%agent, %error, "an agent's work could not be listed"),
    }
}

async fn show_asked(shared: &Shared, site: &SiteId, agent: AgentId) {
    for frame in asked::frames(shared, site, agent).await {
        let frame = codec::push_frame(frame).encode_to_vec();
        shared.registry.agents.notice(site, agent, &frame, None);
    }
}

fn show(shared: &Shared, site: &SiteId, agent: AgentId, summary: &Summary) {
    let agents = &shared.registry.agents;
    match &summary.phase {
        Phase::Offered(offer) if offer.agent.id == agent.as_uuid() => {
            let frame = codec::push_frame(Frame::Offer(offer_push(summary, offer)));
            agents.notice(site, agent, &frame.encode_to_vec(), None);
        }
        Phase::Assigned { agent: has, .. } if has.id == agent.as_uuid() => {
            agents.notice(site, agent, &[], Some(summary.id));
        }
        _ => {}
    }
}

/// Attaches again, at the new owner, the conversations of each shard that has
/// changed hands, until the gateway stops.
pub(crate) async fn watch_owners(shared: Arc<Shared>) {
    let mut changes = shared.deps.sessions.owner_changes();
    let mut rejoined = shared.deps.rejoined.clone();
    loop {
        let shards: BTreeSet<ShardId> = tokio::select! {
            () = shared.stopping.cancelled() => return,
            changed = rejoined.changed() => {
                if changed.is_err() {
                    return;
                }
                rejoin(&shared).await;
                ShardId::all().collect()
            }
            change = changes.recv() => match change {
                Ok(first) => {
                    let mut shards = BTreeSet::from([first]);
                    while let Ok(more) = changes.try_recv() {
                        shards.insert(more);
                    }
                    shards
                }
                Err(broadcast::error::RecvError::Lagged(_)) => ShardId::all().collect(),
                Err(broadcast::error::RecvError::Closed) => return,
            },
        };
        following::attach_again(&shared, &shards).await;
    }
}

/// The group took this gateway for dead, and its agents for gone with it: tells
/// that they are here.
async fn rejoin(shared: &Shared) {
    tracing::warn!("this gateway was taken for dead: its agents and readers are announced again");
    for (reader, profile) in shared.registry.agents.connections() {
        let Some(agent) = reader.who.agent_id() else { continue };
        let request = AgentConnect {
            site: reader.who.site.clone(),
            agent,
            profile,
            gateway: shared.deps.node_id.clone(),
            connection: reader.connection,
        };
        let connected = within(CALL_DEADLINE, "presence", shared.deps.presence.connect(request));
        if let Err(error) = connected.await {
            tracing::warn!(%agent, %error, "an agent could not be announced again");
        }
    }
}

/// Tells agents here of their own status and load until the gateway stops.
pub(crate) async fn watch_presence(shared: Arc<Shared>) {
    let mut changes = shared.deps.presence.subscribe();
    loop {
        let change = tokio::select! {
            () = shared.stopping.cancelled() => return,
            change = changes.recv() => change,
        };
        match change {
            Ok(PresenceChange { agent }) => agent_changed(&shared, &agent),
            Err(broadcast::error::RecvError::Lagged(_)) => all_agents_changed(&shared).await,
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

fn agent_changed(shared: &Shared, agent: &AgentView) {
    let agents = &shared.registry.agents;
    if agents.has(&agent.site, agent.id) {
        let frame = codec::push_frame(Frame::AgentState(agent_view_to_proto(agent)));
        agents.notice(&agent.site, agent.id, &frame.encode_to_vec(), None);
    }
}

async fn all_agents_changed(shared: &Shared) {
    for (site, agent) in shared.registry.agents.connected() {
        let asked = shared.deps.presence.agent(&site, agent);
        match within(CALL_DEADLINE, "presence", asked).await {
            Ok(Some(view)) => agent_changed(shared, &view),
            Ok(None) => {}
            Err(error) => tracing::warn!(%agent, %error, "an agent's state is not known"),
        }
    }
}
