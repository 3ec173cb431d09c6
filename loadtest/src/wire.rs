//! One WebSocket connection speaking `frontdesk.v1.proto`.

use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{
    ClientBatch, ClientFrame, Hello, Pong, ServerBatch, ServerFrame, Welcome,
};
use futures::{SinkExt as _, StreamExt as _};
use http::{HeaderName, HeaderValue, Uri};
use prost::Message as _;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, Message, WebSocketStream};

/// Frames of one batch; the protocol allows 64.
const MAX_FRAMES: usize = 64;
/// Bytes of one batch, kept well below the protocol's 64 KiB.
const MAX_BYTES: usize = 48 * 1024;
/// The longest the opening may take.
const OPEN_DEADLINE: Duration = Duration::from_secs(30);

/// Why a connection could not be opened or has ended.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The target is no `http://host:port`.
    #[error("{0} is not an address such as http://127.0.0.1:8080")]
    Address(String),
    /// TCP failed.
    #[error("connection: {0}")]
    Io(#[from] std::io::Error),
    /// WebSocket failed.
    #[error("websocket: {0}")]
    WebSocket(#[from] tokio_websockets::Error),
    /// Not the protocol.
    #[error("protocol: {0}")]
    Protocol(String),
    /// The server said Bye.
    #[error("the server ended the connection: {reason} ({code})")]
    Bye {
        /// The close code.
        code: u32,
        /// Why.
        reason: String,
    },
    /// The opening took too long.
    #[error("no Welcome within {0:?}")]
    Deadline(Duration),
}

/// An open connection.
pub struct Wire {
    socket: WebSocketStream<TcpStream>,
}

impl Wire {
    /// Connects and says Hello.
    pub async fn open(target: &str, token: String) -> Result<(Self, Welcome), WireError> {
        tokio::time::timeout(OPEN_DEADLINE, Self::connect(target, token))
            .await
            .unwrap_or(Err(WireError::Deadline(OPEN_DEADLINE)))
    }

    async fn connect(target: &str, token: String) -> Result<(Self, Welcome), WireError> {
        let bad = || WireError::Address(target.to_owned());
        let uri: Uri = format!("{}/v1/ws", target.replacen("http://", "ws://", 1))
            .parse()
            .map_err(|_| bad())?;
        let authority = uri.authority().ok_or_else(bad)?.as_str().to_owned();
        let tcp = TcpStream::connect(authority).await?;
        tcp.set_nodelay(true)?;
        let (socket, _) = ClientBuilder::from_uri(uri)
            .add_header(
                HeaderName::from_static("sec-websocket-protocol"),
                HeaderValue::from_static("frontdesk.v1.proto"),
            )?
            .connect_on(tcp)
            .await?;
        let mut wire = Self { socket };
        let client = concat!("frontdesk-loadtest/", env!("CARGO_PKG_VERSION")).to_owned();
        let hello = Request::Hello(Hello { token, resume: Vec::new(), client });
        wire.send(vec![ClientFrame { id: 1, request: Some(hello) }]).await?;
        loop {
            for frame in wire.next().await? {
                match frame.frame {
                    Some(Frame::Welcome(welcome)) => return Ok((wire, *welcome)),
                    Some(Frame::Error(e)) => return Err(WireError::Protocol(e.message)),
                    _ => {}
                }
            }
        }
    }

    /// Sends frames, in as few batches as the protocol allows.
    pub async fn send(&mut self, frames: Vec<ClientFrame>) -> Result<(), WireError> {
        let mut batch = ClientBatch::default();
        let mut bytes = 0;
        for frame in frames {
            let length = frame.encoded_len();
            if batch.frames.len() == MAX_FRAMES || bytes + length > MAX_BYTES {
                self.feed(&std::mem::take(&mut batch)).await?;
                bytes = 0;
            }
            bytes += length + 6;
            batch.frames.push(frame);
        }
        self.feed(&batch).await?;
        Ok(self.socket.flush().await?)
    }

    async fn feed(&mut self, batch: &ClientBatch) -> Result<(), WireError> {
        Ok(self.socket.feed(Message::binary(batch.encode_to_vec())).await?)
    }

    /// The next batch; answers pings itself. Safe to cancel between batches.
    pub async fn next(&mut self) -> Result<Vec<ServerFrame>, WireError> {
        loop {
            let Some(message) = self.socket.next().await else {
                return Err(WireError::Protocol("the connection has ended".into()));
            };
            let message = message?;
            if !message.is_binary() {
                continue;
            }
            let batch = ServerBatch::decode(&message.as_payload()[..])
                .map_err(|e| WireError::Protocol(e.to_string()))?;
            for frame in &batch.frames {
                match &frame.frame {
                    Some(Frame::Ping(_)) => {
                        let pong = Request::Pong(Pong {});
                        self.send(vec![ClientFrame { id: 0, request: Some(pong) }]).await?;
                    }
                    Some(Frame::Bye(bye)) => {
                        return Err(WireError::Bye { code: bye.code, reason: bye.reason.clone() });
                    }
                    _ => {}
                }
            }
            return Ok(batch.frames);
        }
    }
}
