//! A broker that all simulated processes share. It is a hint: it loses and
//! reorders what it is told to, and may be away altogether.

use super::entropy::elapsed;
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_bus::{Bus, Published, Received, Subscription};
use frontdesk_core::ids::NodeId;
use rand::RngExt as _;
use rand::rngs::SmallRng;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, watch};

/// Batches that may wait for one gateway.
const INBOX: usize = 4_096;

struct Seat {
    inbox: mpsc::Sender<Received>,
    live: watch::Sender<bool>,
    /// Something was lost while the broker was away.
    lagged: bool,
}

struct State {
    rng: SmallRng,
    seats: BTreeMap<NodeId, Seat>,
    /// By when they arrive; the number keeps equal ones apart.
    under_way: BTreeMap<(u64, u64), (NodeId, Bytes)>,
    sent: u64,
    down: bool,
    /// Of a thousand, how many are lost.
    loss: u32,
}

/// See the module.
#[derive(Clone)]
pub(crate) struct SimBroker {
    state: Arc<Mutex<State>>,
}

impl SimBroker {
    pub(crate) fn new(rng: SmallRng) -> Self {
        let (seats, under_way) = (BTreeMap::new(), BTreeMap::new());
        let state = State { rng, seats, under_way, sent: 0, down: false, loss: 0 };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It goes away, with all that is under way, or comes back.
    pub(crate) fn set_down(&self, down: bool) {
        let mut state = self.state();
        state.down = down;
        state.under_way.clear();
        for seat in state.seats.values_mut() {
            seat.live.send_replace(!down);
            seat.lagged |= down;
        }
    }

    /// Loses so many of a thousand, and delays the others by up to a second.
    pub(crate) fn set_loss(&self, loss: u32) {
        self.state().loss = loss;
    }

    /// Delivers what has arrived by now.
    pub(crate) fn tick(&self) {
        let mut state = self.state();
        let state = &mut *state;
        for seat in state.seats.values_mut().filter(|seat| seat.lagged && !state.down) {
            seat.lagged = seat.inbox.try_send(Received::Lagged).is_err();
        }
        while let Some(entry) = state.under_way.first_entry() {
            if entry.key().0 > elapsed() {
                return;
            }
            let (gateway, payload) = entry.remove();
            if let Some(seat) = state.seats.get_mut(&gateway) {
                seat.lagged |= seat.inbox.try_send(Received::Batch(payload)).is_err();
            }
        }
    }
}

impl Bus for SimBroker {
    fn publish(&self, gateway: &NodeId, payload: Bytes) -> Published {
        let mut state = self.state();
        if state.down {
            return Published::Away;
        }
        state.seats.retain(|_, seat| !seat.inbox.is_closed());
        if !state.seats.contains_key(gateway) {
            return Published::NoSubscriber;
        }
        let loss = state.loss;
        if state.rng.random_range(0..1_000) < loss {
            return Published::Accepted;
        }
        let way = state.rng.random_range(1..if loss > 0 { 1_000 } else { 5 });
        state.sent += 1;
        let key = (elapsed() + way, state.sent);
        state.under_way.insert(key, (gateway.clone(), payload));
        Published::Accepted
    }

    fn subscribe(&self, gateway: NodeId) -> Box<dyn Subscription> {
        let (inbox, received) = mpsc::channel(INBOX);
        let mut state = self.state();
        let (live, seen) = watch::channel(!state.down);
        let lagged = state.down;
        state.seats.insert(gateway, Seat { inbox, live, lagged });
        Box::new(SimSubscription { received, live: seen })
    }
}

struct SimSubscription {
    received: mpsc::Receiver<Received>,
    live: watch::Receiver<bool>,
}

#[async_trait]
impl Subscription for SimSubscription {
    async fn recv(&mut self) -> Option<Received> {
        self.received.recv().await
    }

    fn live(&self) -> watch::Receiver<bool> {
        self.live.clone()
    }
}
