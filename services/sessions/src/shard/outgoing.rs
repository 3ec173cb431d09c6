//! What leaves the shard for gateways: gathered over a turn, then one publish
//! per gateway.

use super::Shard;
use super::ready::Encoded;
use crate::metrics::Meters;
use bytes::{BufMut as _, Bytes, BytesMut};
use frontdesk_bus::{Bus, Published};
use frontdesk_core::ids::{ConversationId, NodeId, Seq};
use frontdesk_core::party::{Audience, Principal};
use frontdesk_proto::convert::participant_to_proto;
use frontdesk_proto::internal::delivery::Kind;
use frontdesk_proto::internal::{Delivery, EventDelivery, HintDelivery};
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{ReadPush, ServerFrame, TypingPush};
use prost::Message as _;
use uuid::Uuid;

/// Field 1, length-delimited: `DeliveryBatch.deliveries`. A batch is nothing but
/// these one after the other, so it is written as it grows.
const DELIVERIES: u8 = 1 << 3 | 2;

/// Encoded batches of one turn. A node has few gateways: a list will do.
#[derive(Default)]
pub(super) struct Outgoing {
    batches: Vec<(NodeId, BytesMut)>,
}

impl Outgoing {
    /// Encodes once per gateway; the common case is one gateway.
    fn add(&mut self, gateways: &[NodeId], kind: Kind) {
        let delivery = Delivery { kind: Some(kind) };
        for gateway in gateways {
            let place = self.batches.iter().position(|(to, _)| to == gateway);
            let place = place.unwrap_or_else(|| {
                self.batches.push((gateway.clone(), BytesMut::new()));
                self.batches.len() - 1
            });
            let (_, batch) = &mut self.batches[place];
            // Key and length take no more than six bytes.
            batch.reserve(delivery.encoded_len() + 6);
            batch.put_u8(DELIVERIES);
            delivery.encode_length_delimited(batch).expect("a growing buffer always has room");
        }
    }

    pub(super) fn flush(&mut self, bus: &dyn Bus, meters: &Meters) {
        for (gateway, batch) in self.batches.drain(..) {
            if bus.publish(&gateway, batch.freeze()) != Published::Accepted {
                meters.publishes_lost.increment(1);
            }
        }
    }
}

impl Shard {
    /// Durable events, in order, for everyone who follows.
    pub(super) fn publish(&mut self, id: ConversationId, events: &[Encoded]) {
        let Some(gateways) = self.interest.get(&id) else { return };
        for Encoded { record, assigned } in events {
            let delivery = EventDelivery {
                conversation_id: Bytes::copy_from_slice(id.as_bytes()),
                seq: record.seq.get(),
                prev_public: record.prev_public.get(),
                internal: record.audience == Audience::Internal,
                event: record.payload.clone(),
                assigned_agent: assigned
                    .map_or_else(Bytes::new, |agent| Bytes::copy_from_slice(agent.as_bytes())),
            };
            self.outgoing.add(gateways, Kind::Event(delivery));
        }
    }

    /// Something that may be lost, for everyone who follows but `except`.
    pub(super) fn hint(
        &mut self,
        id: ConversationId,
        internal: bool,
        except: Option<Uuid>,
        frame: Bytes,
    ) {
        let Some(gateways) = self.interest.get(&id) else { return };
        let except = except.map_or_else(Bytes::new, |id| Bytes::copy_from_slice(id.as_bytes()));
        let conversation_id = Bytes::copy_from_slice(id.as_bytes());
        let hint = HintDelivery { conversation_id, internal, except, frame };
        self.outgoing.add(gateways, Kind::Hint(hint));
    }

    pub(super) fn detach(&mut self, gateway: &NodeId, id: ConversationId) {
        if let Some(gateways) = self.interest.get_mut(&id) {
            gateways.retain(|g| g != gateway);
            if gateways.is_empty() {
                self.interest.remove(&id);
            }
        }
    }
}

fn frame(frame: Frame) -> Bytes {
    ServerFrame { id: 0, frame: Some(frame) }.encode_to_vec().into()
}

pub(super) fn typing_frame(id: ConversationId, who: &Principal, typing: bool) -> Bytes {
    let by = Some(participant_to_proto(&who.participant()));
    frame(Frame::Typing(TypingPush { conversation_id: id.to_string(), by, typing }))
}

pub(super) fn read_frame(id: ConversationId, who: &Principal, seq: Seq) -> Bytes {
    let by = Some(participant_to_proto(&who.participant()));
    frame(Frame::Read(ReadPush { conversation_id: id.to_string(), by, seq: seq.get() }))
}
