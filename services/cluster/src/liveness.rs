//! When each node was last heard of: kept by the leader, in memory only. A new
//! leader knows nothing and grants everyone a full time to live first.

use frontdesk_core::ids::NodeId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Heartbeats as this voter has heard them.
#[derive(Debug, Default)]
pub(crate) struct Liveness {
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    leading_since: Option<Instant>,
    last: HashMap<NodeId, Instant>,
}

impl Liveness {
    /// This voter has begun to lead, or stopped: what was heard before says
    /// nothing any more.
    pub(crate) fn leads(&self, leads: bool, now: Instant) {
        *self.lock() = Heard { leading_since: leads.then_some(now), last: HashMap::new() };
    }

    /// A node lives.
    pub(crate) fn heard(&self, node: &NodeId, now: Instant) {
        self.lock().last.insert(node.clone(), now);
    }

    /// Those of `members` that have been silent for longer than `ttl`, while this
    /// voter led all that time; what is heard of others is forgotten.
    pub(crate) fn silent(&self, members: &[NodeId], ttl: Duration, now: Instant) -> Vec<NodeId> {
        let mut heard = self.lock();
        let Some(since) = heard.leading_since else { return vec![] };
        heard.last.retain(|node, _| members.contains(node));
        let last = |node: &NodeId| heard.last.get(node).copied().unwrap_or(since).max(since);
        members.iter().filter(|node| now.duration_since(last(node)) > ttl).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Heard> {
        // Every write is whole: a poisoned state is a good one.
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(3);

    fn node(name: &str) -> NodeId {
        name.parse().unwrap()
    }

    #[test]
    fn a_new_leader_grants_a_whole_time_to_live() {
        let (liveness, start) = (Liveness::default(), Instant::now());
        let members = [node("a"), node("b")];
        assert!(liveness.silent(&members, TTL, start + TTL * 9).is_empty(), "it does not lead");
        liveness.leads(true, start);
        assert!(liveness.silent(&members, TTL, start + TTL).is_empty());
        liveness.heard(&members[0], start + TTL);
        let later = start + TTL + Duration::from_millis(1);
        assert_eq!(liveness.silent(&members, TTL, later), [node("b")]);
        liveness.leads(false, later);
        liveness.leads(true, later);
        assert!(liveness.silent(&members, TTL, later + TTL).is_empty());
    }
}
