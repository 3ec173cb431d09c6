//! Socket.IO, over WebSocket from the start, with a room for each conversation.

mod framing;

use self::framing::Packet;
use super::socket::Socket;
use super::unanswered::Unanswered;
use super::{Adapter, Heard, Link, LinkError};
use crate::label::Label;
use tokio_websockets::Message;

/// Engine.IO 4 without the detour over long polling.
const PATH: &str = "/socket.io/?EIO=4&transport=websocket";
/// What is left of a room's name is the pair.
const ROOM: char = 'c';
/// Events that the server knows.
const JOIN: &str = "join";
const MESSAGE: &str = "message";
/// The request id of the one join.
const JOINED: u32 = 0;

/// One node or several on this machine.
#[derive(Debug, Clone)]
pub struct SocketIo {
    /// Where the nodes listen.
    pub ports: Vec<u16>,
    /// Length of the texts.
    pub bytes: usize,
}

impl Adapter for SocketIo {
    type Link = SocketIoLink;

    async fn agent(&self, agent: usize, pairs: &[u32]) -> Result<SocketIoLink, LinkError> {
        self.open(agent, pairs).await
    }

    /// On the node that the agent is not on, where there is one: every message
    /// crosses.
    async fn visitor(&self, pair: u32, agent: usize) -> Result<SocketIoLink, LinkError> {
        self.open(agent + 1, &[pair]).await
    }
}

impl SocketIo {
    async fn open(&self, node: usize, pairs: &[u32]) -> Result<SocketIoLink, LinkError> {
        let socket = Socket::open(self.ports[node % self.ports.len()], PATH).await?;
        let mut link = SocketIoLink {
            socket,
            joined: pairs.to_vec(),
            unanswered: Unanswered::default(),
            bytes: self.bytes,
        };
        link.greet().await?;
        let rooms: Vec<String> = pairs.iter().map(|pair| format!("{ROOM}{pair}")).collect();
        link.socket.queue(Message::text(framing::event(JOINED, &(JOIN, rooms))));
        link.flush().await?;
        Ok(link)
    }
}

/// One connection to a node.
pub struct SocketIoLink {
    socket: Socket,
    /// Pairs whose rooms are asked for, until that is answered.
    joined: Vec<u32>,
    unanswered: Unanswered,
    bytes: usize,
}

impl SocketIoLink {
    /// Waits for the open packet and joins the main namespace.
    async fn greet(&mut self) -> Result<(), LinkError> {
        loop {
            for message in self.socket.receive().await? {
                match parse(&message)? {
                    Packet::Open => self.socket.queue(Message::text(framing::CONNECT)),
                    Packet::Connected => return Ok(()),
                    other => return Err(unexpected(&other)),
                }
            }
            self.socket.flush().await?;
        }
    }

    fn meaning(&mut self, packet: &Packet<'_>, heard: &mut Vec<Heard>) -> Result<(), LinkError> {
        match packet {
            Packet::Ping => self.socket.queue(Message::text(framing::PONG)),
            Packet::Acknowledgement(JOINED) => {
                heard.extend(self.joined.drain(..).map(|pair| Heard::Ready { pair }));
            }
            Packet::Acknowledgement(id) => {
                let (pair, number) = self.unanswered.answered(*id)?;
                heard.push(Heard::Acknowledged { pair, number });
            }
            Packet::Event(event) if event.name == MESSAGE => {
                let pair = event.room.strip_prefix(ROOM).and_then(|pair| pair.parse().ok());
                let pair = pair.ok_or_else(|| unexpected(packet))?;
                heard.push(Heard::Received { pair, label: Label::read(&event.text, self.bytes) });
            }
            other => return Err(unexpected(other)),
        }
        Ok(())
    }
}

fn parse(message: &Message) -> Result<Packet<'_>, LinkError> {
    let text = message.as_text().ok_or_else(|| LinkError::Protocol("not text".into()))?;
    Packet::parse(text).ok_or_else(|| LinkError::Protocol(format!("not a packet: {text}")))
}

fn unexpected(packet: &Packet<'_>) -> LinkError {
    LinkError::Protocol(format!("unexpected: {packet:?}"))
}

impl Link for SocketIoLink {
    fn say(&mut self, pair: u32, number: u32, text: String) {
        let id = self.unanswered.add(pair, number);
        let event = framing::event(id, &(MESSAGE, format!("{ROOM}{pair}"), text));
        self.socket.queue(Message::text(event));
    }

    async fn flush(&mut self) -> Result<(), LinkError> {
        self.socket.flush().await
    }

    async fn hear(&mut self, heard: &mut Vec<Heard>) -> Result<(), LinkError> {
        for message in self.socket.receive().await? {
            self.meaning(&parse(&message)?, heard)?;
        }
        Ok(())
    }
}
