//! One adapter for each system: how a visitor and an agent connect to it, say
//! something, and are told what was acknowledged and received. The driver knows
//! nothing else of a system.

mod frontdesk;
mod relay;
mod socket;
pub mod socketio;
mod unanswered;

pub use frontdesk::Frontdesk;
pub use relay::Relay;
pub use socketio::SocketIo;

use crate::label::Label;
use std::io;

/// What a party is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Both sides of the pair may talk as far as this side is concerned.
    Ready {
        /// The pair.
        pair: u32,
    },
    /// The system has taken a message over.
    Acknowledged {
        /// Its pair.
        pair: u32,
        /// Its number.
        number: u32,
    },
    /// The other side said something.
    Received {
        /// Where it arrived.
        pair: u32,
        /// What its text says; `None` when it is damaged.
        label: Option<Label>,
    },
}

/// Why a connection could not be opened or has ended.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The network failed.
    #[error("connection: {0}")]
    Io(#[from] io::Error),
    /// WebSocket failed.
    #[error("websocket: {0}")]
    WebSocket(#[from] tokio_websockets::Error),
    /// Frontdesk could not be reached.
    #[error(transparent)]
    Open(#[from] frontdesk_client::OpenError),
    /// Frontdesk has no address.
    #[error("no gateway to connect to")]
    NoGateway,
    /// Frontdesk ended the connection.
    #[error(transparent)]
    Ended(#[from] frontdesk_client::Ended),
    /// Frontdesk gave no token.
    #[error(transparent)]
    Token(#[from] frontdesk_client::TokenError),
    /// The server ended the connection.
    #[error("the server ended the connection")]
    Closed,
    /// What came is not the protocol.
    #[error("protocol: {0}")]
    Protocol(String),
    /// The server refused a message.
    #[error("refused: {0}")]
    Refused(String),
}

/// One open connection.
pub trait Link: Send + 'static {
    /// Takes a message to be written by the next [`Link::flush`].
    fn say(&mut self, pair: u32, number: u32, text: String);

    /// Writes all that waits, also what the protocol itself asks for.
    fn flush(&mut self) -> impl Future<Output = Result<(), LinkError>> + Send;

    /// Waits for something to come and adds what it means. May be cancelled.
    fn hear(
        &mut self,
        heard: &mut Vec<Heard>,
    ) -> impl Future<Output = Result<(), LinkError>> + Send;
}

/// How the two sides connect to a system. Each is ready for a pair only when it
/// has heard so.
pub trait Adapter {
    /// Its connections.
    type Link: Link;

    /// Connects the n-th agent, who talks in these pairs.
    fn agent(
        &self,
        agent: usize,
        pairs: &[u32],
    ) -> impl Future<Output = Result<Self::Link, LinkError>>;

    /// Connects the visitor of a pair, whose agent is the n-th.
    fn visitor(
        &self,
        pair: u32,
        agent: usize,
    ) -> impl Future<Output = Result<Self::Link, LinkError>>;
}
