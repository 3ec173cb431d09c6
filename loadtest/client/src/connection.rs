//! One connection as it is on the wire: batches out, batches in, and how it
//! ended. It answers nothing by itself, not even pings.

use super::address::Address;
use super::close::Ended;
use super::codec::{Carrier, EncodeError};
use super::{grpc, websocket};
use bytes::Bytes;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{ClientBatch, ClientFrame, Hello, ServerBatch};
use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// The longest a connection may take to open.
pub(super) const OPEN_DEADLINE: Duration = Duration::from_secs(10);
/// The request id of the Hello that opens a connection.
pub(super) const HELLO_ID: u32 = 1;

/// Why a connection could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Nobody listens, or the network is broken.
    #[error("cannot connect: {0}")]
    Unreachable(#[from] std::io::Error),
    /// The same, over gRPC.
    #[error("cannot connect: {}", cause(.0))]
    Transport(tonic::transport::Error),
    /// The handshake was answered with something else.
    #[error("refused: {0}")]
    Refused(String),
    /// Hello cannot be written.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// It ended while Hello was written.
    #[error(transparent)]
    Ended(#[from] Ended),
    /// It took too long.
    #[error("no connection within {0:?}")]
    Deadline(Duration),
}

/// What is at the bottom of an error: tonic itself says no more than "transport error".
fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), cause)
}

/// An open connection.
pub struct Connection {
    /// What goes out.
    pub sender: Sender,
    /// What comes in.
    pub receiver: Receiver,
}

impl Connection {
    /// Connects and says Hello, with request id 1. What is received first is
    /// the Welcome, or an error and the end.
    pub async fn open(
        carrier: Carrier,
        address: &Address,
        hello: Hello,
    ) -> Result<Self, OpenError> {
        let request = Some(Request::Hello(hello));
        let batch = ClientBatch { frames: vec![ClientFrame { id: HELLO_ID, request }] };
        Self::open_raw(carrier, address, carrier.encode(&batch)?).await
    }

    /// Connects and sends any bytes as the first batch.
    pub async fn open_raw(
        carrier: Carrier,
        address: &Address,
        first: Bytes,
    ) -> Result<Self, OpenError> {
        within_deadline(Self::dial(carrier, address, Some(first))).await
    }

    /// Connects and says nothing yet.
    pub async fn connect(carrier: Carrier, address: &Address) -> Result<Self, OpenError> {
        within_deadline(Self::dial(carrier, address, None)).await
    }

    async fn dial(
        carrier: Carrier,
        address: &Address,
        first: Option<Bytes>,
    ) -> Result<Self, OpenError> {
        if carrier == Carrier::Grpc {
            let (writer, reader) = grpc::open(address, first).await?;
            return Ok(Self::new(carrier, Writer::Grpc(writer), Reader::Grpc(reader)));
        }
        let (writer, reader) = websocket::open(address, carrier).await?;
        let mut new = Self::new(carrier, Writer::WebSocket(writer), Reader::WebSocket(reader));
        if let Some(first) = first {
            new.sender.send_raw(first).await?;
        }
        Ok(new)
    }

    fn new(carrier: Carrier, writer: Writer, reader: Reader) -> Self {
        Self {
            sender: Sender { carrier, writer },
            receiver: Receiver { carrier, reader, bye: None },
        }
    }
}

async fn within_deadline<T>(
    opening: impl Future<Output = Result<T, OpenError>>,
) -> Result<T, OpenError> {
    tokio::time::timeout(OPEN_DEADLINE, opening)
        .await
        .unwrap_or(Err(OpenError::Deadline(OPEN_DEADLINE)))
}

enum Writer {
    WebSocket(websocket::Writer),
    Grpc(grpc::Writer),
}

enum Reader {
    WebSocket(websocket::Reader),
    Grpc(grpc::Reader),
}

/// The outgoing half. Over gRPC, dropping it half-closes the stream.
pub struct Sender {
    carrier: Carrier,
    writer: Writer,
}

impl Sender {
    /// Sends a batch and waits until it is handed to the network.
    pub async fn send(&mut self, batch: &ClientBatch) -> Result<(), Ended> {
        let bytes = self.carrier.encode(batch).map_err(|e| Ended::Malformed(e.to_string()))?;
        self.send_raw(bytes).await
    }

    /// The same with any bytes, as one message.
    pub async fn send_raw(&mut self, bytes: Bytes) -> Result<(), Ended> {
        poll_fn(|cx| self.poll_ready(cx)).await?;
        self.start(bytes)?;
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Ends the connection in good order; what comes in may still be received.
    pub async fn close(&mut self) -> Result<(), Ended> {
        match &mut self.writer {
            Writer::WebSocket(writer) => poll_fn(|cx| writer.poll_close(cx)).await,
            Writer::Grpc(writer) => {
                writer.close();
                Ok(())
            }
        }
    }

    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        match &mut self.writer {
            Writer::WebSocket(writer) => writer.poll_ready(cx),
            Writer::Grpc(writer) => writer.poll_ready(cx),
        }
    }

    /// Only after `poll_ready` said so.
    pub(super) fn start(&mut self, bytes: Bytes) -> Result<(), Ended> {
        match &mut self.writer {
            Writer::WebSocket(writer) => writer.start(bytes),
            Writer::Grpc(writer) => writer.start(bytes),
        }
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        match &mut self.writer {
            Writer::WebSocket(writer) => writer.poll_flush(cx),
            Writer::Grpc(writer) => writer.poll_flush(cx),
        }
    }
}

/// The incoming half.
pub struct Receiver {
    carrier: Carrier,
    reader: Reader,
    /// What the server's Bye said: gRPC has no close code of its own.
    bye: Option<Ended>,
}

impl Receiver {
    /// The next batch, or how the connection ended. Safe to cancel.
    pub async fn receive(&mut self) -> Result<ServerBatch, Ended> {
        poll_fn(|cx| self.poll_receive(cx)).await
    }

    pub(super) fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<ServerBatch, Ended>> {
        let next = match &mut self.reader {
            Reader::WebSocket(reader) => ready!(reader.poll_next(cx)),
            Reader::Grpc(reader) => ready!(reader.poll_next(cx)),
        };
        let bytes = match next {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Poll::Ready(Err(self.ended("without a word".into()))),
            Err(Ended::Cut(why)) => return Poll::Ready(Err(self.ended(why))),
            Err(ended) => return Poll::Ready(Err(ended)),
        };
        let batch = self.carrier.decode(&bytes)?;
        if let Some(Frame::Bye(bye)) = batch.frames.last().and_then(|f| f.frame.as_ref()) {
            let reason = bye.reason.clone();
            self.bye = Some(Ended::Closed { code: bye.code, reason });
        }
        Poll::Ready(Ok(batch))
    }

    fn ended(&mut self, otherwise: String) -> Ended {
        self.bye.take().unwrap_or(Ended::Cut(otherwise))
    }
}
