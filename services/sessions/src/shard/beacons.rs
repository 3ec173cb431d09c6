//! Telling gateways how far conversations have come, so that a publish that was
//! lost is noticed within a second or two; and forgetting gateways that are gone.

use super::Shard;
use frontdesk_core::ids::ConversationId;
use frontdesk_core::party::Audience;
use frontdesk_proto::internal::HeadBeacon;
use frontdesk_proto::internal::delivery::Kind;

/// Sweeps after the last events in which gateways are told: the first may come at
/// once, and any may be lost too.
pub(super) const BEACONS: u8 = 3;

impl Shard {
    /// Once a sweep: the heads of conversations that had events lately.
    pub(super) fn tell_heads(&mut self) {
        let mut beacons = std::mem::take(&mut self.beacons);
        beacons.retain(|id, left| {
            self.tell_head(*id);
            *left -= 1;
            *left > 0
        });
        self.beacons = beacons;
    }

    fn tell_head(&mut self, id: ConversationId) {
        let Some(gateways) = self.interest.get(&id) else { return };
        // What is in flight is published with its commit.
        let ready = self.residents.get(id).filter(|ready| ready.is_durable());
        let Some(conversation) = ready.and_then(|ready| ready.conversation.as_ref()) else {
            return;
        };
        let beacon = HeadBeacon {
            conversation_id: bytes::Bytes::copy_from_slice(id.as_bytes()),
            head: conversation.head().get(),
            public_head: conversation.head_for(Audience::Public).get(),
        };
        self.outgoing.add(gateways, Kind::Beacon(beacon));
    }

    pub(super) fn forget_gone_gateways(&mut self) {
        if !self.parts.gone.has_changed().unwrap_or(false) {
            return;
        }
        let gone = self.parts.gone.borrow_and_update().0.clone();
        self.visitors.lose(&gone, self.parts.clock.now());
        self.interest.retain(|_, gateways| {
            gateways.retain(|gateway| !gone.contains(gateway));
            !gateways.is_empty()
        });
    }
}
