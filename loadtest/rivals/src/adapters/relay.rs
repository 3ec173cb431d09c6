//! The bare relay, in its own few bytes.

use super::socket::Socket;
use super::{Adapter, Heard, Link, LinkError};
use crate::label::Label;
use crate::relay::{Frame, Seat};
use frontdesk_loadtest::payload::Side;
use tokio_websockets::Message;

/// A relay on this machine.
#[derive(Debug, Clone, Copy)]
pub struct Relay {
    /// Where it listens.
    pub port: u16,
    /// Length of the texts.
    pub bytes: usize,
}

impl Adapter for Relay {
    type Link = RelayLink;

    async fn agent(&self, _agent: usize, pairs: &[u32]) -> Result<RelayLink, LinkError> {
        self.open(Side::Agent, pairs).await
    }

    async fn visitor(&self, pair: u32, _agent: usize) -> Result<RelayLink, LinkError> {
        self.open(Side::Visitor, &[pair]).await
    }
}

impl Relay {
    async fn open(&self, side: Side, pairs: &[u32]) -> Result<RelayLink, LinkError> {
        let socket = Socket::open(self.port, "/").await?;
        let mut link = RelayLink { socket, side, bytes: self.bytes };
        for &pair in pairs {
            link.queue(&Frame::Join(Seat { pair, side }));
        }
        link.flush().await?;
        Ok(link)
    }
}

/// One connection to the relay.
pub struct RelayLink {
    socket: Socket,
    side: Side,
    bytes: usize,
}

impl RelayLink {
    fn queue(&mut self, frame: &Frame<'_>) {
        self.socket.queue(Message::binary(frame.encode()));
    }
}

impl Link for RelayLink {
    fn say(&mut self, pair: u32, number: u32, text: String) {
        let from = Seat { pair, side: self.side };
        self.queue(&Frame::Message { from, number, text: text.as_bytes() });
    }

    async fn flush(&mut self) -> Result<(), LinkError> {
        self.socket.flush().await
    }

    async fn hear(&mut self, heard: &mut Vec<Heard>) -> Result<(), LinkError> {
        for message in self.socket.receive().await? {
            let frame = Frame::parse(message.as_payload());
            heard.push(match frame {
                Some(Frame::Join(seat)) => Heard::Ready { pair: seat.pair },
                Some(Frame::Acknowledged { pair, number }) => Heard::Acknowledged { pair, number },
                Some(Frame::Message { from, text, .. }) => Heard::Received {
                    pair: from.pair,
                    label: std::str::from_utf8(text).ok().and_then(|t| Label::read(t, self.bytes)),
                },
                None => return Err(LinkError::Protocol("an unknown frame".into())),
            });
        }
        Ok(())
    }
}
