//! One side of one conversation: what it has sent, been told and heard.

use crate::audit::Ear;
use crate::payload::{Payload, Side};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::{ClientFrame, SendMessage};
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) struct Lane {
    pub(super) conversation: String,
    pub(super) number: u32,
    pub(super) side: Side,
    pub(super) ear: Ear,
    pub(super) next: u32,
    pub(super) acknowledged: u32,
    /// Sent and not acknowledged, with the intended time.
    pub(super) waiting: BTreeMap<u32, Duration>,
    /// Open model: when the next one is due.
    pub(super) due: Duration,
}

impl Lane {
    pub(super) fn new(run: u64, conversation: String, number: u32, side: Side) -> Self {
        let speaker = match side {
            Side::Visitor => Side::Agent,
            Side::Agent => Side::Visitor,
        };
        Self {
            conversation,
            number,
            side,
            ear: Ear::new(run, number, speaker),
            next: 1,
            acknowledged: 0,
            waiting: BTreeMap::new(),
            due: Duration::ZERO,
        }
    }

    /// The next message, meant to be sent at `intended`.
    pub(super) fn speak(&mut self, run: u64, intended: Duration, bytes: usize) -> ClientFrame {
        let number = self.next;
        self.next += 1;
        self.waiting.insert(number, intended);
        self.frame(run, number, intended, bytes)
    }

    /// A message again, word for word.
    pub(super) fn repeat(&self, run: u64, number: u32, bytes: usize) -> Option<ClientFrame> {
        let intended = *self.waiting.get(&number)?;
        Some(self.frame(run, number, intended, bytes))
    }

    fn frame(&self, run: u64, number: u32, intended: Duration, bytes: usize) -> ClientFrame {
        let payload = Payload {
            run,
            conversation: self.number,
            side: self.side,
            number,
            intended: u64::try_from(intended.as_nanos()).unwrap_or(u64::MAX),
        };
        let send = SendMessage {
            conversation_id: self.conversation.clone(),
            client_msg_id: format!("{run:x}-{number:x}"),
            text: payload.encode(bytes),
            attachment_ids: Vec::new(),
        };
        // Replies are told apart by conversation and client_msg_id; errors by id.
        ClientFrame { id: number, request: Some(Request::Send(send)) }
    }

    /// The server says a message is durable; gives its intended time once.
    pub(super) fn told(&mut self, number: u32) -> Option<Duration> {
        let intended = self.waiting.remove(&number)?;
        self.acknowledged = self.acknowledged.max(number);
        Some(intended)
    }
}
