//! An agent: takes whatever is offered and says the odd lines of each dialogue,
//! each after having heard the visitor's line before it.

use super::visitor::line;
use super::{ATTRIBUTE, Script, next};
use crate::wire::text;
use frontdesk_client::{AskError, Heard, Session};
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{
    AcceptOffer, AgentStatus, Error, ErrorCode, Event, ListConversations, OfferPush, Phase,
    SetStatus, Welcome,
};
use std::collections::HashMap;
use std::sync::Arc;

/// How far one dialogue has come.
#[derive(Debug, Default)]
struct Chat {
    dialogue: Option<usize>,
    heard: usize,
    said: usize,
}

struct Agent {
    session: Session,
    script: Arc<Script>,
    chats: HashMap<String, Chat>,
}

/// Serves until the task is ended.
pub(super) async fn serve(session: Session, script: Arc<Script>) {
    let mut agent = Agent { session, script, chats: HashMap::new() };
    loop {
        match next(&mut agent.session).await {
            Heard::Connected(welcome) => agent.connected(&welcome).await,
            Heard::Event(push) => {
                agent.heard(push.event.expect("a push carries an event")).await;
            }
            Heard::Push(frame) => agent.pushed(*frame).await,
            Heard::Unfollowed { error, .. } => must_be_gone(&error),
            Heard::Answer { .. } | Heard::Deferred { .. } | Heard::Lost(_) => {}
            Heard::Breach { .. } => unreachable!("it would have panicked"),
        }
    }
}

impl Agent {
    /// Goes online, and finds what was assigned while the answer got lost.
    async fn connected(&mut self, welcome: &Welcome) {
        let online = AgentStatus::Online;
        if welcome.agent_state.as_ref().is_none_or(|s| s.status() != online) {
            let status = SetStatus { status: online.into(), reason: String::new() };
            self.session.call(status).await.expect("an agent can go online");
        }
        let list = ListConversations { limit: 100, include_closed: false };
        let list = self.session.call(list).await.expect("an agent can list its conversations");
        for state in list.conversations {
            let known = self.chats.contains_key(&state.conversation_id);
            if state.phase() == Phase::Assigned && !known {
                self.follow(&state.conversation_id).await;
            }
        }
    }

    async fn pushed(&mut self, frame: Frame) {
        match frame {
            Frame::Offer(offer) => self.offered(offer).await,
            Frame::Error(error) => self.failed(error).await,
            _ => {}
        }
    }

    async fn offered(&mut self, offer: OfferPush) {
        let OfferPush { conversation_id, offer_id, .. } = offer;
        let accept = AcceptOffer { conversation_id: conversation_id.clone(), offer_id };
        // The offer was withdrawn, or accepted before the answer got lost.
        unless_gone(self.session.call(accept).await);
    }

    /// Closed and taken up elsewhere in the meantime is no error.
    async fn follow(&mut self, conversation: &str) {
        unless_gone(self.session.follow(conversation).await);
    }

    async fn failed(&mut self, error: Error) {
        assert!(error.retryable, "an error for an agent: {error:?}");
        self.follow(&error.conversation_id).await;
    }

    async fn heard(&mut self, event: Event) {
        let id = event.conversation_id.clone();
        let chat = self.chats.entry(id.clone()).or_default();
        match &event.body {
            Some(Body::Started(started)) => {
                chat.dialogue = started.attributes.get(ATTRIBUTE).and_then(|n| n.parse().ok());
            }
            Some(Body::Message(_)) => {
                let dialogue = chat.dialogue.expect("the start comes first");
                let expected = &self.script.dialogues[dialogue].lines[chat.heard];
                assert_eq!(text(&event), Some(expected.as_str()), "dialogue {dialogue}");
                chat.heard += 1;
            }
            Some(Body::Closed(_)) => {
                self.chats.remove(&id);
                self.session.forget(&id);
                return;
            }
            _ => return,
        }
        self.answer(&id).await;
    }

    async fn answer(&mut self, id: &str) {
        let Some(Chat { dialogue: Some(dialogue), heard, said }) = self.chats.get_mut(id) else {
            return;
        };
        let (dialogue, number) = (*dialogue, *heard);
        let lines = &self.script.dialogues[dialogue].lines;
        if number % 2 == 0 || number >= lines.len() || *said > number {
            return;
        }
        *said = number + 1;
        let send = line(id, number, &lines[number]);
        match self.session.call(send).await {
            Ok(sent) => self.script.said(dialogue, number, sent),
            Err(error) => panic!("dialogue {dialogue}, line {number}: not sent: {error}"),
        }
    }
}

fn unless_gone<T>(answer: Result<T, AskError>) {
    match answer {
        Ok(_) => {}
        Err(AskError::Refused(error)) => must_be_gone(&error),
        Err(error) => panic!("an agent was not answered: {error}"),
    }
}

fn must_be_gone(error: &Error) {
    let gone = matches!(error.code(), ErrorCode::FailedPrecondition | ErrorCode::NotFound);
    assert!(gone, "an error for an agent: {error:?}");
}
