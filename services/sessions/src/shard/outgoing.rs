//! What leaves the shard for gateways: gathered over a turn, then one publish
//! per gateway.

use super::Shard;
use super::ready::Encoded;
use crate::metrics::Meters;
use bytes::Bytes;
use frontdesk_bus::{Bus, Published};
use frontdesk_core::conversation::Body;
use frontdesk_core::ids::{ConversationId, NodeId, Seq};
use frontdesk_core::party::{Audience, Principal};
use frontdesk_proto::convert::participant_to_proto;
use frontdesk_proto::internal::delivery::Kind;
use frontdesk_proto::internal::{Delivery, DeliveryBatch, EventDelivery, HintDelivery};
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{ReadPush, ServerFrame, TypingPush};
use prost::Message as _;
use uuid::Uuid;

/// Deliveries gathered in one turn. A node has few gateways: a list will do.
#[derive(Default)]
pub(super) struct Outgoing {
    batches: Vec<(NodeId, DeliveryBatch)>,
}

impl Outgoing {
    fn add(&mut self, gateways: &[NodeId], kind: Kind) {
        for gateway in gateways {
            let delivery = Delivery { kind: Some(kind.clone()) };
            match self.batches.iter_mut().find(|(to, _)| to == gateway) {
                Some((_, batch)) => batch.deliveries.push(delivery),
                None => {
                    let batch = DeliveryBatch { deliveries: vec![delivery] };
                    self.batches.push((gateway.clone(), batch));
                }
            }
        }
    }

    pub(super) fn event(&mut self, gateways: &[NodeId], encoded: &Encoded) {
        let event = &encoded.event;
        let assigned_agent = match &event.body {
            Body::Assigned { agent } => Bytes::copy_from_slice(agent.id.as_bytes()),
            _ => Bytes::new(),
        };
        let delivery = EventDelivery {
            conversation_id: Bytes::copy_from_slice(event.conversation.as_bytes()),
            seq: event.seq.get(),
            prev_public: event.prev_public.get(),
            internal: event.body.audience() == Audience::Internal,
            event: encoded.bytes.clone(),
            assigned_agent,
        };
        self.add(gateways, Kind::Event(delivery));
    }

    pub(super) fn flush(&mut self, bus: &dyn Bus, meters: &Meters) {
        for (gateway, batch) in self.batches.drain(..) {
            let payload = batch.encode_to_vec().into();
            if bus.publish(&gateway, payload) != Published::Accepted {
                meters.publishes_lost.increment(1);
            }
        }
    }
}

impl Shard {
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
