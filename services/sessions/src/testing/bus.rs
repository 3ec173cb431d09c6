//! A bus and an observer that remember what they were told, and whether any of
//! it was not in the journal at that moment.

use super::FakeJournal;
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_bus::{Bus, LocalBus, Published, Subscription};
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::{ConversationId, NodeId};
use frontdesk_proto::api::{ApiError, WorkObserver};
use frontdesk_proto::internal::delivery::Kind;
use frontdesk_proto::internal::{DeliveryBatch, HeadBeacon, HintDelivery};
use prost::Message as _;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

#[derive(Default)]
struct Heard {
    /// Events in the order of their publishing.
    events: Vec<(NodeId, ConversationId, u32)>,
    hints: Vec<HintDelivery>,
    beacons: Vec<(NodeId, HeadBeacon)>,
    batches: usize,
    premature: Vec<String>,
}

/// See the module.
pub(crate) struct RecordingBus {
    journal: Arc<FakeJournal>,
    heard: Mutex<Heard>,
}

impl RecordingBus {
    pub(crate) fn new(journal: Arc<FakeJournal>) -> Arc<Self> {
        Arc::new(Self { journal, heard: Mutex::default() })
    }

    /// Seqs of a conversation's events as a gateway received them.
    pub(crate) fn seqs(&self, gateway: &NodeId, id: ConversationId) -> Vec<u32> {
        let heard = self.heard.lock().unwrap();
        let mine = heard.events.iter().filter(|(to, of, _)| to == gateway && *of == id);
        mine.map(|(_, _, seq)| *seq).collect()
    }

    pub(crate) fn hints(&self) -> Vec<HintDelivery> {
        self.heard.lock().unwrap().hints.clone()
    }

    /// Heads that a gateway was told of, with the visitors' heads.
    pub(crate) fn beacons(&self, gateway: &NodeId) -> Vec<(u32, u32)> {
        let heard = self.heard.lock().unwrap();
        let mine = heard.beacons.iter().filter(|(to, _)| to == gateway);
        mine.map(|(_, beacon)| (beacon.head, beacon.public_head)).collect()
    }

    pub(crate) fn batches(&self) -> usize {
        self.heard.lock().unwrap().batches
    }

    /// Events that were published before they were durable.
    pub(crate) fn premature(&self) -> Vec<String> {
        self.heard.lock().unwrap().premature.clone()
    }
}

impl Bus for RecordingBus {
    fn publish(&self, gateway: &NodeId, payload: Bytes) -> Published {
        let batch = DeliveryBatch::decode(payload).unwrap();
        let mut heard = self.heard.lock().unwrap();
        heard.batches += 1;
        for delivery in batch.deliveries {
            match delivery.kind.unwrap() {
                Kind::Event(event) => {
                    let id = Uuid::from_slice(&event.conversation_id).unwrap();
                    let id = ConversationId::from_uuid(id);
                    if !self.journal.stored().has(id, event.seq, &event.event) {
                        heard.premature.push(format!("{id} {}", event.seq));
                    }
                    heard.events.push((gateway.clone(), id, event.seq));
                }
                Kind::Hint(hint) => heard.hints.push(hint),
                Kind::Beacon(beacon) => heard.beacons.push((gateway.clone(), beacon)),
                Kind::Agent(_) => unreachable!("a shard has no notices for agents"),
            }
        }
        Published::Accepted
    }

    fn subscribe(&self, gateway: NodeId) -> Box<dyn Subscription> {
        LocalBus::new().subscribe(gateway)
    }
}

/// Remembers the summaries it was told.
#[derive(Default)]
pub(crate) struct RecordingObserver(Mutex<Vec<Arc<Summary>>>);

impl RecordingObserver {
    pub(crate) fn heard(&self) -> Vec<Arc<Summary>> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl WorkObserver for RecordingObserver {
    async fn observe(&self, changed: Vec<Arc<Summary>>) -> Result<(), ApiError> {
        self.0.lock().unwrap().extend(changed);
        Ok(())
    }
}
