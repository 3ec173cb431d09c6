//! The steps that most tests take, each one request that must succeed.

use super::Wire;
use frontdesk_client::Verb;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{
    AcceptOffer, AgentState, AgentStatus, CloseConversation, ConversationState, Cursor, Event,
    EventPush, GetHistory, OfferPush, SendMessage, Sent, SetStatus, StartConversation, Subscribe,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A new UUIDv7 as text.
pub fn fresh_id() -> String {
    Uuid::now_v7().to_string()
}

/// A message with a new id.
pub fn message(conversation: &str, text: &str) -> SendMessage {
    SendMessage {
        conversation_id: conversation.to_owned(),
        client_msg_id: fresh_id(),
        text: text.to_owned(),
        attachment_ids: Vec::new(),
        after_client_msg_id: String::new(),
    }
}

/// The text of a message event.
pub fn text(event: &Event) -> Option<&str> {
    match &event.body {
        Some(Body::Message(message)) => Some(&message.text),
        _ => None,
    }
}

/// The texts of the messages among events, in order.
pub fn texts(events: &[EventPush]) -> Vec<String> {
    events.iter().filter_map(|p| p.event.as_ref().and_then(text)).map(str::to_owned).collect()
}

impl Wire {
    /// A request that must succeed; gives its answer.
    pub async fn call<V: Verb>(&mut self, verb: V) -> V::Answer {
        let request = verb.into_request();
        let name = format!("{request:?}").chars().take(120).collect::<String>();
        let frame = self.request(request).await;
        let frame = frame.unwrap_or_else(|e| panic!("{name} failed: {e:?}"));
        V::answer(frame).unwrap_or_else(|other| panic!("{name} was answered with {other:?}"))
    }

    /// Opens a conversation with a first message.
    pub async fn start(&mut self, first: &str) -> ConversationState {
        self.start_with(first, BTreeMap::new()).await
    }

    /// Opens a conversation with a first message and attributes.
    pub async fn start_with(
        &mut self,
        first: &str,
        attributes: BTreeMap<String, String>,
    ) -> ConversationState {
        self.call(StartConversation {
            conversation_id: fresh_id(),
            attributes: attributes.into_iter().collect(),
            first_message: Some(message("", first)),
            ..StartConversation::default()
        })
        .await
    }

    /// Says something; gives its place.
    pub async fn say(&mut self, conversation: &str, text: &str) -> Sent {
        self.call(message(conversation, text)).await
    }

    /// Waits for a message with this text; gives its event.
    pub async fn hear(&mut self, words: &str) -> Event {
        let push = self.event(words, |event| text(event) == Some(words)).await;
        push.event.expect("picked by its event")
    }

    /// Sets the status of an agent.
    pub async fn status(&mut self, status: AgentStatus) -> AgentState {
        self.call(SetStatus { status: status.into(), reason: String::new() }).await
    }

    /// Waits for an offer of this conversation.
    pub async fn offer(&mut self, conversation: &str) -> OfferPush {
        let what = format!("an offer of {conversation}");
        self.push(&what, |frame| match frame {
            Frame::Offer(offer) if offer.conversation_id == conversation => Some(offer.clone()),
            _ => None,
        })
        .await
    }

    /// Accepts an offer.
    pub async fn accept(&mut self, offer: &OfferPush) -> ConversationState {
        let conversation_id = offer.conversation_id.clone();
        self.call(AcceptOffer { conversation_id, offer_id: offer.offer_id.clone() }).await
    }

    /// Waits for the offer of a conversation and takes it.
    pub async fn take(&mut self, conversation: &str) -> ConversationState {
        let offer = self.offer(conversation).await;
        self.accept(&offer).await
    }

    /// Ends a conversation.
    pub async fn close(&mut self, conversation: &str) {
        self.call(CloseConversation { conversation_id: conversation.to_owned() }).await;
    }

    /// Follows a conversation from its first event on.
    pub async fn subscribe(&mut self, conversation: &str) -> ConversationState {
        let cursor = Cursor { conversation_id: conversation.to_owned(), seq: 0 };
        self.call(Subscribe { cursor: Some(cursor) }).await
    }

    /// All events of a conversation that this reader may see, page by page.
    pub async fn history(&mut self, conversation: &str) -> Vec<EventPush> {
        let mut events: Vec<EventPush> = Vec::new();
        loop {
            let after_seq = events.last().and_then(|p| p.event.as_ref()).map_or(0, |e| e.seq);
            let conversation_id = conversation.to_owned();
            let ask = GetHistory { conversation_id, after_seq, limit: 200, backwards: false };
            let page = self.call(ask).await;
            if let Some(first) = page.events.first() {
                assert_eq!(first.prev, after_seq, "pages leave no gap");
            }
            events.extend(page.events);
            if !page.more {
                return events;
            }
        }
    }
}
