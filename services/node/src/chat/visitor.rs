//! The visitor's side: opens one conversation and talks.

use super::{Next, Side, fresh_id, screen};
use crate::cli::ChatArgs;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{
    CloseConversation, LeaveContact, RateConversation, ReopenConversation, SendMessage,
    StartConversation,
};

pub(super) struct Visitor {
    conversation: String,
    name: String,
    queue: String,
    own_id: String,
    unacknowledged: u32,
}

impl Visitor {
    pub(super) fn new(args: &ChatArgs) -> Self {
        Self {
            conversation: fresh_id(),
            name: args.name.clone(),
            queue: args.queue.clone(),
            own_id: String::new(),
            unacknowledged: 0,
        }
    }

    fn rate(&self, words: &str) -> Next {
        let (score, comment) = words.split_once(' ').unwrap_or((words, ""));
        let Ok(score) = score.parse() else {
            screen::remark("usage: /rate 1-5 [comment]");
            return Next::Ask(vec![]);
        };
        let conversation_id = self.conversation.clone();
        let comment = comment.to_owned();
        Next::Ask(vec![Request::Rate(RateConversation { conversation_id, score, comment })])
    }
}

impl Side for Visitor {
    fn begin(&mut self) -> Vec<Request> {
        screen::remark(
            "/rate 1-5 [comment], /contact EMAIL [message], /close, /reopen, /quit; anything else is said",
        );
        vec![Request::Start(StartConversation {
            conversation_id: self.conversation.clone(),
            queue: self.queue.clone(),
            visitor_name: self.name.clone(),
            ..Default::default()
        })]
    }

    fn line(&mut self, line: &str) -> Next {
        let conversation_id = self.conversation.clone();
        match line.split_once(' ').unwrap_or((line, "")) {
            ("", _) => Next::Ask(vec![]),
            ("/quit", _) => Next::Quit,
            ("/close", _) => Next::Ask(vec![Request::Close(CloseConversation { conversation_id })]),
            ("/reopen", _) => {
                Next::Ask(vec![Request::Reopen(ReopenConversation { conversation_id })])
            }
            ("/rate", words) => self.rate(words),
            ("/contact", words) => {
                let (email, text) = words.split_once(' ').unwrap_or((words, ""));
                let (email, text) = (email.to_owned(), text.to_owned());
                let phone = String::new();
                Next::Ask(vec![Request::LeaveContact(LeaveContact {
                    conversation_id,
                    email,
                    phone,
                    text,
                })])
            }
            _ => {
                self.unacknowledged += 1;
                Next::Ask(vec![Request::Send(SendMessage {
                    conversation_id,
                    client_msg_id: fresh_id(),
                    text: line.to_owned(),
                    attachment_ids: vec![],
                    after_client_msg_id: String::new(),
                })])
            }
        }
    }

    fn frame(&mut self, frame: Frame) -> Next {
        match frame {
            Frame::Welcome(w) => self.own_id = w.you.map(|p| p.id).unwrap_or_default(),
            Frame::Conversation(c) => {
                screen::remark(&format!("conversation {}", c.conversation_id));
            }
            Frame::Event(push) => {
                if let Some(event) = push.event {
                    screen::event(&event, &self.own_id);
                }
            }
            Frame::Sent(_) => self.unacknowledged = self.unacknowledged.saturating_sub(1),
            Frame::Queue(q) => {
                screen::remark(&format!("you are number {} in the queue", q.position))
            }
            Frame::Typing(t) if t.typing => {
                let who = t.by.as_ref().map(screen::name).unwrap_or_default();
                screen::remark(&format!("{who} is typing …"));
            }
            Frame::Error(e) => {
                self.unacknowledged = self.unacknowledged.saturating_sub(1);
                screen::remark(&format!("refused: {}", e.message));
            }
            _ => {}
        }
        Next::Ask(vec![])
    }

    fn owes(&self) -> bool {
        self.unacknowledged > 0
    }
}
