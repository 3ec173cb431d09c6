//! Wakes tasks at exact times. The runtime's own timer counts whole
//! milliseconds, which would be measured as the server's latency; a thread of
//! its own wakes within some ten microseconds.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::sync::Notify;

/// Orders on their way to the thread: one per alarm, and no process has as many
/// connections as this.
const QUEUE: usize = 65_536;

/// The thread that wakes. Ends with its last owner.
#[derive(Debug)]
pub(super) struct Metronome {
    orders: Option<SyncSender<Order>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Order {
    at: Instant,
    whom: Arc<Notify>,
}

impl Metronome {
    pub(super) fn start() -> std::io::Result<Self> {
        let (orders, received) = sync_channel(QUEUE);
        let name = "metronome".to_owned();
        // Owned by this value; ends when the orders do.
        let thread = std::thread::Builder::new().name(name).spawn(move || beat(&received))?;
        Ok(Self { orders: Some(orders), thread: Some(thread) })
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            orders.try_send(order).expect("the thread lives and there is room for all alarms");
        }
    }
}

impl Drop for Metronome {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // A panic in there was printed; there is nothing to save.
            let _ = thread.join();
        }
    }
}

fn beat(orders: &Receiver<Order>) {
    let mut waiting: BinaryHeap<Reverse<(Instant, usize)>> = BinaryHeap::new();
    // Places of the heap's entries, reused.
    let mut sleepers: Vec<Option<Arc<Notify>>> = Vec::new();
    let mut free: Vec<usize> = Vec::new();
    loop {
        let order = match waiting.peek() {
            None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(Reverse((at, _))) => {
                orders.recv_timeout(at.saturating_duration_since(Instant::now()))
            }
        };
        match order {
            Ok(Order { at, whom }) => {
                let place = free.pop().unwrap_or(sleepers.len());
                match sleepers.get_mut(place) {
                    Some(sleeper) => *sleeper = Some(whom),
                    None => sleepers.push(Some(whom)),
                }
                waiting.push(Reverse((at, place)));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let now = Instant::now();
        while let Some(Reverse((at, place))) = waiting.peek().copied() {
            if at > now {
                break;
            }
            waiting.pop();
            free.push(place);
            if let Some(sleeper) = sleepers[place].take() {
                sleeper.notify_one();
            }
        }
    }
}

/// One task's alarm clock.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    bell: Arc<Notify>,
    set: Option<Instant>,
}

impl Alarm {
    /// Rings at this time, or at once when it is over. Setting it to the same
    /// time again changes nothing; a later time does not silence an earlier one.
    pub(super) fn set(&mut self, metronome: &Metronome, at: Instant) {
        if self.set.replace(at) != Some(at) {
            metronome.order(Order { at, whom: self.bell.clone() });
        }
    }

    /// Waits until it rings. Safe to cancel.
    pub(super) async fn rings(&self) {
        self.bell.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn alarms_ring_in_order_and_never_early() {
        let metronome = Metronome::start().unwrap();
        let now = Instant::now();
        let mut alarms = [Alarm::default(), Alarm::default()];
        let times = [30, 10].map(|ms| now + Duration::from_millis(ms));
        for (alarm, at) in alarms.iter_mut().zip(times) {
            alarm.set(&metronome, at);
            alarm.set(&metronome, at);
        }
        let [late, early] = &alarms;
        tokio::select! {
            biased;
            () = late.rings() => panic!("the later one came first"),
            () = early.rings() => assert!(Instant::now() >= times[1]),
        }
        late.rings().await;
        assert!(Instant::now() >= times[0]);
    }

    #[tokio::test]
    async fn what_is_over_rings_at_once_and_the_end_ends_it() {
        let metronome = Metronome::start().unwrap();
        let mut alarm = Alarm::default();
        alarm.set(&metronome, Instant::now());
        alarm.rings().await;
        alarm.set(&metronome, Instant::now() + Duration::from_secs(3_600));
        drop(metronome);
    }
}
