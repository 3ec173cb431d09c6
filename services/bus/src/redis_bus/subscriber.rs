//! One subscription: the task that keeps it, and what it shares with the
//! gateway. What Redis sends is taken at once, whether or not the gateway reads:
//! Redis cuts a subscriber that does not.

use super::backoff::Backoff;
use super::connect::{Connector, Line, LinkError};
use super::meters::Meters;
use super::probes::Probes;
use super::publisher::{Desk, channel};
use super::settings::Plan;
use super::wire::Message;
use crate::BusWay;
use crate::inbox::Inbox;
use bytes::Bytes;
use frontdesk_core::ids::NodeId;
use redis::{PushInfo, PushKind, Value};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, MissedTickBehavior};

/// What the task, its connection and the gateway share.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) inbox: Inbox,
    pub(super) live: watch::Sender<bool>,
    probes: Mutex<Probes>,
    proven: Notify,
    meters: Arc<Meters>,
}

impl Seat {
    pub(super) fn new(plan: &Plan, meters: Arc<Meters>) -> Self {
        Self {
            inbox: Inbox::default(),
            live: watch::Sender::new(false),
            probes: Mutex::new(Probes::new(plan.probe_deadline)),
            proven: Notify::new(),
            meters,
        }
    }

    fn probes(&self) -> MutexGuard<'_, Probes> {
        // No code panics while holding it, so a poisoned state is a whole one.
        self.probes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For whoever operates the process.
    pub(super) fn inspect(&self, gateway: &NodeId) -> BusWay {
        let age = self.probes().age(Instant::now());
        let age = age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
        let way = BusWay::from(gateway, *self.live.borrow(), self.inbox.depth());
        BusWay { probe_age_ms: age, ..way }
    }

    /// Tells the gateway, if it is news.
    pub(super) fn set_live(&self, live: bool) {
        let news = self.live.send_if_modified(|was| std::mem::replace(was, live) != live);
        if news {
            self.meters.live.set(f64::from(u8::from(live)));
        }
    }

    fn hears(&self, payload: Bytes) {
        match Message::decode(payload) {
            Ok(Message::Batches { after_loss, batches }) => {
                if after_loss {
                    self.inbox.lagged();
                }
                for batch in batches {
                    // A full inbox says `Lagged` itself.
                    self.inbox.push(batch);
                }
            }
            Ok(Message::Probe(number)) => {
                let took = self.probes().heard(number, Instant::now());
                if let Some(took) = took {
                    self.meters.probe_seconds.record(took);
                    self.proven.notify_one();
                }
            }
            Err(error) => {
                self.meters.unreadable.increment(1);
                tracing::error!(%error, "something on this gateway's channel cannot be read");
                self.inbox.lagged();
            }
        }
    }
}

/// Where a connection delivers. Runs within the connection's own task: it must
/// never wait.
#[derive(Clone)]
struct Ear {
    seat: Arc<Seat>,
    channel: Arc<str>,
    /// The connection is no good any more.
    gone: Arc<Notify>,
    /// The library connects and subscribes again by itself.
    heals: bool,
}

impl Ear {
    fn hears(&self, push: PushInfo) {
        let mine =
            |name: &Value| matches!(name, Value::BulkString(n) if *n == *self.channel.as_bytes());
        match (push.kind, <[Value; 2]>::try_from(push.data)) {
            (PushKind::SMessage, Ok([name, Value::BulkString(payload)])) if mine(&name) => {
                self.seat.hears(Bytes::from(payload));
            }
            // Established, or again: what was published before may be lost.
            (PushKind::SSubscribe, Ok([name, _])) if mine(&name) => self.seat.inbox.lagged(),
            // A cluster has moved the channel to another node.
            (PushKind::SUnsubscribe, _) => self.gone.notify_one(),
            (PushKind::Disconnection, _) if !self.heals => self.gone.notify_one(),
            _ => {}
        }
    }
}

/// How the life of one established subscription ended.
enum End {
    /// The connection was closed, or the channel taken from it.
    Disconnected,
    /// No probe came back in time.
    Unproven,
}

/// The task. See the module.
pub(super) struct Subscriber {
    plan: Arc<Plan>,
    desk: Arc<Desk>,
    seat: Arc<Seat>,
    gateway: NodeId,
    channel: Arc<str>,
    backoff: Backoff,
}

impl Subscriber {
    pub(super) fn new(plan: Arc<Plan>, desk: Arc<Desk>, seat: Arc<Seat>, gateway: NodeId) -> Self {
        let backoff = Backoff::new(plan.reconnect_pause);
        let channel = channel(&plan, &gateway).into();
        Self { plan, desk, seat, gateway, channel, backoff }
    }

    /// Until it is aborted.
    pub(super) async fn run(mut self) {
        let mut connector = Connector::new(self.plan.clone());
        let mut said = false;
        loop {
            let gone = Arc::new(Notify::new());
            match self.listen(&mut connector, gone.clone()).await {
                Ok(_line) => {
                    let end = self.attend(&gone).await;
                    self.seat.set_live(false);
                    self.seat.probes().clear();
                    match end {
                        End::Disconnected => tracing::warn!("the bus lost Redis; it listens again"),
                        End::Unproven => tracing::warn!("the bus hears no probe; it listens anew"),
                    }
                    said = false;
                }
                // Once for each time it is away, not for each attempt.
                Err(error) if !std::mem::replace(&mut said, true) => {
                    tracing::warn!(%error, "the bus cannot listen to Redis; it goes on trying");
                }
                Err(_) => {}
            }
            tokio::time::sleep(self.backoff.pause()).await;
            self.seat.meters.subscriber_reconnects.increment(1);
        }
    }

    async fn listen(
        &self,
        connector: &mut Connector,
        gone: Arc<Notify>,
    ) -> Result<Line, LinkError> {
        let heals = connector.heals();
        let ear = Ear { seat: self.seat.clone(), channel: self.channel.clone(), gone, heals };
        let hears = move |push| {
            ear.hears(push);
            Ok::<(), redis::aio::SendError>(())
        };
        let mut line = connector.open_listening(hears).await?;
        line.subscribe(&self.channel, self.plan.publish_timeout).await?;
        Ok(line)
    }

    /// Probes, and says whether it is live, until the subscription is no good.
    async fn attend(&mut self, gone: &Notify) -> End {
        let mut probes = tokio::time::interval(self.plan.probe_interval);
        probes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut expires = Instant::now() + self.plan.probe_deadline;
        loop {
            tokio::select! {
                () = gone.notified() => return End::Disconnected,
                now = probes.tick() => {
                    let number = self.seat.probes().send(now);
                    if let Some(age) = self.seat.probes().age(now) {
                        self.seat.meters.probe_age.set(age.as_secs_f64());
                    }
                    self.desk.probe(&self.gateway, number);
                }
                () = self.seat.proven.notified() => {
                    self.backoff.reset();
                    let until = self.seat.probes().live_until();
                    expires = until.unwrap_or(expires);
                    self.seat.set_live(until.is_some());
                }
                () = tokio::time::sleep_until(expires) => {
                    self.seat.set_live(false);
                    // Probes that could not be sent say nothing against it.
                    if self.desk.is_connected() {
                        return End::Unproven;
                    }
                    expires = Instant::now() + self.plan.probe_deadline;
                }
            }
        }
    }
}
