//! What the client is told: replies, errors, and why the connection ends.

use super::requests::Reply;
use super::{Connection, End};
use crate::carriers::Carrier;
use crate::codec::{self, push_frame};
use crate::outbox::Class;
use frontdesk_proto::api::ApiError;
use frontdesk_proto::convert::Sent;
use frontdesk_proto::status::{self, CloseCode};
use frontdesk_proto::v1::{self, server_frame::Frame};
use frontdesk_telemetry::traces;
use std::future::poll_fn;
use std::task::Context;
use std::time::Duration;
use tokio::time::Instant;

/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// Of so many acknowledgements one is measured.
const MEASURED_OF: u8 = 16;

impl<C: Carrier> Connection<C> {
    pub(super) fn reply(&mut self, reply: Reply) {
        match reply.answer {
            Ok(Some(frame)) if reply.id != 0 => {
                self.push(&v1::ServerFrame { id: reply.id, frame: Some(frame) });
            }
            Ok(_) => {}
            Err(error) => {
                if !reply.is_recorded {
                    self.record_failure(&error);
                }
                self.push_error(reply.id, &error, reply.conversation);
            }
        }
    }

    /// A request that is not recorded has failed: that is.
    pub(super) fn record_failure(&self, error: &ApiError) {
        let (kind, trace) = (traces::Kind::Server, self.arrival.trace);
        let Some(mut frame) = traces::begin_failed("gateway.frame", kind, trace) else { return };
        frame.set("carrier", self.arrival.kind.as_str());
        frame.set("connection", self.id.to_string());
        frame.fail(error.as_str());
    }

    /// Measures one acknowledgement in 16: the clock costs more than a message may.
    pub(super) fn measure(&mut self, begun: Instant) {
        if self.acknowledged.is_multiple_of(MEASURED_OF) {
            self.shared.metrics.acknowledge.record(begun.elapsed());
        }
        self.acknowledged = self.acknowledged.wrapping_add(1);
    }

    /// The answer to a message.
    pub(super) fn sent(&self, id: u32, sent: &Sent) {
        if id != 0 {
            let format = self.outbox.format();
            self.outbox.put(Class::Durable, |out| codec::write_sent(format, id, sent, out));
        }
    }

    pub(super) fn push_error(&mut self, id: u32, error: &ApiError, conversation: Option<String>) {
        match error {
            ApiError::Internal(_) => {
                tracing::error!(connection = %self.id, %error, "a request failed");
            }
            ApiError::Unavailable { .. } => {
                tracing::debug!(connection = %self.id, %error, "a request failed");
            }
            _ => {}
        }
        let mut frame = status::to_proto(error);
        frame.conversation_id = conversation.unwrap_or_default();
        self.push(&v1::ServerFrame { id, frame: Some(Frame::Error(frame)) });
    }

    pub(super) fn push(&self, frame: &v1::ServerFrame) {
        self.outbox.push(&codec::piece(self.outbox.format(), frame), Class::Durable);
    }

    /// Says why the connection ends, as far as the client still listens.
    pub(super) async fn finish(&mut self, end: End) {
        self.shared.ended(self.id);
        let bytes_out = &self.shared.metrics.carrier(self.arrival.kind).bytes_out;
        match end {
            End::Gone => {}
            End::Finished => {
                let _ = tokio::time::timeout(
                    FAREWELL,
                    self.carrier.close(CloseCode::Draining, "finished"),
                )
                .await;
            }
            End::Close(code, reason) => {
                self.shared.metrics.closed(code);
                let bye = v1::Bye { code: code.number().into(), reason: reason.to_owned() };
                let piece = codec::piece(self.outbox.format(), &push_frame(Frame::Bye(bye)));
                self.outbox.end_with(&piece, code == CloseCode::TooSlow);
                let farewell = async {
                    let write = |cx: &mut Context<'_>| self.carrier.poll_write(&self.outbox, cx);
                    poll_fn(write).await?;
                    self.carrier.close(code, reason).await
                };
                // A client that does not listen any more is left to itself.
                let _ = tokio::time::timeout(FAREWELL, farewell).await;
            }
        }
        bytes_out.increment(self.carrier.written());
    }
}
