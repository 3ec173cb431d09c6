//! Whose visitors have a connection, and since when the others have none, as far as this
//! owner has seen it. Never makes an absence longer than it can have been: of a visitor
//! that nothing is known of it says the latest time at which it may have been here.

use frontdesk_core::conversation::VisitorSeen;
use frontdesk_core::ids::{ConversationId, NodeId};
use frontdesk_core::time::Timestamp;
use std::collections::{BTreeSet, HashMap, VecDeque};

/// Absences remembered of one shard, at about 100 bytes each; past that the oldest is
/// forgotten, and all that are unknown begin no earlier than it.
const MAX_ABSENCES: usize = 4_096;

struct Here {
    /// Where it is connected; never empty.
    gateways: Vec<NodeId>,
    /// The conversation had ended when it left memory: nobody will ask.
    has_ended: bool,
}

pub(super) struct Visitors {
    here: HashMap<ConversationId, Here>,
    absent: HashMap<ConversationId, Timestamp>,
    /// All of `absent`, and some who have come back, in order of time.
    in_order: VecDeque<(Timestamp, ConversationId)>,
    /// Until then one of whom nothing is known may have been here.
    unknown_since: Timestamp,
}

impl Visitors {
    /// From the claim of the shard on.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            here: HashMap::new(),
            absent: HashMap::new(),
            in_order: VecDeque::new(),
            unknown_since: now,
        }
    }

    /// It is connected at a gateway.
    pub(super) fn came(&mut self, id: ConversationId, gateway: &NodeId) {
        self.absent.remove(&id);
        let new = || Here { gateways: Vec::with_capacity(1), has_ended: false };
        let here = self.here.entry(id).or_insert_with(new);
        if !here.gateways.contains(gateway) {
            here.gateways.push(gateway.clone());
        }
    }

    /// It is connected at a gateway no longer. `has_ended` says whether the conversation
    /// has, where it is in memory.
    pub(super) fn went(
        &mut self,
        id: ConversationId,
        gateway: &NodeId,
        has_ended: Option<bool>,
        now: Timestamp,
    ) {
        let Some(here) = self.here.get_mut(&id) else { return };
        here.gateways.retain(|g| g != gateway);
        if !here.gateways.is_empty() {
            return;
        }
        let has_ended = has_ended.unwrap_or(here.has_ended);
        self.here.remove(&id);
        if !has_ended {
            self.remember(id, now);
        }
    }

    /// These gateways are no more.
    pub(super) fn lose(&mut self, gateways: &BTreeSet<NodeId>, now: Timestamp) {
        let mut gone = Vec::new();
        self.here.retain(|id, here| {
            here.gateways.retain(|gateway| !gateways.contains(gateway));
            if here.gateways.is_empty() && !here.has_ended {
                gone.push(*id);
            }
            !here.gateways.is_empty()
        });
        gone.into_iter().for_each(|id| self.remember(id, now));
    }

    /// The conversation leaves memory as it is.
    pub(super) fn passivated(&mut self, id: ConversationId, has_ended: bool) {
        if let Some(here) = self.here.get_mut(&id) {
            here.has_ended = has_ended;
        }
    }

    /// There is no such conversation.
    pub(super) fn forget(&mut self, id: ConversationId) {
        self.here.remove(&id);
        self.absent.remove(&id);
    }

    pub(super) fn is_here(&self, id: ConversationId) -> bool {
        self.here.contains_key(&id)
    }

    /// What is known of the visitor of a conversation that began then.
    pub(super) fn seen(&self, id: ConversationId, started_at: Timestamp) -> VisitorSeen {
        if self.is_here(id) {
            return VisitorSeen::Here;
        }
        let unknown = self.unknown_since.max(started_at);
        VisitorSeen::Away { since: self.absent.get(&id).copied().unwrap_or(unknown) }
    }

    fn remember(&mut self, id: ConversationId, now: Timestamp) {
        self.absent.insert(id, now);
        self.in_order.push_back((now, id));
        while self.in_order.len() > MAX_ABSENCES {
            let Some((at, oldest)) = self.in_order.pop_front() else { return };
            if self.absent.get(&oldest) == Some(&at) {
                self.absent.remove(&oldest);
                self.unknown_since = self.unknown_since.max(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn id(n: u128) -> ConversationId {
        ConversationId::from_uuid(Uuid::from_u128(n))
    }

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_millis(secs * 1_000)
    }

    fn gateway(n: u8) -> NodeId {
        format!("gw-{n}").parse().unwrap()
    }

    fn away(secs: u64) -> VisitorSeen {
        VisitorSeen::Away { since: at(secs) }
    }

    #[test]
    fn it_is_here_until_it_has_left_every_gateway() {
        let mut visitors = Visitors::new(at(100));
        assert_eq!(visitors.seen(id(1), at(50)), away(100), "unknown: from the claim");
        assert_eq!(visitors.seen(id(1), at(150)), away(150), "or from its beginning");
        visitors.came(id(1), &gateway(1));
        visitors.came(id(1), &gateway(2));
        visitors.went(id(1), &gateway(1), Some(false), at(200));
        assert_eq!(visitors.seen(id(1), at(50)), VisitorSeen::Here);
        visitors.went(id(1), &gateway(2), Some(false), at(210));
        visitors.went(id(1), &gateway(2), Some(false), at(220));
        assert_eq!(visitors.seen(id(1), at(50)), away(210));
        visitors.came(id(1), &gateway(3));
        visitors.lose(&BTreeSet::from([gateway(3)]), at(300));
        assert_eq!(visitors.seen(id(1), at(50)), away(300));
    }

    #[test]
    fn of_what_has_ended_nothing_is_kept() {
        let mut visitors = Visitors::new(at(100));
        visitors.came(id(1), &gateway(1));
        visitors.passivated(id(1), true);
        visitors.went(id(1), &gateway(1), None, at(200));
        assert!(visitors.absent.is_empty() && visitors.here.is_empty());
    }

    proptest! {
        /// However many come and go: it is never said to be away while it is here, nor for
        /// longer than it is, and what is kept is bounded.
        #[test]
        fn an_absence_is_never_made_longer(
            moves in prop::collection::vec((0..6_000u16, any::<bool>()), 1..9_000)
        ) {
            let mut visitors = Visitors::new(at(0));
            let mut truth: HashMap<u16, Option<u64>> = HashMap::new();
            for (now, (n, comes)) in (1..).zip(moves) {
                let who = id(u128::from(n));
                if comes {
                    visitors.came(who, &gateway(1));
                    truth.insert(n, None);
                } else {
                    visitors.went(who, &gateway(1), Some(false), at(now));
                    truth.entry(n).and_modify(|away| *away = away.or(Some(now)));
                }
            }
            prop_assert!(visitors.in_order.len() <= MAX_ABSENCES);
            prop_assert!(visitors.absent.len() <= visitors.in_order.len());
            for (n, since) in truth {
                match (visitors.seen(id(u128::from(n)), at(0)), since) {
                    (VisitorSeen::Here, None) => {}
                    (VisitorSeen::Away { since: said }, Some(since)) => {
                        prop_assert!(said >= at(since));
                    }
                    (said, truth) => prop_assert!(false, "{said:?} but {truth:?}"),
                }
            }
        }
    }
}
