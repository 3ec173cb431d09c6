//! What a waiting visitor was told last, so that it is told only what is new.

use frontdesk_core::ids::ConversationId;
use frontdesk_core::queue::Estimate;
use frontdesk_core::time::Millis;
use frontdesk_proto::api::QueuePosition;
use frontdesk_proto::convert::{millis_to_proto, timestamp_to_proto};
use frontdesk_proto::v1;
use prost::Message as _;
use std::collections::HashMap;

/// Estimates are told in steps of this length: the truth is not known better,
/// and every step told is a push.
const ESTIMATE_STEP: u64 = 5_000;

struct Told {
    now: QueuePosition,
    /// What was said at first, to measure how true it was.
    first_estimate: Option<Estimate>,
}

#[derive(Default)]
pub(crate) struct Pushes {
    told: HashMap<ConversationId, Told>,
}

impl Pushes {
    /// Everyone who waits at a site now; gives those to whom it is news, and
    /// forgets those who wait no longer.
    pub(crate) fn renew(
        &mut self,
        now: Vec<(ConversationId, QueuePosition)>,
    ) -> Vec<(ConversationId, QueuePosition)> {
        let mut before = std::mem::take(&mut self.told);
        let mut news = Vec::new();
        for (conversation, position) in now {
            let was = before.remove(&conversation);
            if was.as_ref().is_none_or(|told| told.now != position) {
                news.push((conversation, position.clone()));
            }
            let told = position.estimated_wait.zip(position.estimated_wait_upper);
            let told = told.map(|(mean, upper)| Estimate { mean, upper });
            let first = was.and_then(|told| told.first_estimate).or(told);
            self.told.insert(conversation, Told { now: position, first_estimate: first });
        }
        news
    }

    /// What was estimated when it came.
    pub(crate) fn first_estimate(&self, conversation: ConversationId) -> Option<Estimate> {
        self.told.get(&conversation)?.first_estimate
    }
}

/// Rounded up to what is told.
pub(crate) fn told_estimate(estimate: Millis) -> Millis {
    Millis::new(estimate.get().div_ceil(ESTIMATE_STEP).saturating_mul(ESTIMATE_STEP))
}

/// An encoded `ServerFrame`.
pub(crate) fn frame(conversation: ConversationId, position: &QueuePosition) -> bytes::Bytes {
    let push = v1::QueuePush {
        conversation_id: conversation.to_string(),
        position: position.position,
        estimated_wait: position.estimated_wait.map(millis_to_proto),
        agents_online: position.agents_online,
        opens_at: position.opens_at.map(timestamp_to_proto),
        estimated_wait_upper: position.estimated_wait_upper.map(millis_to_proto),
    };
    let frame = v1::ServerFrame { id: 0, frame: Some(v1::server_frame::Frame::Queue(push)) };
    frame.encode_to_vec().into()
}
