//! What brings batches from a client and takes batches to it.

#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
pub(crate) mod grpc;
pub(crate) mod ws;
mod ws_frame;

use crate::outbox::Outbox;
use bytes::Bytes;
use frontdesk_proto::status::CloseCode;
use std::io;
use std::task::{Context, Poll};

/// What came from a client.
#[derive(Debug)]
pub(crate) enum Received {
    /// An encoded `ClientBatch`.
    Batch(Bytes),
    /// A sign of life without content.
    Alive,
    /// The client will send nothing more but still reads.
    HalfClosed,
    /// The client has gone, or says that it goes.
    Closed,
    /// The client broke the carrier's rules.
    Refused(CloseCode, &'static str),
}

/// One client's two-way stream of batches. Polled by one task only.
pub(crate) trait Carrier: Send + Unpin + 'static {
    /// The next thing from the client.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Received>;

    /// Writes what waits in the outbox, batch by batch. Ready once nothing waits
    /// any more; says whether anything was written since the last call.
    fn poll_write(&mut self, outbox: &Outbox, cx: &mut Context<'_>) -> Poll<io::Result<bool>>;

    /// Bytes written so far.
    fn written(&self) -> u64;

    /// Says farewell after everything was written and waits for the client to
    /// hang up. The caller sets a deadline.
    fn close(
        &mut self,
        code: CloseCode,
        reason: &str,
    ) -> impl Future<Output = io::Result<()>> + Send;
}
