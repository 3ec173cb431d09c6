//! The visitor's side: agrees to what the site asks, opens one conversation and talks.

use super::{ChatError, Next, Side, fresh_id, screen};
use crate::cli::ChatArgs;
use frontdesk_core::conversation::Texts;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{
    CloseConversation, ConsentText, LeaveContact, RateConversation, ReopenConversation,
    SendMessage, StartConversation,
};

/// The person's language, as the terminal has it: `de_AT.UTF-8` is `de-AT`.
fn own_language() -> String {
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let locale = set.unwrap_or_default();
    locale.split(['.', '@']).next().unwrap_or_default().replace('_', "-")
}

/// How far a visitor has come.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    /// Whether the site asks for anything is not known.
    Before,
    /// The next line is the answer about this version of its text.
    Asked { version: String },
    /// The conversation is being opened, or is open.
    Open,
}

pub(super) struct Visitor {
    stage: Stage,
    consents: bool,
    conversation: String,
    name: String,
    queue: String,
    own_id: String,
    unacknowledged: u32,
}

impl Visitor {
    pub(super) fn new(args: &ChatArgs) -> Self {
        Self {
            stage: Stage::Before,
            consents: args.consent,
            conversation: fresh_id(),
            name: args.name.clone(),
            queue: args.queue.clone(),
            own_id: String::new(),
            unacknowledged: 0,
        }
    }

    /// What comes of the server's welcome: the first one begins the conversation, or asks
    /// the visitor first.
    fn welcomed(&mut self, asked: Option<ConsentText>) -> Next {
        if self.stage != Stage::Before {
            return Next::Ask(vec![]);
        }
        let Some(ConsentText { version, text, link }) = asked else {
            return self.start(String::new());
        };
        let texts = text.into_iter().map(|(tag, text)| (tag.into(), text.into())).collect();
        let text = Texts::new(texts).map(|texts| texts.pick(&own_language())).unwrap_or_default();
        screen::remark(&format!("the site asks (version {version}): {text} {link}"));
        if self.consents {
            return self.start(version);
        }
        screen::remark("type yes to agree, anything else to leave");
        self.stage = Stage::Asked { version };
        Next::Ask(vec![])
    }

    fn start(&mut self, consent_version: String) -> Next {
        self.stage = Stage::Open;
        Next::Ask(vec![Request::Start(StartConversation {
            conversation_id: self.conversation.clone(),
            queue: self.queue.clone(),
            visitor_name: self.name.clone(),
            consent_version,
            ..Default::default()
        })])
    }

    fn answered(&mut self, line: &str, version: String) -> Next {
        if ["yes", "y"].contains(&line.trim().to_lowercase().as_str()) {
            return self.start(version);
        }
        screen::remark("nothing was begun");
        Next::Quit
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
        Vec::new()
    }

    fn listens(&self) -> bool {
        self.stage != Stage::Before
    }

    fn no_more_lines(&mut self) -> Next {
        match self.stage {
            Stage::Asked { .. } => Next::Fail(ChatError::NoConsent),
            Stage::Before | Stage::Open => Next::Ask(vec![]),
        }
    }

    fn line(&mut self, line: &str) -> Next {
        if let Stage::Asked { version } = &self.stage {
            let version = version.clone();
            return self.answered(line, version);
        }
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
            Frame::Welcome(w) => {
                self.own_id = w.you.map(|p| p.id).unwrap_or_default();
                return self.welcomed(w.consent);
            }
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
