//! The gRPC carrier: `ChatService.Chat` with batches as raw bytes, so that they
//! are decoded and encoded where those of WebSockets are, and only once.

use super::{Carrier, Received};
use crate::codec::MAX_BATCH_BYTES;
use crate::connection::{self, Arrival};
use crate::metrics::CarrierKind;
use crate::outbox::Outbox;
use crate::peer::Peer;
use crate::shared::Shared;
use bytes::Bytes;
use frontdesk_proto::raw::RawCodec;
use frontdesk_proto::status::CloseCode;
use frontdesk_telemetry::tasks;
use futures::Stream;
use futures::future::BoxFuture;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::PollSender;
use tonic::codec::BufferSettings;
use tonic::codegen::{Body, Service, StdError, http};
use tonic::server::{Grpc, NamedService, StreamingService};
use tonic::{Code, Request, Response, Status, Streaming};

const CHAT: &str = "/frontdesk.v1.ChatService/Chat";

/// What a stream keeps between messages, and when it hands bytes on.
const BUFFERS: (usize, usize) = (1_024, 32 * 1024);

type Batches = Pin<Box<dyn Stream<Item = Result<Bytes, Status>> + Send>>;

/// `frontdesk.v1.ChatService`.
#[derive(Clone)]
pub(crate) struct ChatService {
    shared: Arc<Shared>,
}

impl ChatService {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl NamedService for ChatService {
    const NAME: &'static str = "frontdesk.v1.ChatService";
}

impl<B> Service<http::Request<B>> for ChatService
where
    B: Body + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            if request.uri().path() != CHAT {
                return Ok(Status::unimplemented("no such method").into_http());
            }
            let codec = RawCodec::with_buffers(BufferSettings::new(BUFFERS.0, BUFFERS.1));
            let mut grpc =
                Grpc::new(codec).apply_max_message_size_config(Some(MAX_BATCH_BYTES), None);
            Ok(grpc.streaming(service, request).await)
        })
    }
}

impl StreamingService<Bytes> for ChatService {
    type Response = Bytes;
    type ResponseStream = Batches;
    type Future = std::future::Ready<Result<Response<Batches>, Status>>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        let peer = request.extensions().get::<Peer>().copied().unwrap_or_default();
        let headers = request.metadata().clone().into_headers();
        let (out, batches) = mpsc::channel(1);
        let carrier = GrpcStream {
            incoming: request.into_inner(),
            out: PollSender::new(out),
            written: 0,
            moved: false,
        };
        let arrival = Arrival::new(CarrierKind::Grpc, peer, None).within(&headers);
        let run = connection::run(self.shared.clone(), carrier, arrival);
        // The task of one connection; ends with it, or with the gateway's stop.
        tasks::spawn_tracked(&self.shared.tasks, "gateway.connection", run);
        let stream: Batches = Box::pin(ReceiverStream::new(batches).map(Ok));
        std::future::ready(Ok(Response::new(stream)))
    }
}

struct GrpcStream {
    incoming: Streaming<Bytes>,
    out: PollSender<Bytes>,
    written: u64,
    moved: bool,
}

impl Carrier for GrpcStream {
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        Poll::Ready(match ready!(Pin::new(&mut self.incoming).poll_next(cx)) {
            Some(Ok(batch)) => Received::Batch(batch),
            Some(Err(status)) if status.code() == Code::OutOfRange => {
                Received::Refused(CloseCode::TooLarge, "a batch is at most 65536 bytes")
            }
            Some(Err(_)) => Received::Closed,
            None => Received::HalfClosed,
        })
    }

    fn poll_write(&mut self, outbox: &Outbox, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        while outbox.depth() > 0 {
            ready!(self.out.poll_reserve(cx)).map_err(|_| gone())?;
            let mut batch = Vec::new();
            outbox.take_batch(&mut batch);
            self.written += batch.len() as u64;
            self.moved = true;
            self.out.send_item(batch.into()).map_err(|_| gone())?;
        }
        Poll::Ready(Ok(std::mem::take(&mut self.moved)))
    }

    fn written(&self) -> u64 {
        self.written
    }

    async fn close(&mut self, _: CloseCode, _: &str) -> io::Result<()> {
        // The Bye frame has said it all; wait until it was taken.
        poll_fn(|cx| self.out.poll_reserve(cx)).await.map_err(|_| gone())?;
        self.out.close();
        Ok(())
    }
}

fn gone() -> io::Error {
    io::ErrorKind::BrokenPipe.into()
}

#[cfg(test)]
#[path = "grpc_tests.rs"]
mod tests;
