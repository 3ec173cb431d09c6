//! The planned end of a gateway: its clients are asked to go elsewhere, a few at a
//! time, before anything is closed. Who does not go is cut at the deadline, with a
//! code that says: reconnect and resume.

use crate::codec;
use crate::outbox::{Class, Outbox};
use crate::settings::Settings;
use crate::shared::Shared;
use frontdesk_proto::convert::duration_to_proto;
use frontdesk_proto::v1::{self, server_frame::Frame};
use rand::RngExt as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// What the frame says to people who read logs.
const REASON: &str = "the gateway stops";
/// Clients are asked in so many steps a second.
const STEPS_PER_SECOND: u32 = 20;
/// How often it is looked whether all have gone.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How fast clients are asked to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pace {
    /// Clients asked in one step.
    clients: usize,
    /// From one step to the next.
    pause: Duration,
}

impl Pace {
    /// So many clients a second, as evenly as steps allow.
    fn new(per_second: u32) -> Self {
        let per_second = per_second.max(1);
        let steps = STEPS_PER_SECOND.min(per_second);
        let clients = per_second.div_ceil(steps);
        let pause = Duration::from_secs(1).mul_f64(f64::from(clients) / f64::from(per_second));
        Self { clients: usize::try_from(clients).unwrap_or(usize::MAX), pause }
    }
}

/// Takes nobody new, asks everybody to go, and waits until they have or the time
/// is over.
pub(crate) async fn run(shared: &Shared) {
    let settings = &shared.settings;
    shared.begin_draining();
    // Load balancers must notice before connections that they send are refused.
    sleep(Duration::from_secs(settings.drain_notice_seconds)).await;
    let give_up = Instant::now() + Duration::from_secs(settings.drain_deadline_seconds);
    let clients = shared.connections();
    tracing::info!(clients = clients.len(), "asking the clients to go elsewhere");
    tokio::select! {
        () = ask_all(&clients, settings) => {}
        () = sleep_until(give_up) => {}
    }
    while !shared.connections().is_empty() && Instant::now() < give_up {
        sleep(LOOK_EVERY).await;
    }
    let left = shared.connections().len();
    if left > 0 {
        tracing::warn!(left, "clients that did not go are cut");
    }
}

async fn ask_all(clients: &[Arc<Outbox>], settings: &Settings) {
    let pace = Pace::new(settings.drain_moves_per_second);
    for (n, step) in clients.chunks(pace.clients).enumerate() {
        if n > 0 {
            sleep(pace.pause).await;
        }
        for client in step {
            let slot = rand::rng().random_range(0..=settings.drain_jitter_ms);
            let delay = Some(duration_to_proto(Duration::from_millis(slot)));
            let order = v1::Move { reason: REASON.to_owned(), delay };
            let frame = codec::push_frame(Frame::Move(order));
            client.push(&codec::piece(client.format(), &frame), Class::Durable);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::WireFormat;

    #[test]
    fn a_pace_keeps_its_rate() {
        for per_second in [1, 7, 20, 500, 10_000] {
            let pace = Pace::new(per_second);
            let rate = pace.clients as f64 / pace.pause.as_secs_f64();
            assert!((rate - f64::from(per_second)).abs() < 0.01, "{per_second}: {pace:?}");
            assert!(pace.pause <= Duration::from_secs(1), "{per_second}: {pace:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn clients_are_asked_at_the_rate_that_is_set() {
        let clients: Vec<_> =
            (0..100).map(|_| Arc::new(Outbox::new(WireFormat::Protobuf))).collect();
        let settings = Settings { drain_moves_per_second: 40, ..Settings::default() };
        let asked = || clients.iter().filter(|client| client.depth() > 0).count();
        let asking = ask_all(&clients, &settings);
        let mut asking = std::pin::pin!(asking);
        let begun = Instant::now();
        assert!(tokio::time::timeout(Duration::from_millis(990), &mut asking).await.is_err());
        assert_eq!(asked(), 40);
        asking.await;
        assert_eq!(asked(), 100);
        assert_eq!(begun.elapsed().as_millis() / 100, 24);
    }
}
