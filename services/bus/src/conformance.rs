//! What every bus must do, whatever carries it.

use crate::{Bus, MAX_WAITING_BATCHES, Published, Received, Subscription};
use bytes::Bytes;
use frontdesk_core::ids::NodeId;
use std::time::Duration;

/// The longest any implementation may take to deliver in a test.
const DEADLINE: Duration = Duration::from_secs(10);
/// Publishes after which a bus must know what became of the first.
const TRIES: usize = 500;
/// Between such publishes.
const TRY_PAUSE: Duration = Duration::from_millis(20);

/// Runs every check, each on a bus of its own. Panics at the first breach.
pub async fn all<B: Bus>(make: impl Fn() -> B) {
    delivers_in_order(&make()).await;
    reaches_only_the_gateway_named(&make()).await;
    says_when_nobody_listens(&make()).await;
    says_lagged_after_a_loss(&make()).await;
    never_skips_silently(&make()).await;
    a_second_subscription_replaces_the_first(&make()).await;
    dropping_a_subscription_unsubscribes(&make()).await;
}

fn node(name: &str) -> NodeId {
    name.parse().expect("a constant that is a valid name")
}

fn batch(n: usize) -> Bytes {
    Bytes::from(n.to_string())
}

fn number(batch: &Bytes) -> usize {
    std::str::from_utf8(batch).expect("digits").parse().expect("a number")
}

async fn next(subscription: &mut Box<dyn Subscription>) -> Option<Received> {
    tokio::time::timeout(DEADLINE, subscription.recv()).await.expect("a receive within 10 s")
}

/// Waits until what is published arrives. A new subscription may say `Lagged`.
async fn wait_until_live(subscription: &mut Box<dyn Subscription>) {
    let mut live = subscription.live();
    let waited = tokio::time::timeout(DEADLINE, live.wait_for(|live| *live)).await;
    waited.expect("live within 10 s").expect("the subscription is held");
    // A time-out of zero still asks once.
    while let Ok(received) = tokio::time::timeout(Duration::ZERO, subscription.recv()).await {
        assert_eq!(received, Some(Received::Lagged));
    }
}

async fn listen(bus: &dyn Bus, gateway: &str) -> Box<dyn Subscription> {
    let mut subscription = bus.subscribe(node(gateway));
    wait_until_live(&mut subscription).await;
    subscription
}

async fn becomes_no_subscriber(bus: &dyn Bus, gateway: &str) {
    for _ in 0..TRIES {
        if bus.publish(&node(gateway), batch(1)) == Published::NoSubscriber {
            return;
        }
        tokio::time::sleep(TRY_PAUSE).await;
    }
    panic!("{TRIES} publishes to {gateway}, and none said that nobody listens");
}

async fn delivers_in_order(bus: &dyn Bus) {
    let mut subscription = listen(bus, "g1").await;
    for n in 0..1_000 {
        assert_eq!(bus.publish(&node("g1"), batch(n)), Published::Accepted);
    }
    for n in 0..1_000 {
        assert_eq!(next(&mut subscription).await, Some(Received::Batch(batch(n))));
    }
}

async fn reaches_only_the_gateway_named(bus: &dyn Bus) {
    let mut one = listen(bus, "g1").await;
    let mut two = listen(bus, "g2").await;
    bus.publish(&node("g1"), batch(1));
    bus.publish(&node("g2"), batch(2));
    assert_eq!(next(&mut one).await, Some(Received::Batch(batch(1))));
    assert_eq!(next(&mut two).await, Some(Received::Batch(batch(2))));
}

async fn says_when_nobody_listens(bus: &dyn Bus) {
    becomes_no_subscriber(bus, "nobody").await;
}

async fn says_lagged_after_a_loss(bus: &dyn Bus) {
    let mut subscription = listen(bus, "g1").await;
    // Where it is lost depends on which end is the slower: more than both hold.
    let mut n = 0;
    while n < 4 * MAX_WAITING_BATCHES && bus.publish(&node("g1"), batch(n)) == Published::Accepted {
        n += 1;
    }
    loop {
        match next(&mut subscription).await {
            Some(Received::Lagged) => break,
            Some(Received::Batch(_)) => {}
            None => panic!("the subscription ended"),
        }
    }
    // What is left of the flood may displace the first that follow.
    let after = (n + 1..).map(batch);
    for batch in after {
        bus.publish(&node("g1"), batch);
        match next(&mut subscription).await {
            Some(Received::Batch(bytes)) if number(&bytes) > n => return,
            Some(_) => {}
            None => panic!("the subscription ended"),
        }
    }
}

/// Whatever is lost between bursts, `Lagged` comes in its place.
async fn never_skips_silently(bus: &dyn Bus) {
    let mut subscription = listen(bus, "g1").await;
    for n in 0..2 * MAX_WAITING_BATCHES {
        bus.publish(&node("g1"), batch(n));
        if n % 64 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let (mut expected, mut lagged, mut last) = (0, false, 2 * MAX_WAITING_BATCHES);
    loop {
        // The last of all may be lost as well: one that follows ends the check.
        bus.publish(&node("g1"), batch(last));
        last += 1;
        match next(&mut subscription).await.expect("the subscription goes on") {
            Received::Lagged => lagged = true,
            Received::Batch(bytes) => {
                let n = number(&bytes);
                assert!(n == expected || (lagged && n > expected), "{n} came, not {expected}");
                (expected, lagged) = (n + 1, false);
                if n >= 2 * MAX_WAITING_BATCHES {
                    return;
                }
            }
        }
    }
}

async fn a_second_subscription_replaces_the_first(bus: &dyn Bus) {
    let mut first = listen(bus, "g1").await;
    let mut second = bus.subscribe(node("g1"));
    assert_eq!(next(&mut first).await, None);
    wait_until_live(&mut second).await;
    bus.publish(&node("g1"), batch(1));
    assert_eq!(next(&mut second).await, Some(Received::Batch(batch(1))));
}

async fn dropping_a_subscription_unsubscribes(bus: &dyn Bus) {
    let replaced = listen(bus, "g1").await;
    let mut present = bus.subscribe(node("g1"));
    // The one that was replaced must not take its successor with it.
    drop(replaced);
    wait_until_live(&mut present).await;
    assert_eq!(bus.publish(&node("g1"), batch(1)), Published::Accepted);
    assert_eq!(next(&mut present).await, Some(Received::Batch(batch(1))));
    drop(present);
    becomes_no_subscriber(bus, "g1").await;
}
