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

/// So near the front every change is told.
const NEAR: u32 = 20;
/// Farther back, changes smaller than such a part are not: with 20,000 who wait, each
/// one served would be 20,000 pushes that tell nobody anything.
const FAR_PART: u64 = 20;

struct Told {
    /// What was told last.
    said: QueuePosition,
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
            let first = was.as_ref().and_then(|told| told.first_estimate);
            let told = position.estimated_wait.zip(position.estimated_wait_upper);
            let told = told.map(|(mean, upper)| Estimate { mean, upper });
            let first_estimate = first.or(told);
            let said = match was {
                Some(told) if !is_news(&told.said, &position) => told.said,
                _ => {
                    news.push((conversation, position.clone()));
                    position
                }
            };
            self.told.insert(conversation, Told { said, first_estimate });
        }
        news
    }

    /// What was estimated when it came.
    pub(crate) fn first_estimate(&self, conversation: ConversationId) -> Option<Estimate> {
        self.told.get(&conversation)?.first_estimate
    }
}

fn is_news(said: &QueuePosition, now: &QueuePosition) -> bool {
    if now.position <= NEAR || said.position <= NEAR {
        return now != said;
    }
    let as_said = QueuePosition {
        position: said.position,
        estimated_wait: said.estimated_wait,
        estimated_wait_upper: said.estimated_wait_upper,
        ..now.clone()
    };
    let estimates = match (said.estimated_wait, now.estimated_wait) {
        (Some(said), Some(now)) => differ(said.get(), now.get()),
        (said, now) => said != now,
    };
    as_said != *said || estimates || differ(said.position.into(), now.position.into())
}

fn differ(said: u64, now: u64) -> bool {
    said.abs_diff(now) > said / FAR_PART
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

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn at(position: u32) -> QueuePosition {
        let wait = Some(Millis::from_secs(u64::from(position) * 10));
        QueuePosition {
            position,
            estimated_wait: wait,
            agents_online: true,
            opens_at: None,
            estimated_wait_upper: wait,
        }
    }

    fn one() -> ConversationId {
        ConversationId::from_uuid(Uuid::from_u128(1))
    }

    #[test]
    fn near_the_front_every_change_is_told() {
        let mut pushes = Pushes::default();
        for position in (1..=NEAR + 1).rev() {
            assert_eq!(pushes.renew(vec![(one(), at(position))]).len(), 1, "{position}");
        }
        assert!(pushes.renew(vec![(one(), at(1))]).is_empty());
    }

    #[test]
    fn far_back_only_what_makes_a_difference_is_told() {
        let mut pushes = Pushes::default();
        let told = (1..=20_000).rev().filter(|position| {
            let news = pushes.renew(vec![(one(), at(*position))]);
            news.first().is_some_and(|(_, news)| news.position == *position)
        });
        // 20,000 × 0.95ⁿ = 20 after 135 of them, and each of the last 20.
        assert!((100..250).contains(&told.count()));
    }

    #[test]
    fn that_nobody_is_there_is_told_everywhere() {
        let mut pushes = Pushes::default();
        pushes.renew(vec![(one(), at(1_000))]);
        let alone = QueuePosition { agents_online: false, ..at(999) };
        assert_eq!(pushes.renew(vec![(one(), alone)]).len(), 1);
    }
}
