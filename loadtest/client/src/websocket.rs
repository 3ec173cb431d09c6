//! The WebSocket carrier: the handshake and what messages mean.

use super::address::Address;
use super::close::Ended;
use super::codec::Carrier;
use super::connection::OpenError;
use super::tls::{Inside, Stream};
use bytes::Bytes;
use futures::stream::{SplitSink, SplitStream};
use futures::{Sink, Stream as _, StreamExt as _};
use http::{HeaderName, HeaderValue};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio_websockets::{ClientBuilder, Message, WebSocketStream};

type Socket = WebSocketStream<Stream>;

/// Normal closure without a code.
const NO_CODE: u32 = 1005;

pub(super) struct Writer {
    sink: SplitSink<Socket, Message>,
    text: bool,
}

pub(super) struct Reader(SplitStream<Socket>);

pub(super) async fn open(
    address: &Address,
    carrier: Carrier,
) -> Result<(Writer, Reader), OpenError> {
    let text = carrier == Carrier::WebSocketJson;
    let subprotocol = if text { "frontdesk.v1.json" } else { "frontdesk.v1.proto" };
    let stream = address.connect(Inside::Http1).await?;
    let refused = |e: &dyn std::fmt::Display| OpenError::Refused(e.to_string());
    let (socket, response) = ClientBuilder::new()
        // The stream is made already; the scheme says nothing here.
        .uri(&format!("ws://{}/v1/ws", address.called()))
        .map_err(|e| refused(&e))?
        .add_header(
            HeaderName::from_static("sec-websocket-protocol"),
            HeaderValue::from_static(subprotocol),
        )
        .map_err(|e| refused(&e))?
        .connect_on(stream)
        .await
        .map_err(|e| match e {
            tokio_websockets::Error::Io(e) => OpenError::Unreachable(e),
            e => refused(&e),
        })?;
    let chosen = response.headers().get("sec-websocket-protocol");
    if chosen.is_none_or(|chosen| chosen != subprotocol) {
        return Err(OpenError::Refused(format!("the server does not speak {subprotocol}")));
    }
    let (sink, stream) = socket.split();
    Ok((Writer { sink, text }, Reader(stream)))
}

impl Writer {
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        Pin::new(&mut self.sink).poll_ready(cx).map_err(cut)
    }

    pub(super) fn start(&mut self, bytes: Bytes) -> Result<(), Ended> {
        // What is no UTF-8 was not meant as JSON: it goes out as it is.
        let message = match self.text && std::str::from_utf8(&bytes).is_ok() {
            true => Message::text(bytes),
            false => Message::binary(bytes),
        };
        Pin::new(&mut self.sink).start_send(message).map_err(cut)
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        Pin::new(&mut self.sink).poll_flush(cx).map_err(cut)
    }

    pub(super) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        Pin::new(&mut self.sink).poll_close(cx).map_err(cut)
    }
}

impl Reader {
    /// The next batch's bytes; `None` at an end without a code.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Ended>> {
        loop {
            let Some(message) = ready!(Pin::new(&mut self.0).poll_next(cx)) else {
                return Poll::Ready(Ok(None));
            };
            let message = message.map_err(cut)?;
            if let Some((code, reason)) = message.as_close() {
                let (code, reason) = (u32::from(u16::from(code)), reason.to_owned());
                return Poll::Ready(match code {
                    NO_CODE => Ok(None),
                    code => Err(Ended::Closed { code, reason }),
                });
            }
            // Pings and pongs of WebSocket itself are answered below.
            if message.is_binary() || message.is_text() {
                return Poll::Ready(Ok(Some(message.into_payload().into())));
            }
        }
    }
}

fn cut(error: tokio_websockets::Error) -> Ended {
    Ended::Cut(error.to_string())
}
