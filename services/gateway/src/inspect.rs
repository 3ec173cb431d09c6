//! What the gateway's connections are at, for whoever operates it. Numbers and ids of
//! connections; never who they are or what they say.

use crate::shared::Shared;
use crate::standing::Seen;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::time::Instant;

/// Connections by the same carrier and in the same state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectionGroup {
    /// What carries them.
    pub carrier: &'static str,
    /// `hello` before they have said who they are, `visitor`, `staff`, or `closing`.
    pub state: &'static str,
    /// How many.
    pub connections: usize,
    /// Those of them that have so much to read that they are given nothing more now.
    pub behind: usize,
    /// What waits to be written to all of them.
    pub waiting_pieces: usize,
    /// Its bytes.
    pub waiting_bytes: usize,
    /// What waits for the one for which most does.
    pub most_bytes: usize,
    /// How long the oldest has been there.
    pub oldest_seconds: u64,
}

/// A connection whose client does not read what waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlowReader {
    /// Its id, as in the log.
    pub connection: String,
    /// What carries it.
    pub carrier: &'static str,
    /// As in [`ConnectionGroup`].
    pub state: &'static str,
    /// What waits to be written.
    pub waiting_pieces: usize,
    /// Its bytes.
    pub waiting_bytes: usize,
    /// It is given nothing more now.
    pub behind: bool,
    /// How long it has been there.
    pub seconds: u64,
}

/// Looks at the connections of a running gateway.
#[derive(Clone)]
pub struct Inspector(Arc<Shared>);

impl Inspector {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// All connections, grouped.
    pub fn connections(&self) -> Vec<ConnectionGroup> {
        let (mut groups, now) = (BTreeMap::new(), Instant::now());
        for seen in self.0.standings.seen() {
            let (carrier, state) = (seen.carrier.as_str(), state(&seen));
            let group = groups.entry((seen.carrier, state)).or_insert_with(|| ConnectionGroup {
                carrier,
                state,
                connections: 0,
                behind: 0,
                waiting_pieces: 0,
                waiting_bytes: 0,
                most_bytes: 0,
                oldest_seconds: 0,
            });
            let (pieces, bytes) = seen.outbox.waiting();
            group.connections += 1;
            group.behind += usize::from(!seen.outbox.has_room());
            group.waiting_pieces += pieces;
            group.waiting_bytes += bytes;
            group.most_bytes = group.most_bytes.max(bytes);
            group.oldest_seconds = group.oldest_seconds.max(age(&seen, now));
        }
        groups.into_values().collect()
    }

    /// Those for whom most waits, at most so many; none for whom nothing does.
    pub fn slowest(&self, limit: usize) -> Vec<SlowReader> {
        let now = Instant::now();
        let slow = |seen: Seen| {
            let (waiting_pieces, waiting_bytes) = seen.outbox.waiting();
            (waiting_pieces > 0).then(|| SlowReader {
                connection: seen.connection.to_string(),
                carrier: seen.carrier.as_str(),
                state: state(&seen),
                waiting_pieces,
                waiting_bytes,
                behind: !seen.outbox.has_room(),
                seconds: age(&seen, now),
            })
        };
        let mut slowest: Vec<_> = self.0.standings.seen().into_iter().filter_map(slow).collect();
        slowest.sort_by_key(|reader| Reverse(reader.waiting_bytes));
        slowest.truncate(limit);
        slowest
    }
}

fn state(seen: &Seen) -> &'static str {
    match seen.staff {
        _ if seen.outbox.closing().is_some() => "closing",
        None => "hello",
        Some(true) => "staff",
        Some(false) => "visitor",
    }
}

fn age(seen: &Seen, now: Instant) -> u64 {
    now.saturating_duration_since(seen.since).as_secs()
}

#[cfg(test)]
mod tests {
    use crate::outbox::Class;
    use crate::testing::{TestClient, World};

    #[tokio::test]
    async fn connections_are_grouped_and_who_does_not_read_is_named_by_number_only() {
        let world = World::start().await;
        let inspector = world.gateway.inspector();
        assert_eq!(inspector.connections(), []);
        let _visitor = TestClient::hello(&world, true, world.visitor(), vec![]).await;
        let _agent = TestClient::hello(&world, false, world.agent(), vec![]).await;
        let groups = inspector.connections();
        let told: Vec<_> = groups.iter().map(|g| (g.carrier, g.state, g.connections)).collect();
        assert_eq!(told.len(), 2, "{groups:?}");
        assert!(told.iter().any(|(_, state, count)| (*state, *count) == ("visitor", 1)));
        assert!(told.iter().any(|(_, state, count)| (*state, *count) == ("staff", 1)));

        // Held back, so that the connection's task cannot write it.
        let seen = world.gateway.shared.standings.seen();
        let staff = seen.iter().find(|seen| seen.staff == Some(true)).unwrap();
        staff.outbox.hold();
        staff.outbox.push(&[b'x'; 300_000], Class::Durable);
        let slowest = inspector.slowest(10);
        assert_eq!(slowest.len(), 1, "{slowest:?}");
        assert_eq!((slowest[0].waiting_pieces, slowest[0].behind), (1, true));
        assert_eq!(slowest[0].connection, staff.connection.to_string());
        assert!(inspector.connections().iter().any(|g| g.behind == 1 && g.most_bytes > 299_999));
        assert_eq!(inspector.slowest(0), []);
    }
}
