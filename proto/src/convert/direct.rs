//! What every message passes through, encoded straight from the types of `core`:
//! the event of what was said, its delivery over the bus and its answer. The
//! bytes are those of the generated types.

use super::event::event_to_proto;
use super::fields::{bytes_len, message_len, number_len, open_message, put_bytes, put_number};
use super::{party_to_proto, timestamp_to_proto};
use crate::{v1, wkt};
use bytes::{BufMut, BytesMut};
use frontdesk_core::conversation::{Body, Event};
use frontdesk_core::ids::{AgentId, ClientMsgId, ConversationId, Seq};
use frontdesk_core::party::{Audience, Participant};
use frontdesk_core::time::Timestamp;
use frontdesk_core::trace::TraceContext;
use prost::Message as _;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// `Event.body`, and the fields of `Message` and `Note`, which are the same.
const MESSAGE: u32 = 11;
const NOTE: u32 = 12;

/// A UUID as text.
type UuidText = [u8; Hyphenated::LENGTH];

fn text_of(id: Uuid) -> UuidText {
    let mut text = [0; Hyphenated::LENGTH];
    id.as_hyphenated().encode_lower(&mut text);
    text
}

/// Appends an event as `frontdesk.v1.Event`.
pub fn put_event(event: &Event, out: &mut BytesMut) {
    let said = match &event.body {
        Body::Message { client_msg_id, text, attachments } if attachments.is_empty() => {
            Some((MESSAGE, client_msg_id, text))
        }
        Body::Note { client_msg_id, text, mentions } if mentions.is_empty() => {
            Some((NOTE, client_msg_id, text))
        }
        _ => None,
    };
    if let Some((tag, id, text)) = said {
        return put_said(event, (tag, id, text), out);
    }
    let event = event_to_proto(event);
    out.reserve(event.encoded_len());
    event.encode_raw(out);
}

fn put_said(event: &Event, (tag, id, text): (u32, &ClientMsgId, &str), out: &mut BytesMut) {
    let conversation = text_of(event.conversation.as_uuid());
    let at = timestamp_to_proto(event.at);
    let audience = match event.body.audience() {
        Audience::Public => v1::Audience::Public,
        Audience::Internal => v1::Audience::Internal,
    };
    let by = Author::new(&event.by);
    let (id, text) = (id.as_str().as_bytes(), text.as_bytes());
    let body_len = bytes_len(1, id.len()) + bytes_len(2, text.len());
    // The numbers before them take at most 12 bytes.
    out.reserve(
        message_len(1, conversation.len())
            + message_len(3, timestamp_len(&at))
            + message_len(5, by.len())
            + message_len(tag, body_len)
            + 12,
    );
    put_bytes(out, 1, &conversation);
    put_number(out, 2, event.seq.get().into());
    put_timestamp(out, 3, &at);
    put_number(out, 4, u64::from((audience as i32).unsigned_abs()));
    by.put(out, 5);
    open_message(out, tag, body_len);
    put_bytes(out, 1, id);
    put_bytes(out, 2, text);
}

/// A `Participant` about to be written.
struct Author<'a> {
    party: u64,
    /// Empty for the system.
    id: Option<UuidText>,
    name: &'a [u8],
}

impl<'a> Author<'a> {
    fn new(by: &'a Participant) -> Self {
        let party = u64::from((party_to_proto(by.party) as i32).unsigned_abs());
        let id = (!by.id.is_nil()).then(|| text_of(by.id));
        Self { party, id, name: by.name.as_bytes() }
    }

    fn id(&self) -> &[u8] {
        self.id.as_ref().map_or(&[], |id| id)
    }

    fn len(&self) -> usize {
        number_len(1, self.party) + bytes_len(2, self.id().len()) + bytes_len(3, self.name.len())
    }

    fn put(&self, out: &mut impl BufMut, tag: u32) {
        open_message(out, tag, self.len());
        put_number(out, 1, self.party);
        put_bytes(out, 2, self.id());
        put_bytes(out, 3, self.name);
    }
}

fn timestamp_len(at: &wkt::Timestamp) -> usize {
    number_len(1, at.seconds.cast_unsigned()) + number_len(2, u64::from(at.nanos.unsigned_abs()))
}

fn put_timestamp(out: &mut impl BufMut, tag: u32, at: &wkt::Timestamp) {
    open_message(out, tag, timestamp_len(at));
    put_number(out, 1, at.seconds.cast_unsigned());
    put_number(out, 2, u64::from(at.nanos.unsigned_abs()));
}

/// An event on its way to a gateway.
#[derive(Debug, Clone, Copy)]
pub struct EventDelivery<'a> {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its place.
    pub seq: Seq,
    /// The public event before it.
    pub prev_public: Seq,
    /// Staff only.
    pub internal: bool,
    /// Encoded `frontdesk.v1.Event`.
    pub event: &'a [u8],
    /// Set when the event changes who may read.
    pub rights: Option<&'a Rights>,
    /// Its trace, when it is recorded.
    pub trace: Option<TraceContext>,
}

/// How an event changes which agents may read a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rights {
    /// It is assigned to an agent: any other one reads no more.
    Assigned {
        /// To whom.
        agent: AgentId,
        /// But for these.
        readers: Vec<AgentId>,
    },
    /// An agent was sent away: this event is the last one it reads.
    Dismissed(AgentId),
}

/// Appends an event to a `DeliveryBatch`.
pub fn put_delivery(delivery: &EventDelivery<'_>, batch: &mut BytesMut) {
    let EventDelivery { conversation, seq, prev_public, internal, event, rights, trace } = delivery;
    let trace = trace.map(trace_bytes);
    let trace = trace.as_ref().map_or(&[][..], |bytes| &bytes[..]);
    let (seq, prev_public) = (u64::from(seq.get()), u64::from(prev_public.get()));
    let (assigned, readers, dismissed): (&[u8], &[AgentId], &[u8]) = match rights {
        None => (&[], &[], &[]),
        Some(Rights::Assigned { agent, readers }) => (agent.as_bytes(), readers, &[]),
        Some(Rights::Dismissed(agent)) => (&[], &[], agent.as_bytes()),
    };
    let len = bytes_len(1, 16)
        + number_len(2, seq)
        + number_len(3, prev_public)
        + number_len(4, u64::from(*internal))
        + bytes_len(5, event.len())
        + bytes_len(6, assigned.len())
        + readers.len() * bytes_len(7, 16)
        + bytes_len(8, dismissed.len())
        + bytes_len(12, trace.len());
    let kind_len = message_len(1, len);
    batch.reserve(message_len(1, kind_len));
    // `DeliveryBatch.deliveries`, `Delivery.event`.
    open_message(batch, 1, kind_len);
    open_message(batch, 1, len);
    put_bytes(batch, 1, conversation.as_bytes());
    put_number(batch, 2, seq);
    put_number(batch, 3, prev_public);
    put_number(batch, 4, u64::from(*internal));
    put_bytes(batch, 5, event);
    put_bytes(batch, 6, assigned);
    readers.iter().for_each(|reader| put_bytes(batch, 7, reader.as_bytes()));
    put_bytes(batch, 8, dismissed);
    put_bytes(batch, 12, trace);
}

/// Bytes of a `TraceContext`.
const TRACE_BYTES: usize = 3 * 9;

/// A `TraceContext`: three numbers of eight bytes, each behind its key.
fn trace_bytes(trace: TraceContext) -> [u8; TRACE_BYTES] {
    let mut bytes = [0; TRACE_BYTES];
    let (high, low) = trace.halves();
    for (n, number) in [high, low, trace.span.get()].into_iter().enumerate() {
        let (at, tag) = (n * 9, n as u8 + 1);
        // Wire type 1: 64 bits.
        bytes[at] = tag << 3 | 1;
        bytes[at + 1..at + 9].copy_from_slice(&number.to_le_bytes());
    }
    bytes
}

/// The answer to a message or note.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The conversation.
    pub conversation: ConversationId,
    /// The sender's id of it.
    pub client_msg_id: ClientMsgId,
    /// Its place.
    pub seq: Seq,
    /// Its time.
    pub at: Timestamp,
    /// It had been appended before.
    pub duplicate: bool,
}

impl Sent {
    /// As the generated type.
    pub fn to_proto(&self) -> v1::Sent {
        v1::Sent {
            conversation_id: self.conversation.to_string(),
            client_msg_id: self.client_msg_id.as_str().to_owned(),
            seq: self.seq.get(),
            at: Some(timestamp_to_proto(self.at)),
            duplicate: self.duplicate,
        }
    }
}

/// Appends the answer to request `id` to a `ServerBatch`.
pub fn put_sent(id: u32, sent: &Sent, batch: &mut impl BufMut) {
    /// `ServerFrame.sent`.
    const SENT: u32 = 13;
    let at = timestamp_to_proto(sent.at);
    let client_msg_id = sent.client_msg_id.as_str().as_bytes();
    let len = bytes_len(1, Hyphenated::LENGTH)
        + bytes_len(2, client_msg_id.len())
        + number_len(3, sent.seq.get().into())
        + message_len(4, timestamp_len(&at))
        + number_len(5, u64::from(sent.duplicate));
    // `ServerBatch.frames`, `ServerFrame.id`.
    open_message(batch, 1, number_len(1, id.into()) + message_len(SENT, len));
    put_number(batch, 1, id.into());
    open_message(batch, SENT, len);
    put_bytes(batch, 1, &text_of(sent.conversation.as_uuid()));
    put_bytes(batch, 2, client_msg_id);
    put_number(batch, 3, sent.seq.get().into());
    put_timestamp(batch, 4, &at);
    put_number(batch, 5, u64::from(sent.duplicate));
}

#[cfg(test)]
mod tests {
    use super::super::trace_to_proto;
    use super::*;
    use crate::internal::{self, delivery::Kind};
    use frontdesk_core::ids::VisitorId;
    use v1::server_frame::Frame;

    const TEXTS: [&str; 4] = ["", "a", "grüße 你好 🙂", "0123456789abcdef"];

    fn id(n: u128) -> ConversationId {
        ConversationId::from_uuid(Uuid::from_u128(n))
    }

    fn events() -> impl Iterator<Item = Event> {
        let by = [
            Participant::system(),
            Participant::visitor(VisitorId::from_uuid(Uuid::from_u128(5)), ""),
            Participant::agent(AgentId::from_uuid(Uuid::from_u128(7)), "Ana Ñ"),
        ];
        let client_msg_id: ClientMsgId = "m-1".parse().unwrap();
        let mut numbers = [1, 127, 128, 300_000, u32::MAX].into_iter().cycle();
        let mut times = [0, 1, 1_000, 1_763_877_600_123, 1_763_877_600_000].into_iter().cycle();
        by.into_iter().flat_map(|by| TEXTS.map(|text| (by.clone(), text))).flat_map(
            move |(by, text)| {
                let text: std::sync::Arc<str> = text.repeat(40).into();
                let (seq, at) = (numbers.next().unwrap(), times.next().unwrap());
                let client_msg_id = client_msg_id.clone();
                let message = Body::Message {
                    client_msg_id: client_msg_id.clone(),
                    text: text.clone(),
                    attachments: vec![],
                };
                let note = |mentions| {
                    let (client_msg_id, text) = (client_msg_id.clone(), text.clone());
                    Body::Note { client_msg_id, text, mentions }
                };
                [message, note(vec![]), note(vec![by.clone()]), Body::Reopened].map(|body| Event {
                    conversation: id(3),
                    seq: Seq::new(seq),
                    prev_public: Seq::ZERO,
                    at: Timestamp::from_millis(at),
                    by: by.clone(),
                    body,
                })
            },
        )
    }

    #[test]
    fn events_are_those_of_the_generated_type() {
        let mut out = BytesMut::new();
        for event in events() {
            put_event(&event, &mut out);
            assert_eq!(out.split(), event_to_proto(&event).encode_to_vec(), "{event:?}");
        }
    }

    #[test]
    fn a_batch_of_deliveries_is_that_of_the_generated_type() {
        let mut batch = BytesMut::new();
        let mut expected = internal::DeliveryBatch::default();
        let agent = AgentId::from_uuid(Uuid::from_u128(9));
        let readers = vec![AgentId::from_uuid(Uuid::from_u128(10)), agent];
        let assigned =
            |readers: &[AgentId]| Some(Rights::Assigned { agent, readers: readers.to_vec() });
        let dismissed = Some(Rights::Dismissed(agent));
        let all = [None, assigned(&[]), assigned(&readers), dismissed];
        for (n, rights) in [1, 200, 500, 70_000].into_iter().zip(all) {
            let trace = TraceContext::new(1 << 80 | 7, 3, true).filter(|_| n != 200);
            let event = vec![b'x'; n];
            let (seq, prev_public) = (Seq::new(n as u32), Seq::new(n as u32 - 1));
            let (conversation, internal) = (id(n as u128), n == 200);
            let delivery = EventDelivery {
                conversation,
                seq,
                prev_public,
                internal,
                event: &event,
                rights: rights.as_ref(),
                trace,
            };
            put_delivery(&delivery, &mut batch);
            let bytes = |agent: &AgentId| bytes::Bytes::copy_from_slice(agent.as_bytes());
            let (assigned_agent, reading_agents, dismissed_agent) = match &rights {
                None => Default::default(),
                Some(Rights::Assigned { agent, readers }) => {
                    (bytes(agent), readers.iter().map(bytes).collect(), Default::default())
                }
                Some(Rights::Dismissed(agent)) => (Default::default(), vec![], bytes(agent)),
            };
            let event = internal::EventDelivery {
                conversation_id: conversation.as_bytes().to_vec().into(),
                seq: seq.get(),
                prev_public: prev_public.get(),
                internal,
                event: event.into(),
                assigned_agent,
                reading_agents,
                dismissed_agent,
                trace: trace.map(trace_to_proto),
            };
            expected.deliveries.push(internal::Delivery { kind: Some(Kind::Event(event)) });
        }
        assert_eq!(batch, expected.encode_to_vec());
    }

    #[test]
    fn an_answer_is_that_of_the_generated_type() {
        for (request, seq, millis, duplicate) in [(0, 1, 0, true), (300, 70_000, 1_234, false)] {
            let sent = Sent {
                conversation: id(4),
                client_msg_id: "m".repeat(64).parse().unwrap(),
                seq: Seq::new(seq),
                at: Timestamp::from_millis(millis),
                duplicate,
            };
            let mut batch = Vec::new();
            put_sent(request, &sent, &mut batch);
            let frame = v1::ServerFrame { id: request, frame: Some(Frame::Sent(sent.to_proto())) };
            assert_eq!(batch, v1::ServerBatch { frames: vec![frame] }.encode_to_vec());
        }
    }
}
