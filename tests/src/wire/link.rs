//! The three carriers, each reduced to batches in and batches out.

use super::Carrier;
use crate::deadline::step;
use frontdesk_proto::v1::chat_service_client::ChatServiceClient;
use frontdesk_proto::v1::{ClientBatch, ClientFrame, ServerBatch, ServerFrame};
use futures::{SinkExt as _, StreamExt as _};
use http::{HeaderName, HeaderValue, header};
use prost::Message as _;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_websockets::{ClientBuilder, Limits, MaybeTlsStream, Message, WebSocketStream};
use tonic::Streaming;

/// Batches that may wait for a gRPC stream.
const OUTGOING: usize = 64;
/// A page of history travels alone and may be larger than a batch.
const LARGEST_MESSAGE: usize = 4 * 1024 * 1024;
/// What a client reports when the connection just ends.
const ABNORMAL: u32 = 1006;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Close code or `Bye.code`; 1006 when the connection just ended.
    pub code: u32,
    /// In words.
    pub reason: String,
}

impl End {
    fn abrupt(reason: impl ToString) -> Self {
        Self { code: ABNORMAL, reason: reason.to_string() }
    }
}

/// A connection below the protocol.
#[derive(Debug)]
pub enum Link {
    /// A WebSocket.
    Socket {
        /// The socket.
        socket: Box<Socket>,
        /// Texts rather than binary messages.
        json: bool,
    },
    /// A gRPC stream.
    Grpc {
        /// To the server.
        out: mpsc::Sender<ClientBatch>,
        /// From the server.
        incoming: Box<Streaming<ServerBatch>>,
    },
}

impl Link {
    /// Connects; an error when the server is not there or refuses.
    pub async fn open(address: SocketAddr, carrier: Carrier) -> Result<Self, End> {
        match carrier {
            Carrier::Json => Self::socket(address, true).await,
            Carrier::Protobuf => Self::socket(address, false).await,
            Carrier::Grpc => Self::grpc(address).await,
        }
    }

    async fn socket(address: SocketAddr, json: bool) -> Result<Self, End> {
        let protocol = if json { "frontdesk.v1.json" } else { "frontdesk.v1.proto" };
        let headers = [(header::SEC_WEBSOCKET_PROTOCOL, protocol)];
        let (socket, agreed) = upgrade(address, &headers).await.map_err(End::abrupt)?;
        assert_eq!(agreed.as_deref(), Some(protocol), "the subprotocol is agreed on");
        Ok(Self::Socket { socket: Box::new(socket), json })
    }

    async fn grpc(address: SocketAddr) -> Result<Self, End> {
        let client = ChatServiceClient::connect(format!("http://{address}")).await;
        let mut client = client
            .map_err(End::abrupt)?
            .max_decoding_message_size(LARGEST_MESSAGE)
            .max_encoding_message_size(LARGEST_MESSAGE);
        let (out, batches) = mpsc::channel(OUTGOING);
        let answer = client.chat(ReceiverStream::new(batches)).await;
        let incoming = answer.map_err(End::abrupt)?.into_inner();
        Ok(Self::Grpc { out, incoming: Box::new(incoming) })
    }

    /// Sends one batch. What cannot be sent any more is told by `receive`.
    pub async fn send(&mut self, frames: Vec<ClientFrame>) {
        let batch = ClientBatch { frames };
        match self {
            Self::Socket { json: true, .. } => {
                let text = serde_json::to_string(&batch).expect("frames have a JSON form");
                self.send_message(Message::text(text)).await;
            }
            Self::Socket { json: false, .. } => {
                self.send_message(Message::binary(batch.encode_to_vec())).await;
            }
            Self::Grpc { out, .. } => {
                let _ = out.send(batch).await;
            }
        }
    }

    /// Sends a WebSocket message as it is.
    pub async fn send_message(&mut self, message: Message) {
        let Self::Socket { socket, .. } = self else { panic!("not a WebSocket") };
        let _ = step("writing to the socket", socket.send(message)).await;
    }

    /// Reads one batch.
    pub async fn receive(&mut self) -> Result<Vec<ServerFrame>, End> {
        match self {
            Self::Socket { socket, json } => loop {
                let message = match socket.next().await {
                    None => return Err(End::abrupt("the stream ended")),
                    Some(Err(error)) => return Err(End::abrupt(error)),
                    Some(Ok(message)) => message,
                };
                if let Some((code, reason)) = message.as_close() {
                    let code = u16::from(code).into();
                    return Err(End { code, reason: reason.to_owned() });
                }
                if message.is_text() || message.is_binary() {
                    assert_eq!(message.is_text(), *json, "the wrong kind of message");
                    return Ok(decode(&message, *json).frames);
                }
            },
            Self::Grpc { incoming, .. } => match incoming.message().await {
                Ok(Some(batch)) => Ok(batch.frames),
                Ok(None) => Err(End::abrupt("the stream ended")),
                Err(status) => Err(End::abrupt(status)),
            },
        }
    }
}

fn decode(message: &Message, json: bool) -> ServerBatch {
    let bytes: &[u8] = message.as_payload();
    if json {
        serde_json::from_slice(bytes).expect("the server sends JSON of a ServerBatch")
    } else {
        ServerBatch::decode(bytes).expect("the server sends Protobuf of a ServerBatch")
    }
}

/// Asks for a WebSocket with these headers; gives the subprotocol agreed on.
pub async fn upgrade(
    address: SocketAddr,
    headers: &[(HeaderName, &str)],
) -> Result<(Socket, Option<String>), tokio_websockets::Error> {
    let uri = format!("ws://{address}/v1/ws").parse().expect("a valid address");
    let mut builder = ClientBuilder::from_uri(uri)
        .limits(Limits::default().max_payload_len(Some(LARGEST_MESSAGE)));
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).expect("a valid header");
        builder = builder.add_header(name.clone(), value)?;
    }
    let (socket, answer) = builder.connect().await?;
    let agreed = answer.headers().get(header::SEC_WEBSOCKET_PROTOCOL);
    Ok((socket, agreed.and_then(|v| v.to_str().ok()).map(str::to_owned)))
}
