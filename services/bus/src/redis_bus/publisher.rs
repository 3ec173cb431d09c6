//! The one task that publishes. It owns the connection, sends what waits in the
//! outbox and never waits for one gateway while another could be served.

use super::backoff::Backoff;
use super::connect::{Connector, Line, LinkError};
use super::meters::Meters;
use super::outbox::{Outbox, Outcome, Parcel, TRY_INTERVAL};
use super::settings::Plan;
use crate::{BusWay, Published};
use bytes::Bytes;
use frontdesk_core::ids::NodeId;
use futures::stream::{FuturesUnordered, StreamExt as _};
use redis::Cmd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior};

/// The way to the publisher: never blocks for longer than a queue is touched.
#[derive(Debug, Default)]
pub(super) struct Desk {
    outbox: Mutex<Outbox>,
    ready: Notify,
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Outbox> {
        // No code panics while holding it, so a poisoned state is a whole one.
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn publish(&self, gateway: &NodeId, batch: Bytes) -> Published {
        let (published, wake) = self.lock().publish(gateway, batch, Instant::now());
        if wake {
            self.ready.notify_one();
        }
        published
    }

    pub(super) fn probe(&self, gateway: &NodeId, number: u64) {
        self.lock().probe(gateway, number, Instant::now());
        self.ready.notify_one();
    }

    /// For whoever operates the process.
    pub(super) fn inspect(&self) -> Vec<BusWay> {
        self.lock().inspect()
    }

    pub(super) fn is_connected(&self) -> bool {
        self.lock().is_connected()
    }
}

/// See the module.
pub(super) struct Publisher {
    plan: Arc<Plan>,
    desk: Arc<Desk>,
    meters: Arc<Meters>,
    backoff: Backoff,
    /// When Redis last took something.
    worked: Instant,
}

impl Publisher {
    pub(super) fn new(plan: Arc<Plan>, desk: Arc<Desk>, meters: Arc<Meters>) -> Self {
        let backoff = Backoff::new(plan.reconnect_pause);
        Self { plan, desk, meters, backoff, worked: Instant::now() }
    }

    /// Until it is aborted.
    pub(super) async fn run(mut self) {
        let mut connector = Connector::new(self.plan.clone());
        let mut said = false;
        loop {
            let error = match connector.open().await {
                Ok(line) => {
                    said = false;
                    tracing::info!("the bus can publish to Redis");
                    self.desk.lock().connected();
                    let error = self.serve(&mut connector, line).await;
                    self.desk.lock().disconnected();
                    self.count_given_up();
                    error
                }
                Err(error) => error,
            };
            // Once for each time it is away, not for each attempt.
            if !std::mem::replace(&mut said, true) {
                tracing::warn!(%error, "the bus cannot publish to Redis; it goes on trying");
            }
            tokio::time::sleep(self.backoff.pause()).await;
            self.meters.publisher_reconnects.increment(1);
        }
    }

    /// Sends what there is until the connection is no good.
    async fn serve(&mut self, connector: &mut Connector, line: Line) -> LinkError {
        let mut unfit = std::pin::pin!(connector.until_unfit(line.clone()));
        let mut tries = tokio::time::interval(TRY_INTERVAL);
        tries.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (plan, mut underway) = (self.plan.clone(), FuturesUnordered::new());
        self.worked = Instant::now();
        loop {
            let parcels = self.desk.lock().take(Instant::now());
            underway.extend(parcels.into_iter().map(|p| send(&plan, line.clone(), p)));
            tokio::select! {
                error = &mut unfit => return error,
                Some((parcel, answer)) = underway.next() => {
                    if let Err(error) = self.settle(&line, &parcel, answer) {
                        return error;
                    }
                }
                () = self.desk.ready.notified() => {}
                now = tries.tick() => {
                    self.desk.lock().forget_unused(now);
                    self.count_given_up();
                }
            }
        }
    }

    /// `Err` when the connection is no good.
    fn settle(
        &mut self,
        line: &Line,
        parcel: &Parcel,
        answer: Result<u64, LinkError>,
    ) -> Result<(), LinkError> {
        let now = Instant::now();
        let outcome = match answer {
            Ok(receivers) => {
                self.worked = now;
                self.backoff.reset();
                if receivers > 0 { Outcome::Heard } else { Outcome::NobodyListens }
            }
            Err(error) if self.is_fatal(line, &error) => return Err(error),
            Err(error) => {
                tracing::debug!(gateway = %parcel.gateway, %error, "a publish failed");
                Outcome::Failed
            }
        };
        self.desk.lock().settle(parcel, outcome, now);
        Ok(())
    }

    /// Whether more than this one publish has failed.
    fn is_fatal(&self, line: &Line, error: &LinkError) -> bool {
        match (line, error) {
            // An answer, though a bad one.
            (Line::One(_), LinkError::Redis(error)) if error.code().is_some() => false,
            (Line::One(_), _) => true,
            // It may be one node; but a cluster that takes nothing is given up.
            (Line::Cluster(_), _) => self.worked.elapsed() >= self.plan.probe_deadline,
        }
    }

    fn count_given_up(&self) {
        let given_up = self.desk.lock().take_given_up();
        self.meters.given_up.increment(given_up);
    }
}

/// How many connections Redis has sent it to.
async fn send(plan: &Plan, mut line: Line, parcel: Parcel) -> (Parcel, Result<u64, LinkError>) {
    let channel = channel(plan, &parcel.gateway);
    let mut publish = Cmd::with_capacity(3, parcel.message.encoded_len() + channel.len() + 64);
    publish.arg("SPUBLISH").arg(channel).arg(&parcel.message);
    let answer = line.ask(&publish, plan.publish_timeout).await;
    (parcel, answer)
}

/// The channel of a gateway.
pub(super) fn channel(plan: &Plan, gateway: &NodeId) -> String {
    format!("{}:{gateway}", plan.channel_prefix)
}
