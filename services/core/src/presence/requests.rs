//! The last requests and their outcomes, so that a retried command acts once.

use super::command::{Refusal, RequestId};
use super::limits::MAX_REQUESTS;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};

type Outcome = Result<(), Refusal>;

/// Holds at most `MAX_REQUESTS` outcomes; the oldest makes room for the newest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(RequestId, Outcome)>", into = "Vec<(RequestId, Outcome)>")]
pub(super) struct RecentRequests {
    order: VecDeque<RequestId>,
    // Looked up, never iterated: its order is not part of the state.
    outcomes: HashMap<RequestId, Outcome>,
}

impl RecentRequests {
    pub(super) fn find(&self, id: RequestId) -> Option<Outcome> {
        self.outcomes.get(&id).copied()
    }

    pub(super) fn remember(&mut self, id: RequestId, outcome: Outcome) {
        if self.outcomes.insert(id, outcome).is_some() {
            return;
        }
        if self.order.len() == MAX_REQUESTS
            && let Some(oldest) = self.order.pop_front()
        {
            self.outcomes.remove(&oldest);
        }
        self.order.push_back(id);
    }
}

impl From<Vec<(RequestId, Outcome)>> for RecentRequests {
    fn from(entries: Vec<(RequestId, Outcome)>) -> Self {
        let mut requests = Self::default();
        for (id, outcome) in entries {
            requests.remember(id, outcome);
        }
        requests
    }
}

impl From<RecentRequests> for Vec<(RequestId, Outcome)> {
    fn from(requests: RecentRequests) -> Self {
        let outcomes = requests.outcomes;
        requests
            .order
            .into_iter()
            .filter_map(|id| outcomes.get(&id).map(|outcome| (id, *outcome)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(n: usize) -> RequestId {
        RequestId::from_uuid(Uuid::from_u128(n as u128 + 1))
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut requests = RecentRequests::default();
        for n in 0..=MAX_REQUESTS {
            requests.remember(id(n), Ok(()));
        }
        assert_eq!(requests.find(id(0)), None);
        assert_eq!(requests.find(id(1)), Some(Ok(())));
        assert_eq!(requests.outcomes.len(), MAX_REQUESTS);
    }
}
