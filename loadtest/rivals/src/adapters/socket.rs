//! A WebSocket connection that writes what waits in one go and reads all that is
//! there: the generator must not cost more than it has to.

use super::LinkError;
use futures::{FutureExt as _, SinkExt as _, StreamExt as _};
use http::Uri;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, Message, WebSocketStream};

/// Messages that are taken in one turn, so that answers do not wait for long.
const MOST_IN_A_TURN: usize = 256;
const OPEN_WITHIN: Duration = Duration::from_secs(20);

pub(super) struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// Apart from the stream, which writes what it has before it reads.
    out: Vec<Message>,
}

impl Socket {
    /// Connects to a port of this machine.
    pub(super) async fn open(port: u16, path: &str) -> Result<Self, LinkError> {
        let uri = format!("ws://127.0.0.1:{port}{path}");
        let uri: Uri = uri.parse().map_err(|_| LinkError::Protocol(format!("address {uri}")))?;
        let opening = async {
            let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
            tcp.set_nodelay(true)?;
            let (stream, _) = ClientBuilder::from_uri(uri).connect_on(tcp).await?;
            Ok(Self { stream, out: Vec::new() })
        };
        let late = |_| Err(LinkError::Protocol(format!("no connection within {OPEN_WITHIN:?}")));
        tokio::time::timeout(OPEN_WITHIN, opening).await.unwrap_or_else(late)
    }

    /// Takes a message for the next flush.
    pub(super) fn queue(&mut self, message: Message) {
        self.out.push(message);
    }

    /// Writes what waits.
    pub(super) async fn flush(&mut self) -> Result<(), LinkError> {
        if self.out.is_empty() {
            return Ok(());
        }
        for message in self.out.drain(..) {
            self.stream.feed(message).await?;
        }
        Ok(self.stream.flush().await?)
    }

    /// Waits for a message and takes with it what else has come.
    pub(super) async fn receive(&mut self) -> Result<Vec<Message>, LinkError> {
        let mut messages = vec![self.stream.next().await.ok_or(LinkError::Closed)??];
        while messages.len() < MOST_IN_A_TURN {
            let Some(next) = self.stream.next().now_or_never() else { break };
            messages.push(next.ok_or(LinkError::Closed)??);
        }
        if messages.iter().any(Message::is_close) {
            return Err(LinkError::Closed);
        }
        Ok(messages)
    }
}
