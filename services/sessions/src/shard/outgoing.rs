//! What leaves the shard for gateways: gathered over a turn, then one publish
//! per gateway.

use super::Shard;
use super::beacons::BEACONS;
use super::ready::Encoded;
use super::traced;
use crate::mail::Leaving;
use crate::metrics::Meters;
use bytes::{BufMut as _, Bytes, BytesMut};
use frontdesk_bus::{Bus, Published};
use frontdesk_core::conversation::Phase;
use frontdesk_core::ids::{ConversationId, NodeId, Seq};
use frontdesk_core::party::{Audience, Principal};
use frontdesk_proto::convert::{EventDelivery, participant_to_proto, put_delivery};
use frontdesk_proto::internal::delivery::Kind;
use frontdesk_proto::internal::{Delivery, HintDelivery};
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{ReadPush, ServerFrame, TypingPush};
use prost::Message as _;
use uuid::Uuid;

/// Field 1, length-delimited: `DeliveryBatch.deliveries`. A batch is nothing but
/// these one after the other, so it is written as it grows.
const DELIVERIES: u8 = 1 << 3 | 2;

/// What is set aside for batches at a time: some turns of a busy shard.
const BLOCK_BYTES: usize = 4 * 1024;

/// Encoded batches of one turn, and the room for those of the next. A node has
/// few gateways: a list will do.
#[derive(Default)]
pub(super) struct Outgoing {
    batches: Vec<(NodeId, BytesMut)>,
}

impl Outgoing {
    /// The batch of a gateway.
    fn batch(&mut self, gateway: &NodeId) -> &mut BytesMut {
        let place = self.batches.iter().position(|(to, _)| to == gateway);
        let place = place.unwrap_or_else(|| {
            self.batches.push((gateway.clone(), BytesMut::with_capacity(BLOCK_BYTES)));
            self.batches.len() - 1
        });
        &mut self.batches[place].1
    }

    /// Something that is not hot, for each of these gateways.
    pub(super) fn add(&mut self, gateways: &[NodeId], kind: Kind) {
        let delivery = Delivery { kind: Some(kind) };
        for gateway in gateways {
            let batch = self.batch(gateway);
            // Key and length take no more than six bytes.
            batch.reserve(delivery.encoded_len() + 6);
            batch.put_u8(DELIVERIES);
            delivery.encode_length_delimited(batch).expect("a growing buffer always has room");
        }
    }

    pub(super) fn flush(&mut self, bus: &dyn Bus, meters: &Meters) {
        for (gateway, batch) in self.batches.iter_mut().filter(|(_, batch)| !batch.is_empty()) {
            if bus.publish(gateway, batch.split().freeze()) != Published::Accepted {
                meters.publishes_lost.increment(1);
            }
        }
    }
}

impl Shard {
    /// Durable events, in order, for everyone who follows.
    pub(super) fn publish(&mut self, id: ConversationId, events: &[Encoded]) {
        let Some(gateways) = self.interest.get(&id) else { return };
        if self.parts.settings.beacons && !events.is_empty() {
            self.beacons.insert(id, BEACONS);
        }
        for Encoded { record, rights, trace } in events {
            let trace = trace.as_deref().map(|trace| traced::publish(*trace, gateways.len()));
            let delivery = EventDelivery {
                conversation: id,
                seq: record.seq,
                prev_public: record.prev_public,
                internal: record.audience == Audience::Internal,
                event: &record.payload,
                rights: rights.as_deref(),
                trace,
            };
            for gateway in gateways {
                put_delivery(&delivery, self.outgoing.batch(gateway));
            }
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

    pub(super) fn detach(&mut self, gateway: &NodeId, id: ConversationId, who: Leaving) {
        let ready = self.residents.get(id).and_then(|ready| ready.conversation.as_ref());
        let has_ended = ready.map(|it| matches!(it.phase(), Phase::Closed { .. }));
        self.visitors.went(id, gateway, has_ended, self.parts.clock.now());
        if who == Leaving::Visitor {
            return;
        }
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
