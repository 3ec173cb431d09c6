//! The WebSocket carrier. Between messages it holds no buffer: bytes are read
//! into and batches are built in one scratch buffer per thread.

use super::ws_frame::{Assembler, Incoming, MAX_HEADER, Opcode, Violation, write_header};
use super::{Carrier, Received};
use crate::codec::WireFormat;
use crate::outbox::Outbox;
use frontdesk_proto::status::CloseCode;
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes read in one system call.
const READ_BYTES: usize = 16 * 1024;
/// Pongs are not answered while this much waits to be written.
const MAX_PENDING_FOR_PONG: usize = 4 * 1024;
/// Longest reason in a close frame: its payload is at most 125 bytes.
const MAX_REASON_BYTES: usize = 123;
/// Capacity that the scratch buffers keep.
const SCRATCH_BYTES: usize = 128 * 1024;

thread_local! {
    static READ: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
    static WRITE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A connection after its upgrade.
pub(crate) struct WebSocket<S> {
    io: S,
    format: WireFormat,
    assembler: Assembler,
    /// What the socket did not take yet.
    pending: Vec<u8>,
    pending_at: usize,
    written: u64,
    moved: bool,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> WebSocket<S> {
    /// `early` came together with the upgrade request.
    pub(crate) fn new(io: S, format: WireFormat, early: &[u8]) -> Self {
        let mut assembler = Assembler::default();
        if !early.is_empty() {
            assembler.feed(early);
        }
        let (pending, pending_at, written, moved) = (Vec::new(), 0, 0, false);
        Self { io, format, assembler, pending, pending_at, written, moved }
    }

    fn take_incoming(&mut self) -> Option<Received> {
        Some(match self.assembler.next() {
            Ok(None) => return None,
            Ok(Some(Incoming::Message { text, payload })) => {
                if text == (self.format == WireFormat::Json) {
                    Received::Batch(payload.into())
                } else {
                    Received::Refused(CloseCode::Protocol, "the wrong kind of message")
                }
            }
            Ok(Some(Incoming::Ping(payload))) => {
                if self.pending.len() < MAX_PENDING_FOR_PONG {
                    self.queue(Opcode::Pong, &payload);
                }
                Received::Alive
            }
            Ok(Some(Incoming::Pong)) => Received::Alive,
            Ok(Some(Incoming::Close)) => Received::Closed,
            Err(Violation::TooLarge) => {
                Received::Refused(CloseCode::TooLarge, "a batch is at most 65536 bytes")
            }
            Err(Violation::Protocol(why)) => Received::Refused(CloseCode::Protocol, why),
        })
    }

    /// Puts a control frame behind what waits.
    fn queue(&mut self, opcode: Opcode, payload: &[u8]) {
        let mut header = [0; MAX_HEADER];
        let start = write_header(&mut header, opcode, payload.len());
        self.pending.extend_from_slice(&header[start..]);
        self.pending.extend_from_slice(payload);
    }

    fn poll_pending(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.pending_at < self.pending.len() {
            let bytes = &self.pending[self.pending_at..];
            let n = ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.pending_at += n;
            self.count(n);
        }
        self.pending = Vec::new();
        self.pending_at = 0;
        Poll::Ready(Ok(()))
    }

    /// Writes one batch from the outbox; `false` when there is none.
    fn poll_batch(&mut self, outbox: &Outbox, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        WRITE.with_borrow_mut(|out| {
            out.clear();
            out.resize(MAX_HEADER, 0);
            if outbox.take_batch(out) == 0 {
                return Poll::Ready(Ok(false));
            }
            let opcode = match self.format {
                WireFormat::Protobuf => Opcode::Binary,
                WireFormat::Json => Opcode::Text,
            };
            let payload = out.len() - MAX_HEADER;
            let start = write_header(out, opcode, payload);
            let n = match Pin::new(&mut self.io).poll_write(cx, &out[start..]) {
                Poll::Ready(n) => n?,
                Poll::Pending => 0,
            };
            self.count(n);
            self.pending.extend_from_slice(&out[start + n..]);
            out.shrink_to(SCRATCH_BYTES);
            Poll::Ready(Ok(true))
        })
    }

    fn count(&mut self, n: usize) {
        self.written += n as u64;
        self.moved |= n > 0;
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Carrier for WebSocket<S> {
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        loop {
            if let Some(received) = self.take_incoming() {
                return Poll::Ready(received);
            }
            let read = READ.with_borrow_mut(|scratch| {
                let mut buf = ReadBuf::new(scratch);
                ready!(Pin::new(&mut self.io).poll_read(cx, &mut buf))?;
                self.assembler.feed(buf.filled());
                Poll::Ready(io::Result::Ok(buf.filled().len()))
            });
            match ready!(read) {
                Ok(0) | Err(_) => return Poll::Ready(Received::Closed),
                Ok(_) => {}
            }
        }
    }

    fn poll_write(&mut self, outbox: &Outbox, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            ready!(self.poll_pending(cx))?;
            if !ready!(self.poll_batch(outbox, cx))? {
                return Poll::Ready(Ok(std::mem::take(&mut self.moved)));
            }
        }
    }

    fn written(&self) -> u64 {
        self.written
    }

    async fn close(&mut self, code: CloseCode, reason: &str) -> io::Result<()> {
        let mut end = reason.len().min(MAX_REASON_BYTES);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        let payload = [&code.number().to_be_bytes(), &reason.as_bytes()[..end]].concat();
        self.queue(Opcode::Close, &payload);
        poll_fn(|cx| self.poll_pending(cx)).await?;
        poll_fn(|cx| Pin::new(&mut self.io).poll_shutdown(cx)).await?;
        // Reading on until the client hangs up keeps the kernel from resetting
        // the connection before the client has read the reason.
        loop {
            match poll_fn(|cx| self.poll_receive(cx)).await {
                Received::Closed | Received::HalfClosed | Received::Refused(..) => return Ok(()),
                Received::Batch(_) | Received::Alive => {}
            }
        }
    }
}
