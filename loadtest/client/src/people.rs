//! What visitors and agents do, in their words: each call waits for its answer
//! and is repeated by the session until there is one.

use super::address::Address;
use super::codec::Carrier;
use super::session::{AskError, Heard, Session, SessionSettings};
use super::tokens::{TokenError, Tokens};
use super::verbs::Verb;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{
    AcceptOffer, AddNote, AgentState, AgentStatus, CloseConversation, ConversationState, Cursor,
    EventPush, GetHistory, History, OfferPush, RateConversation, SendMessage, Sent, SetStatus,
    StartConversation, Subscribe, TransferConversation, transfer_conversation,
};
use std::ops::ControlFlow;
use uuid::Uuid;

/// Events of one page of history.
const PAGE: u32 = 200;

fn unexpected(frame: &Frame) -> AskError {
    AskError::Unexpected(format!("{frame:?}").chars().take(200).collect())
}

impl Session {
    /// Has a request carried out, as [`Session::ask`] does; gives its answer.
    pub async fn call<V: Verb>(&mut self, verb: V) -> Result<V::Answer, AskError> {
        V::answer(self.ask(verb.into_request()).await?).map_err(|frame| unexpected(&frame))
    }

    /// Says something; a repeat under the same `client_msg_id` says it once.
    pub async fn say(
        &mut self,
        conversation: &str,
        client_msg_id: &str,
        text: &str,
    ) -> Result<Sent, AskError> {
        self.call(SendMessage {
            conversation_id: conversation.to_owned(),
            client_msg_id: client_msg_id.to_owned(),
            text: text.to_owned(),
            attachment_ids: Vec::new(),
            after_client_msg_id: String::new(),
        })
        .await
    }

    /// Ends a conversation.
    pub async fn close_conversation(&mut self, conversation: &str) -> Result<(), AskError> {
        let conversation_id = conversation.to_owned();
        self.call(CloseConversation { conversation_id }).await.map(drop)
    }

    /// Follows a conversation from the last event seen.
    pub async fn follow(&mut self, conversation: &str) -> Result<ConversationState, AskError> {
        let seq = self.cursor(conversation);
        let cursor = Cursor { conversation_id: conversation.to_owned(), seq };
        self.call(Subscribe { cursor: Some(cursor) }).await
    }

    /// One page of events after a seq.
    pub async fn history(&mut self, conversation: &str, after: u32) -> Result<History, AskError> {
        self.page(conversation, after, false).await
    }

    /// The page of events before a seq, or the last one (0); in rising order too.
    pub async fn history_before(
        &mut self,
        conversation: &str,
        before: u32,
    ) -> Result<History, AskError> {
        self.page(conversation, before, true).await
    }

    async fn page(
        &mut self,
        conversation: &str,
        from: u32,
        backwards: bool,
    ) -> Result<History, AskError> {
        let conversation_id = conversation.to_owned();
        self.call(GetHistory { conversation_id, after_seq: from, limit: PAGE, backwards }).await
    }

    /// Waits for the next event; what else is heard stays for later.
    pub async fn next_event(&mut self) -> Result<EventPush, AskError> {
        self.wait_for(|heard| match heard {
            Heard::Event(push) => ControlFlow::Break(*push),
            other => ControlFlow::Continue(other),
        })
        .await
    }
}

/// A visitor.
pub struct Visitor {
    /// What the visitor hears, and everything else it may ask.
    pub session: Session,
}

impl Visitor {
    /// A new visitor; connects when first used.
    pub async fn new(
        address: &Address,
        carrier: Carrier,
        tokens: &Tokens,
        site_key: &str,
    ) -> Result<Self, TokenError> {
        let token = tokens.visitor(site_key).await?.token;
        let settings = SessionSettings::new(address.clone(), carrier, token);
        Ok(Self { session: Session::new(settings) })
    }

    /// Opens a conversation under an id of its own, so that repeats open one.
    pub async fn start(&mut self, queue: &str) -> Result<ConversationState, AskError> {
        self.session
            .call(StartConversation {
                conversation_id: Uuid::now_v7().to_string(),
                queue: queue.to_owned(),
                ..StartConversation::default()
            })
            .await
    }

    /// Rates a conversation, 1–5.
    pub async fn rate(&mut self, conversation: &str, score: u32) -> Result<(), AskError> {
        let rate = RateConversation {
            conversation_id: conversation.to_owned(),
            score,
            comment: String::new(),
        };
        self.session.call(rate).await.map(drop)
    }
}

/// An agent or supervisor.
pub struct Agent {
    /// What the agent hears, and everything else it may ask.
    pub session: Session,
}

impl Agent {
    /// Signs in; connects when first used.
    pub async fn new(
        address: &Address,
        carrier: Carrier,
        tokens: &Tokens,
        (site, email, password): (&str, &str, &str),
    ) -> Result<Self, TokenError> {
        let token = tokens.sign_in(site, email, password).await?.token;
        let settings = SessionSettings::new(address.clone(), carrier, token);
        Ok(Self { session: Session::new(settings) })
    }

    /// Sets the status.
    pub async fn set_status(&mut self, status: AgentStatus) -> Result<AgentState, AskError> {
        self.session.call(SetStatus { status: status.into(), reason: String::new() }).await
    }

    /// Waits for an offer; what else is heard stays for later.
    pub async fn next_offer(&mut self) -> Result<OfferPush, AskError> {
        self.session
            .wait_for(|heard| match heard {
                Heard::Push(frame) => match *frame {
                    Frame::Offer(offer) => ControlFlow::Break(offer),
                    other => ControlFlow::Continue(Heard::Push(Box::new(other))),
                },
                other => ControlFlow::Continue(other),
            })
            .await
    }

    /// Takes an offered conversation.
    pub async fn accept(&mut self, offer: &OfferPush) -> Result<ConversationState, AskError> {
        let accept = AcceptOffer {
            conversation_id: offer.conversation_id.clone(),
            offer_id: offer.offer_id.clone(),
        };
        self.session.call(accept).await
    }

    /// Adds a private note; a repeat under the same `client_msg_id` adds it once.
    pub async fn note(
        &mut self,
        conversation: &str,
        client_msg_id: &str,
        text: &str,
    ) -> Result<Sent, AskError> {
        self.session
            .call(AddNote {
                conversation_id: conversation.to_owned(),
                client_msg_id: client_msg_id.to_owned(),
                text: text.to_owned(),
                ..AddNote::default()
            })
            .await
    }

    /// Hands a conversation over, with a note for whoever takes it.
    pub async fn transfer(
        &mut self,
        conversation: &str,
        target: transfer_conversation::Target,
        note: &str,
    ) -> Result<(), AskError> {
        let transfer = TransferConversation {
            conversation_id: conversation.to_owned(),
            target: Some(target),
            note: note.to_owned(),
            warm: false,
        };
        self.session.call(transfer).await.map(drop)
    }
}
