//! What one connection's batches become. Pure: no clock, no network.

use super::forge;
use super::plot::{Deed, Fault, Plot};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{
    AgentState, ClientBatch, Event, EventPush, Party, SendMessage, Sent, ServerBatch, ServerFrame,
};
use frontdesk_proto::wkt;
use std::collections::HashMap;
use std::sync::Arc;

/// One connection.
#[derive(Debug)]
pub struct Tamper {
    plot: Arc<Plot>,
    /// Whose connection it is, once welcomed.
    you: Party,
    conversations: HashMap<String, Conversation>,
    /// Messages withheld to come later, of one conversation.
    held: Vec<EventPush>,
    /// A message on its way into another conversation.
    stray: Option<Event>,
}

/// What has passed of one conversation.
#[derive(Debug, Default)]
struct Conversation {
    last: u32,
    /// Messages of the side that the plot is about.
    heard: u32,
    /// Messages that this connection has sent.
    said: u32,
    /// Of which acknowledged.
    answered: u32,
    /// `seq` and `prev` of an event that never was.
    denied: Option<(u32, u32)>,
}

impl Tamper {
    /// A new connection.
    pub fn new(plot: Arc<Plot>) -> Self {
        let (conversations, held) = (HashMap::new(), Vec::new());
        Self { plot, you: Party::Unspecified, conversations, held, stray: None }
    }

    /// What the client receives instead.
    pub fn to_client(&mut self, batch: ServerBatch) -> ServerBatch {
        let mut frames = Vec::with_capacity(batch.frames.len());
        for ServerFrame { id, frame } in batch.frames {
            let mut pass = |frame| frames.push(ServerFrame { id, frame });
            match frame {
                Some(Frame::Event(push)) => {
                    self.event(push).into_iter().for_each(|push| pass(Some(Frame::Event(push))));
                }
                Some(mut frame) => {
                    self.frame(&mut frame);
                    pass(Some(frame));
                }
                None => pass(None),
            }
        }
        ServerBatch { frames }
    }

    /// Everything but events.
    fn frame(&mut self, frame: &mut Frame) {
        match frame {
            Frame::Welcome(welcome) => {
                self.you = welcome.you.as_ref().map_or(Party::Unspecified, |p| p.party());
                if let Some(state) = &mut welcome.agent_state {
                    self.shrink(state);
                }
            }
            Frame::AgentState(state) => self.shrink(state),
            Frame::Sent(sent) => self.contradict(sent),
            _ => {}
        }
    }

    /// The agent is told that there is room for one chat.
    fn shrink(&self, state: &mut AgentState) {
        if self.plot.fault != Fault::Crowd || self.you != Party::Agent {
            return;
        }
        state.capacity = 1;
        let agent = state.agent.clone().unwrap_or_default();
        // Every time; it is noted once.
        self.plot.claim(Deed {
            conversation: agent.id,
            by: Party::Agent,
            seq: 0,
            text: String::new(),
            into: None,
        });
    }

    fn contradict(&mut self, sent: &mut Sent) {
        if self.plot.fault != Fault::WrongPlace || self.you != self.plot.by {
            return;
        }
        let of = self.conversations.entry(sent.conversation_id.clone()).or_default();
        of.answered += 1;
        let deed = Deed {
            conversation: sent.conversation_id.clone(),
            by: self.you,
            seq: sent.seq,
            text: String::new(),
            into: None,
        };
        if of.answered == self.plot.nth && self.plot.claim(deed) {
            sent.seq += 1;
        }
    }

    /// What the server receives instead, and what the client is told at once.
    pub fn to_server(&mut self, batch: ClientBatch) -> (ClientBatch, Vec<ServerFrame>) {
        let (mut frames, mut answers) = (Vec::with_capacity(batch.frames.len()), Vec::new());
        for frame in batch.frames {
            let sent = match &frame.request {
                Some(Request::Send(send)) => self.swallow(send),
                _ => None,
            };
            match sent {
                Some(sent) => {
                    answers.push(ServerFrame { id: frame.id, frame: Some(Frame::Sent(sent)) });
                }
                None => frames.push(frame),
            }
        }
        (ClientBatch { frames }, answers)
    }

    fn swallow(&mut self, send: &SendMessage) -> Option<Sent> {
        if self.plot.fault != Fault::FalseSent || self.you != self.plot.by {
            return None;
        }
        let conversation = self.conversations.entry(send.conversation_id.clone()).or_default();
        conversation.said += 1;
        let deed = Deed {
            conversation: send.conversation_id.clone(),
            by: self.you,
            seq: conversation.last + 1,
            text: send.text.clone(),
            into: None,
        };
        let seq = deed.seq;
        (conversation.said == self.plot.nth && self.plot.claim(deed)).then(|| Sent {
            conversation_id: send.conversation_id.clone(),
            client_msg_id: send.client_msg_id.clone(),
            seq,
            at: Some(wkt::Timestamp { seconds: 1, nanos: 0 }),
            duplicate: false,
        })
    }

    fn event(&mut self, mut push: EventPush) -> Vec<EventPush> {
        let Some(event) = push.event.as_mut() else { return vec![push] };
        let conversation = self.conversations.entry(event.conversation_id.clone()).or_default();
        let is_new = event.seq > conversation.last;
        conversation.last = conversation.last.max(event.seq);
        match conversation.denied {
            Some((seq, prev)) if push.prev == seq => push.prev = prev,
            // The client has asked for it again.
            Some((seq, _)) if event.seq == seq => conversation.denied = None,
            _ => {}
        }
        let mut is_nth = false;
        if is_new && forge::is_message_of(event, self.plot.by) {
            conversation.heard += 1;
            is_nth = conversation.heard == self.plot.nth;
        }
        if !self.held.is_empty() {
            self.behind_held(push)
        } else if self.stray.is_some() {
            vec![self.land(push)]
        } else if self.plot.is_open() && self.is_occasion(&push, is_nth) {
            self.strike(push)
        } else {
            vec![push]
        }
    }

    /// Whether the fault may happen at this event.
    fn is_occasion(&self, push: &EventPush, is_nth: bool) -> bool {
        let reader = if self.plot.by == Party::Visitor { Party::Agent } else { Party::Visitor };
        match self.plot.fault {
            Fault::Slow(_) | Fault::FalseSent | Fault::WrongPlace | Fault::Crowd => false,
            // Behind a hole, in which there is something that it must not see.
            Fault::Leak => self.is_behind_hole(push),
            Fault::TwoAgents => {
                let body = push.event.as_ref().and_then(|event| event.body.as_ref());
                self.is_behind_hole(push) && matches!(body, Some(Body::Assigned(_)))
            }
            Fault::Misroute => self.you == Party::Agent && reader == self.you && is_nth,
            _ => reader == self.you && is_nth,
        }
    }

    fn is_behind_hole(&self, push: &EventPush) -> bool {
        let seq = push.event.as_ref().map_or(0, |event| event.seq);
        self.you == Party::Visitor && seq > push.prev + 1
    }

    fn strike(&mut self, mut push: EventPush) -> Vec<EventPush> {
        let Some(event) = push.event.clone() else { return vec![push] };
        let struck = match self.plot.fault {
            Fault::Leak => forge::note_before(&push, &event),
            Fault::TwoAgents => forge::assignment_before(&push, &event),
            _ => event.clone(),
        };
        if !self.plot.claim(forge::deed(&struck)) {
            return vec![push];
        }
        match self.plot.fault {
            Fault::Lose | Fault::Misroute => {
                if let Some(of) = self.conversations.get_mut(&event.conversation_id) {
                    of.denied = Some((event.seq, push.prev));
                }
                self.stray = (self.plot.fault == Fault::Misroute).then_some(event);
                Vec::new()
            }
            Fault::Gap => Vec::new(),
            Fault::Repeat => vec![push.clone(), push],
            Fault::Swap | Fault::Exchange => {
                self.held.push(push);
                Vec::new()
            }
            Fault::Damage => {
                forge::damage(&mut push);
                vec![push]
            }
            Fault::Leak | Fault::TwoAgents => forge::fill(struck, push),
            Fault::None | Fault::FalseSent | Fault::WrongPlace | Fault::Crowd | Fault::Slow(_) => {
                vec![push]
            }
        }
    }

    /// Ends the wait of what is held when it can.
    fn behind_held(&mut self, push: EventPush) -> Vec<EventPush> {
        let of = |push: &EventPush| push.event.as_ref().map(|e| e.conversation_id.clone());
        if of(&self.held[0]) != of(&push) {
            return vec![push];
        }
        let by_the_same =
            push.event.as_ref().is_some_and(|e| forge::is_message_of(e, self.plot.by));
        self.held.push(push);
        match self.plot.fault {
            Fault::Exchange if !by_the_same => return Vec::new(),
            Fault::Exchange => forge::exchange_words(&mut self.held),
            _ => self.held.reverse(),
        }
        std::mem::take(&mut self.held)
    }

    /// Puts the stray message into the place of an offer of another conversation.
    fn land(&mut self, mut push: EventPush) -> EventPush {
        let Some(event) = push.event.as_mut() else { return push };
        let is_place = matches!(event.body, Some(Body::Offered(_)));
        if let Some(stray) =
            self.stray.take_if(|s| is_place && s.conversation_id != event.conversation_id)
        {
            self.plot.arrived(&event.conversation_id);
            forge::put_into(event, stray);
        }
        push
    }
}
