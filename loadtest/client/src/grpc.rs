//! The gRPC carrier. Batches pass as bytes, so that a test may send what is no
//! batch and all carriers share one codec.

use super::address::Address;
use super::close::Ended;
use super::connection::OpenError;
use bytes::Bytes;
use frontdesk_proto::raw::RawCodec;
use futures::channel::mpsc;
use futures::{Sink, Stream as _};
use http::uri::PathAndQuery;
use std::pin::Pin;
use std::task::{Context, Poll};
use tonic::{Request, Streaming};

const CHAT: &str = "/frontdesk.v1.ChatService/Chat";
/// Batches between a sender and its stream.
const QUEUE: usize = 4;

pub(super) struct Writer(mpsc::Sender<Bytes>);

pub(super) struct Reader(Box<Streaming<Bytes>>);

pub(super) async fn open(
    address: &Address,
    first: Option<Bytes>,
) -> Result<(Writer, Reader), OpenError> {
    let channel = address.open_channel().await?;
    let (mut to_server, outgoing) = mpsc::channel(QUEUE);
    if let Some(first) = first {
        // An answer may wait for the first batch: it goes along. The queue is new.
        to_server.try_send(first).map_err(|e| OpenError::Refused(e.to_string()))?;
    }
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await.map_err(OpenError::Transport)?;
    let path = PathAndQuery::from_static(CHAT);
    let stream = grpc
        .streaming(Request::new(outgoing), path, RawCodec::default())
        .await
        .map_err(|status| OpenError::Refused(status.to_string()))?
        .into_inner();
    Ok((Writer(to_server), Reader(Box::new(stream))))
}

impl Writer {
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        self.0.poll_ready(cx).map_err(cut)
    }

    pub(super) fn start(&mut self, bytes: Bytes) -> Result<(), Ended> {
        self.0.start_send(bytes).map_err(cut)
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        Pin::new(&mut self.0).poll_flush(cx).map_err(cut)
    }

    /// Half-closes: the server answers what it has and ends.
    pub(super) fn close(&mut self) {
        self.0.close_channel();
    }
}

impl Reader {
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Ended>> {
        Pin::new(&mut *self.0).poll_next(cx).map(|next| next.transpose().map_err(cut))
    }
}

fn cut(error: impl std::fmt::Display) -> Ended {
    Ended::Cut(error.to_string())
}
