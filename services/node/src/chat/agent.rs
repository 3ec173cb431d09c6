//! The agent's side: goes online, takes offers and talks in one of its chats at
//! a time.

use super::{Next, Side, fresh_id, screen, staff};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{
    AcceptOffer, AgentState, AgentStatus, Cursor, DeclineOffer, ListConversations, ListTeam,
    OfferPush, SendMessage, SetStatus, Subscribe,
};

pub(super) struct Agent {
    own_id: String,
    chats: Vec<String>,
    current: usize,
    offers: Vec<OfferPush>,
    /// Invitations and mentions, for `/join` without a number.
    asked: Vec<String>,
    /// As `/team` has shown it last.
    team: Vec<AgentState>,
    auto_accept: bool,
    unacknowledged: u32,
}

const HELP: &str = "/accept, /decline [why], /chats, /chat N, /note TEXT, /tags a,b, \
                    /transfer QUEUE [note], /warm QUEUE [note], /close, /team, \
                    /invite NAME [note], /join, /leave [NAME], /online, /away, /quit; \
                    supervisors: /watch ID, /whisper TEXT, /takeover, /release [why], \
                    /priority MINUTES; anything else is said";

impl Agent {
    pub(super) fn new(auto_accept: bool) -> Self {
        Self {
            own_id: String::new(),
            chats: Vec::new(),
            current: 0,
            offers: Vec::new(),
            asked: Vec::new(),
            team: Vec::new(),
            auto_accept,
            unacknowledged: 0,
        }
    }

    fn status(status: AgentStatus) -> Request {
        Request::SetStatus(SetStatus { status: status.into(), reason: String::new() })
    }

    fn conversation(&self) -> Option<String> {
        let id = self.chats.get(self.current).cloned();
        if id.is_none() {
            screen::remark("no chat is open");
        }
        id
    }

    fn joined(&mut self, id: String) {
        self.offers.retain(|o| o.conversation_id != id);
        if !self.chats.contains(&id) {
            self.chats.push(id);
            self.current = self.chats.len() - 1;
        }
    }

    fn accept(&mut self) -> Vec<Request> {
        let Some(offer) = self.offers.pop() else {
            screen::remark("nothing is offered");
            return vec![];
        };
        let (conversation_id, offer_id) = (offer.conversation_id, offer.offer_id);
        vec![Request::AcceptOffer(AcceptOffer { conversation_id, offer_id })]
    }

    fn decline(&mut self, why: &str) -> Vec<Request> {
        let Some(offer) = self.offers.pop() else { return vec![] };
        let (conversation_id, offer_id) = (offer.conversation_id, offer.offer_id);
        vec![Request::DeclineOffer(DeclineOffer { conversation_id, offer_id, reason: why.into() })]
    }

    fn in_chat(&mut self, command: &str, words: &str) -> Option<Request> {
        let conversation = self.conversation()?;
        let request = staff::request(command, words, &conversation, &self.team);
        match request {
            Ok(request) => {
                let is_said = matches!(request, Request::AddNote(_) | Request::Whisper(_));
                self.unacknowledged += u32::from(is_said);
                Some(request)
            }
            Err(why) => {
                screen::remark(&why);
                None
            }
        }
    }

    fn join(&mut self) -> Vec<Request> {
        let Some(id) = self.asked.pop() else {
            // A supervisor joins what it watches.
            return self.in_chat("/join", "").into_iter().collect();
        };
        staff::request("/join", "", &id, &self.team).into_iter().collect()
    }

    fn asked_to(&mut self, conversation: String, what: &str) {
        screen::remark(&format!("{what} (/join)"));
        self.asked.retain(|id| *id != conversation);
        self.asked.push(conversation);
    }

    fn say(&mut self, text: &str) -> Option<Request> {
        let conversation_id = self.conversation()?;
        self.unacknowledged += 1;
        Some(Request::Send(SendMessage {
            conversation_id,
            client_msg_id: fresh_id(),
            text: text.to_owned(),
            attachment_ids: vec![],
            after_client_msg_id: String::new(),
        }))
    }

    fn list(&self) {
        for (n, id) in self.chats.iter().enumerate() {
            let mark = if n == self.current { '*' } else { ' ' };
            screen::remark(&format!("{mark} {} {id}", n + 1));
        }
    }

    fn choose(&mut self, words: &str) {
        match words.trim().parse::<usize>() {
            Ok(n) if (1..=self.chats.len()).contains(&n) => self.current = n - 1,
            _ => screen::remark("usage: /chat N, one of /chats"),
        }
    }

    fn offered(&mut self, offer: OfferPush) -> Vec<Request> {
        let from = offer.visitor.as_ref().map(screen::name).unwrap_or_default();
        screen::remark(&format!("offer from {from}: {}", offer.preview));
        self.offers.retain(|o| o.offer_id != offer.offer_id);
        self.offers.push(offer);
        if self.auto_accept { self.accept() } else { vec![] }
    }

    fn shown(&self, conversation: &str) {
        if self.chats.get(self.current).is_some_and(|c| c != conversation) {
            let n = self.chats.iter().position(|c| c == conversation);
            screen::remark(&format!("in chat {}:", n.map_or(0, |n| n + 1)));
        }
    }
}

impl Side for Agent {
    fn begin(&mut self) -> Vec<Request> {
        screen::remark(HELP);
        let list = ListConversations { limit: 0, include_closed: false };
        vec![Self::status(AgentStatus::Online), Request::ListConversations(list)]
    }

    fn line(&mut self, line: &str) -> Next {
        let requests = match line.split_once(' ').unwrap_or((line, "")) {
            ("", _) => vec![],
            ("/quit", _) => return Next::Quit,
            ("/accept", _) => self.accept(),
            ("/decline", why) => self.decline(why),
            ("/online", _) => vec![Self::status(AgentStatus::Online)],
            ("/away", _) => vec![Self::status(AgentStatus::Away)],
            ("/chats", _) => {
                self.list();
                vec![]
            }
            ("/chat", words) => {
                self.choose(words);
                vec![]
            }
            ("/team", _) => vec![Request::ListTeam(ListTeam {})],
            ("/join", _) => self.join(),
            ("/watch", id) => vec![subscribe(id.trim())],
            (command, words) if staff::COMMANDS.contains(&command) => {
                self.in_chat(command, words).into_iter().collect()
            }
            _ => self.say(line).into_iter().collect(),
        };
        Next::Ask(requests)
    }

    fn frame(&mut self, frame: Frame) -> Next {
        let mut requests = vec![];
        match frame {
            Frame::Welcome(w) => self.own_id = w.you.map(|p| p.id).unwrap_or_default(),
            Frame::Offer(offer) => requests = self.offered(offer),
            Frame::OfferClosed(o) => self.offers.retain(|x| x.offer_id != o.offer_id),
            Frame::Conversation(c) => self.joined(c.conversation_id),
            Frame::ConversationList(list) => {
                for c in list.conversations.into_iter().filter(|c| c.agent.is_some()) {
                    requests.push(subscribe(&c.conversation_id));
                    self.joined(c.conversation_id);
                }
            }
            Frame::Event(push) => {
                if let Some(event) = push.event {
                    self.shown(&event.conversation_id);
                    screen::event(&event, &self.own_id);
                }
            }
            Frame::Sent(_) => self.unacknowledged = self.unacknowledged.saturating_sub(1),
            Frame::AgentState(s) => screen::remark(&format!(
                "you are {} with {} of {}",
                screen::word(s.status().as_str_name()),
                s.load,
                s.capacity
            )),
            Frame::Team(team) => {
                for agent in &team.agents {
                    screen::remark(&staff::colleague(agent));
                }
                self.team = team.agents;
            }
            Frame::Invitation(i) => {
                let by = i.by.as_ref().map(screen::name).unwrap_or_default();
                self.asked_to(i.conversation_id, &format!("{by} asks you to join: {}", i.note));
            }
            Frame::Mention(m) => {
                let by = m.by.as_ref().map(screen::name).unwrap_or_default();
                self.asked_to(m.conversation_id, &format!("{by} mentions you: {}", m.text));
            }
            Frame::Error(e) => {
                self.unacknowledged = self.unacknowledged.saturating_sub(1);
                screen::remark(&format!("refused: {}", e.message));
            }
            _ => {}
        }
        Next::Ask(requests)
    }

    fn owes(&self) -> bool {
        self.unacknowledged > 0
    }
}

/// Follows a conversation from its beginning.
fn subscribe(conversation: &str) -> Request {
    let cursor = Cursor { conversation_id: conversation.to_owned(), seq: 0 };
    Request::Subscribe(Subscribe { cursor: Some(cursor) })
}
