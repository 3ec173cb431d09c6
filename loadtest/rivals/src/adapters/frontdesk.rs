//! Frontdesk, over WebSocket with Protobuf: visitors start conversations, the
//! router offers them, agents accept them. All of that is over before the first
//! message that counts.

use super::unanswered::Unanswered;
use super::{Adapter, Heard, Link, LinkError};
use crate::label::Label;
use frontdesk_client::{Address, Carrier, Connection, Tokens};
use frontdesk_loadtest::credentials::{Accounts, Login};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{
    AcceptOffer, AgentStatus, ClientBatch, ClientFrame, Error, Event, Hello, Party, Pong,
    SendMessage, ServerFrame, SetStatus, StartConversation,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use uuid::Uuid;

/// Frames of one batch; the protocol allows no more.
const MAX_FRAMES: usize = 64;

/// A Frontdesk on this machine.
pub struct Frontdesk {
    gateways: Vec<Address>,
    /// Connections opened so far.
    opened: AtomicUsize,
    tokens: Tokens,
    accounts: Accounts,
    agents: Vec<Login>,
    conversations: Arc<Conversations>,
    bytes: usize,
}

impl Frontdesk {
    /// At these gateways, at least one, taken in turn; for so many pairs with texts
    /// of `bytes`; a login for each agent.
    pub fn new(
        gateways: Vec<Address>,
        accounts: Accounts,
        agents: Vec<Login>,
        pairs: u32,
        bytes: usize,
    ) -> Result<Self, LinkError> {
        let first = gateways.first().ok_or(LinkError::NoGateway)?;
        let tokens = Tokens::new(first)?;
        let conversations = Arc::new(Conversations::new(pairs));
        let opened = AtomicUsize::new(0);
        Ok(Self { gateways, opened, tokens, accounts, agents, conversations, bytes })
    }

    async fn open(
        &self,
        party: Party,
        token: String,
        first: Request,
    ) -> Result<FrontdeskLink, LinkError> {
        let client = concat!("frontdesk-rivals/", env!("CARGO_PKG_VERSION")).to_owned();
        let hello = Hello { token, resume: Vec::new(), client };
        let turn = self.opened.fetch_add(1, Ordering::Relaxed);
        let gateway = &self.gateways[turn % self.gateways.len()];
        let connection = Connection::open(Carrier::WebSocketProtobuf, gateway, hello).await?;
        let mut link = FrontdeskLink {
            connection,
            party,
            conversations: self.conversations.clone(),
            unanswered: Unanswered::default(),
            out: vec![ClientFrame { id: 0, request: Some(first) }],
            bytes: self.bytes,
        };
        link.flush().await?;
        Ok(link)
    }
}

impl Adapter for Frontdesk {
    type Link = FrontdeskLink;

    /// Which agent gets which conversation is Frontdesk's to decide.
    async fn agent(&self, agent: usize, _pairs: &[u32]) -> Result<FrontdeskLink, LinkError> {
        let Login { email, password } = &self.agents[agent];
        let token = self.tokens.sign_in(&self.accounts.site, email, password).await?;
        let status = AgentStatus::Online.into();
        let online = Request::SetStatus(SetStatus { status, reason: String::new() });
        self.open(Party::Agent, token.token, online).await
    }

    async fn visitor(&self, pair: u32, _agent: usize) -> Result<FrontdeskLink, LinkError> {
        let token = self.tokens.visitor(&self.accounts.site_key).await?;
        let conversation_id = self.conversations.ids[pair as usize].clone();
        let start = StartConversation { conversation_id, ..StartConversation::default() };
        self.open(Party::Visitor, token.token, Request::Start(start)).await
    }
}

/// Ids, chosen by the client, of all pairs.
struct Conversations {
    ids: Vec<String>,
    pairs: HashMap<String, u32>,
}

impl Conversations {
    fn new(pairs: u32) -> Self {
        let ids: Vec<String> = (0..pairs).map(|_| Uuid::now_v7().to_string()).collect();
        Self { pairs: ids.iter().cloned().zip(0..).collect(), ids }
    }
}

/// One connection to Frontdesk.
pub struct FrontdeskLink {
    connection: Connection,
    party: Party,
    conversations: Arc<Conversations>,
    unanswered: Unanswered,
    out: Vec<ClientFrame>,
    bytes: usize,
}

impl FrontdeskLink {
    fn meaning(
        &mut self,
        ServerFrame { id, frame }: ServerFrame,
    ) -> Result<Option<Heard>, LinkError> {
        match frame {
            Some(Frame::Event(push)) => Ok(push.event.and_then(|event| self.event(&event))),
            Some(Frame::Sent(_)) => {
                let (pair, number) = self.unanswered.answered(id)?;
                Ok(Some(Heard::Acknowledged { pair, number }))
            }
            Some(Frame::Offer(offer)) => {
                let (conversation_id, offer_id) = (offer.conversation_id, offer.offer_id);
                self.ask(Request::AcceptOffer(AcceptOffer { conversation_id, offer_id }));
                Ok(None)
            }
            Some(Frame::Ping(_)) => {
                self.ask(Request::Pong(Pong {}));
                Ok(None)
            }
            Some(Frame::Error(Error { message, .. })) if id == 0 => {
                // Offers come again by themselves; what else is missing shows
                // when a pair does not become ready.
                eprintln!("frontdesk: {message}");
                Ok(None)
            }
            Some(Frame::Error(Error { message, .. })) => Err(LinkError::Refused(message)),
            _ => Ok(None),
        }
    }

    fn event(&self, event: &Event) -> Option<Heard> {
        let pair = *self.conversations.pairs.get(&event.conversation_id)?;
        match event.body.as_ref()? {
            Body::Assigned(_) => Some(Heard::Ready { pair }),
            // What this side said itself comes back to it: that is no delivery.
            Body::Message(_) if event.by.as_ref().is_some_and(|by| by.party() == self.party) => {
                None
            }
            Body::Message(message) => {
                Some(Heard::Received { pair, label: Label::read(&message.text, self.bytes) })
            }
            _ => None,
        }
    }

    /// Nothing that needs an answer.
    fn ask(&mut self, request: Request) {
        self.out.push(ClientFrame { id: 0, request: Some(request) });
    }
}

impl Link for FrontdeskLink {
    fn say(&mut self, pair: u32, number: u32, text: String) {
        let id = self.unanswered.add(pair, number);
        let send = SendMessage {
            conversation_id: self.conversations.ids[pair as usize].clone(),
            client_msg_id: format!("{number:x}"),
            text,
            attachment_ids: Vec::new(),
            after_client_msg_id: String::new(),
        };
        self.out.push(ClientFrame { id, request: Some(Request::Send(send)) });
    }

    async fn flush(&mut self) -> Result<(), LinkError> {
        while !self.out.is_empty() {
            let rest = self.out.split_off(self.out.len().min(MAX_FRAMES));
            let frames = std::mem::replace(&mut self.out, rest);
            self.connection.sender.send(&ClientBatch { frames }).await?;
        }
        Ok(())
    }

    async fn hear(&mut self, heard: &mut Vec<Heard>) -> Result<(), LinkError> {
        for frame in self.connection.receiver.receive().await?.frames {
            heard.extend(self.meaning(frame)?);
        }
        Ok(())
    }
}
