//! Conversations in memory, decided by `core`.

use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_bus::{Bus, LocalBus};
use frontdesk_core::conversation::{Body, Command, Conversation, Event, Outcome, Phase, Summary};
use frontdesk_core::ids::{AgentId, ConversationId, NodeId, Seq, SiteId};
use frontdesk_core::party::{Audience, Origin, Principal, Role};
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::{
    ApiError, Attach, Attached, Envelope, EventPage, HistoryQuery, ListFilter, PageEvent, Place,
    RecordPage, ReplyFuture, Sessions,
};
use frontdesk_proto::convert::encode_event;
use frontdesk_proto::internal::{
    AgentNotice, Delivery, DeliveryBatch, EventDelivery, HintDelivery, delivery::Kind,
};
use prost::Message as _;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct State {
    conversations: HashMap<ConversationId, (Conversation, Vec<Event>)>,
    attached: HashMap<ConversationId, HashSet<NodeId>>,
}

pub(crate) struct FakeSessions {
    bus: Arc<LocalBus>,
    state: Mutex<State>,
}

impl FakeSessions {
    pub(crate) fn new(bus: Arc<LocalBus>) -> Self {
        Self { bus, state: Mutex::default() }
    }

    /// Gateways that are attached to a conversation.
    pub(crate) fn attached(&self, id: ConversationId) -> usize {
        self.state.lock().unwrap().attached.get(&id).map_or(0, HashSet::len)
    }

    /// Conversations in which an agent takes part as a guest.
    pub(crate) fn with_guest(&self, agent: AgentId) -> Vec<ConversationId> {
        self.with(|it| it.guests.iter().any(|guest| guest.agent_id() == Some(agent)))
    }

    /// Conversations in which an agent is asked for something.
    pub(crate) fn with_asked(&self, agent: AgentId) -> Vec<ConversationId> {
        self.with(|it| it.asked.iter().any(|asked| asked.agent == agent))
    }

    fn with(&self, is: impl Fn(&Summary) -> bool) -> Vec<ConversationId> {
        let state = self.state.lock().unwrap();
        let found = state.conversations.iter().filter(|(_, (it, _))| is(&it.summary()));
        found.map(|(id, _)| *id).collect()
    }

    /// Carries a command out at once.
    pub(crate) fn act(
        &self,
        id: ConversationId,
        origin: &Origin,
        command: &Command,
    ) -> Result<Outcome, ApiError> {
        let mut state = self.state.lock().unwrap();
        let at = super::now();
        let step = match state.conversations.get_mut(&id) {
            Some((conversation, log)) => {
                let step = conversation.step(origin, command, at)?;
                log.extend(step.events.iter().cloned());
                step
            }
            None => {
                let (conversation, step) = Conversation::open(id, origin, command, at)?;
                state.conversations.insert(id, (conversation, step.events.clone()));
                step
            }
        };
        for event in &step.events {
            self.publish(&state, event);
        }
        Ok(step.outcome)
    }

    fn publish(&self, state: &State, event: &Event) {
        let assigned = match &event.body {
            Body::Assigned { agent } => agent.agent_id(),
            _ => None,
        };
        let dismissed = match &event.body {
            Body::Left { agent, by_other: true } => agent.agent_id(),
            _ => None,
        };
        let readers = state.conversations[&event.conversation].0.readers();
        self.send(
            state,
            event.conversation,
            Kind::Event(EventDelivery {
                conversation_id: event.conversation.as_bytes().to_vec().into(),
                seq: event.seq.get(),
                prev_public: event.prev_public.get(),
                internal: event.body.audience() == Audience::Internal,
                event: encode_event(event),
                assigned_agent: assigned.map_or(Bytes::new(), |a| a.as_bytes().to_vec().into()),
                reading_agents: readers.iter().map(|a| a.as_bytes().to_vec().into()).collect(),
                dismissed_agent: dismissed.map_or(Bytes::new(), |a| a.as_bytes().to_vec().into()),
                trace: None,
            }),
        );
        if let Some(agent) = assigned {
            self.notice(agent, Bytes::new(), Some(event.conversation));
        }
    }

    /// Tells all connections of an agent something.
    pub(crate) fn notice(&self, agent: AgentId, frame: Bytes, to: Option<ConversationId>) {
        let kind = Kind::Agent(AgentNotice {
            site: super::site().to_string(),
            agent_id: agent.as_bytes().to_vec().into(),
            frame,
            assigned_conversation: to.map_or(Bytes::new(), |c| c.as_bytes().to_vec().into()),
        });
        self.send_to(&"gateway-1".parse().unwrap(), kind);
    }

    fn send(&self, state: &State, id: ConversationId, kind: Kind) {
        for gateway in state.attached.get(&id).into_iter().flatten() {
            self.send_to(gateway, kind.clone());
        }
    }

    fn send_to(&self, gateway: &NodeId, kind: Kind) {
        let batch = DeliveryBatch { deliveries: vec![Delivery { kind: Some(kind) }] };
        self.bus.publish(gateway, batch.encode_to_vec().into());
    }

    fn find(&self, id: ConversationId, who: Option<&Principal>) -> Result<Summary, ApiError> {
        let state = self.state.lock().unwrap();
        let absent = || ApiError::NotFound("conversation".into());
        let (conversation, _) = state.conversations.get(&id).ok_or_else(absent)?;
        let summary = conversation.summary();
        let allowed = who.is_none_or(|w| {
            w.site == summary.site && (w.role != Role::Visitor || w.id == summary.visitor.id)
        });
        if allowed { Ok(summary) } else { Err(absent()) }
    }
}

fn audience(who: Option<&Principal>) -> Audience {
    match who {
        Some(w) if w.role == Role::Visitor => Audience::Public,
        _ => Audience::Internal,
    }
}

#[async_trait]
impl Sessions for FakeSessions {
    fn submit(&self, envelope: Envelope) -> ReplyFuture {
        let result = self.act(envelope.conversation, &envelope.origin, &envelope.command);
        if let (Ok(_), Command::Typing { typing }) = (&result, &envelope.command)
            && let Origin::Client(who) = &envelope.origin
        {
            let push = frontdesk_proto::v1::TypingPush {
                conversation_id: envelope.conversation.to_string(),
                by: None,
                typing: *typing,
            };
            let frame =
                crate::codec::push_frame(frontdesk_proto::v1::server_frame::Frame::Typing(push));
            let kind = Kind::Hint(HintDelivery {
                conversation_id: envelope.conversation.as_bytes().to_vec().into(),
                internal: false,
                except: who.id.as_bytes().to_vec().into(),
                frame: frame.encode_to_vec().into(),
            });
            self.send(&self.state.lock().unwrap(), envelope.conversation, kind);
        }
        ReplyFuture::by(async move { result })
    }

    async fn attach(&self, request: Attach) -> Result<Attached, ApiError> {
        let summary = self.find(request.conversation, Some(&request.who))?;
        let audience = audience(Some(&request.who));
        let head = if audience == Audience::Public { summary.public_head } else { summary.head };
        if request.cursor > head {
            return Err(ApiError::Invalid("the cursor is beyond the head".into()));
        }
        let mut state = self.state.lock().unwrap();
        state.attached.entry(request.conversation).or_default().insert(request.gateway);
        Ok(Attached { summary, audience, head })
    }

    async fn detach(&self, gateway: &NodeId, conversation: ConversationId) {
        if let Some(set) = self.state.lock().unwrap().attached.get_mut(&conversation) {
            set.remove(gateway);
        }
    }

    async fn history(&self, query: HistoryQuery) -> Result<EventPage, ApiError> {
        self.find(query.conversation, query.who.as_ref())?;
        let audience = audience(query.who.as_ref());
        let state = self.state.lock().unwrap();
        let (_, log) = &state.conversations[&query.conversation];
        let after = |e: &&Event| {
            audience.may_see(e.body.audience())
                && if query.backwards {
                    query.after == Seq::ZERO || e.seq < query.after
                } else {
                    e.seq > query.after
                }
        };
        let mut events: Vec<&Event> = log.iter().filter(after).collect();
        let limit = query.limit as usize;
        let more = events.len() > limit;
        if query.backwards {
            events.drain(..events.len().saturating_sub(limit));
        } else {
            events.truncate(limit);
        }
        let page =
            |e: &&Event| PageEvent { seq: e.seq, prev: e.prev(audience), event: encode_event(e) };
        Ok(EventPage { events: events.iter().map(page).collect(), more })
    }

    async fn summary(
        &self,
        conversation: ConversationId,
        who: Option<&Principal>,
    ) -> Result<Summary, ApiError> {
        self.find(conversation, who)
    }

    async fn list(
        &self,
        _: Option<&SiteId>,
        filter: ListFilter,
        _: u32,
    ) -> Result<Vec<Summary>, ApiError> {
        let state = self.state.lock().unwrap();
        let wanted = |s: &Summary| match (&filter, &s.phase) {
            (ListFilter::AllWaiting, phase) => matches!(phase, Phase::Waiting | Phase::Offered(_)),
            (ListFilter::AllAssigned, phase) => matches!(phase, Phase::Assigned { .. }),
            (ListFilter::OfVisitor(v), _) => s.visitor.id == v.as_uuid(),
            (ListFilter::OfAgent { agent, .. }, Phase::Offered(o)) => o.agent.id == agent.as_uuid(),
            (ListFilter::OfAgent { agent, .. }, Phase::Assigned { agent: a, .. }) => {
                a.id == agent.as_uuid()
            }
            (ListFilter::OfAgent { .. }, _) => false,
            _ => true,
        };
        Ok(state.conversations.values().map(|(c, _)| c.summary()).filter(wanted).collect())
    }

    async fn records(&self, _: &SiteId, _: Place, _: u32) -> Result<RecordPage, ApiError> {
        Ok(RecordPage::default())
    }
    fn hint(&self, _: ConversationId, _: bool, _: Bytes) {}
}

impl FakeSessions {
    /// Offers a conversation to an agent, as routing would.
    pub(crate) fn offer(&self, id: ConversationId, agent: AgentId) -> frontdesk_core::ids::OfferId {
        let offer = frontdesk_core::ids::OfferId::from_uuid(uuid::Uuid::now_v7());
        let command = Command::Offer {
            offer,
            agent: frontdesk_core::party::Participant::agent(agent, "Ana"),
            expires_at: Timestamp::from_millis(super::now().as_millis() + 60_000),
        };
        self.act(id, &Origin::System, &command).unwrap();
        offer
    }
}
