//! An agent of a shift: takes whatever is offered, and closes it after a while.

use super::ledger::Ledger;
use frontdesk_client::{Address, Carrier, Heard, Session, SessionSettings};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{
    AcceptOffer, AgentStatus, CloseConversation, ConversationState, ErrorCode, ListConversations,
    Phase, SetStatus,
};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

const FAR: Duration = Duration::from_secs(3_600);

struct Agent {
    number: usize,
    session: Session,
    handling: Duration,
    ledger: Arc<Ledger>,
    /// When each chat is done, in that order.
    due: VecDeque<(Instant, String)>,
    /// Those that it has and has not asked to close.
    open: Vec<String>,
    closing: HashMap<u32, String>,
}

/// Works until the shift is over.
pub(super) async fn work(
    mut addresses: Vec<Address>,
    number: usize,
    token: String,
    handling: Duration,
    ledger: Arc<Ledger>,
    mut is_over: watch::Receiver<bool>,
) {
    // Half of them begin at each gateway.
    let count = addresses.len();
    addresses.rotate_left(number % count);
    let first = addresses.remove(0);
    let settings = SessionSettings::new(first, Carrier::WebSocketProtobuf, token);
    let mut settings = settings;
    settings.addresses.extend(addresses);
    let mut agent = Agent {
        number,
        session: Session::new(settings),
        handling,
        ledger,
        due: VecDeque::new(),
        open: Vec::new(),
        closing: HashMap::new(),
    };
    agent.ask(Request::SetStatus(SetStatus {
        status: AgentStatus::Online.into(),
        reason: String::new(),
    }));
    loop {
        let next = agent.due.front().map_or_else(|| Instant::now() + FAR, |(at, _)| *at);
        tokio::select! {
            _ = is_over.wait_for(|over| *over) => return,
            () = sleep_until(next) => agent.close_due(),
            heard = agent.session.next() => match heard {
                Ok(heard) => agent.hear(heard),
                Err(e) => {
                    agent.ledger.wrong(format!("agent {number} has given up: {e}"));
                    return;
                }
            }
        }
    }
}

impl Agent {
    /// Fewer are under way than a session may have.
    fn ask(&mut self, request: Request) -> u32 {
        self.session.submit(request).expect("an agent asks for little at once")
    }

    fn hear(&mut self, heard: Heard) {
        match heard {
            // What came while it was away, or was lost on its way.
            Heard::Connected(_) => {
                self.ask(Request::ListConversations(ListConversations::default()));
            }
            Heard::Push(frame) => {
                if let Frame::Offer(offer) = *frame {
                    let (conversation_id, offer_id) = (offer.conversation_id, offer.offer_id);
                    self.ask(Request::AcceptOffer(AcceptOffer { conversation_id, offer_id }));
                }
            }
            Heard::Answer { id, frame } => self.answered(id, *frame),
            Heard::Breach { conversation, breach } => {
                self.ledger.wrong(format!("{conversation}: {breach:?}"));
            }
            Heard::Event(_)
            | Heard::Deferred { .. }
            | Heard::Unfollowed { .. }
            | Heard::Lost(_) => {}
        }
    }

    fn answered(&mut self, id: u32, frame: Frame) {
        match frame {
            Frame::Conversation(state) => self.has(&state),
            Frame::ConversationList(list) => {
                list.conversations.iter().for_each(|state| self.has(state));
            }
            Frame::Done(_) => {
                if let Some(conversation) = self.closing.remove(&id) {
                    self.ledger.closed(self.number, &conversation);
                    self.session.forget(&conversation);
                }
            }
            // An offer that ran out meanwhile.
            Frame::Error(error) if error.code() == ErrorCode::FailedPrecondition => {}
            Frame::Error(error) => {
                self.ledger.wrong(format!("agent {}: {}", self.number, error.message));
            }
            _ => {}
        }
    }

    fn has(&mut self, state: &ConversationState) {
        let conversation = &state.conversation_id;
        match state.phase() {
            Phase::Offered => {
                if let Some(offer) = &state.offer {
                    let (conversation_id, offer_id) =
                        (conversation.clone(), offer.offer_id.clone());
                    self.ask(Request::AcceptOffer(AcceptOffer { conversation_id, offer_id }));
                }
            }
            Phase::Assigned if !self.open.contains(conversation) => {
                if self.closing.values().any(|closing| closing == conversation) {
                    return;
                }
                self.open.push(conversation.clone());
                self.ledger.taken(self.number, conversation, self.open.len());
                self.due.push_back((Instant::now() + self.handling, conversation.clone()));
            }
            _ => {}
        }
    }

    fn close_due(&mut self) {
        let now = Instant::now();
        while self.due.front().is_some_and(|(at, _)| *at <= now) {
            let Some((_, conversation_id)) = self.due.pop_front() else { return };
            self.open.retain(|open| *open != conversation_id);
            let close = CloseConversation { conversation_id: conversation_id.clone() };
            let id = self.ask(Request::Close(close));
            self.closing.insert(id, conversation_id);
        }
    }
}
