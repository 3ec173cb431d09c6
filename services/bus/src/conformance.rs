//! What every bus must do, whatever carries it.

use crate::{Bus, MAX_WAITING_BATCHES, Published, Received, Subscription};
use bytes::Bytes;
use frontdesk_core::ids::NodeId;
use std::time::Duration;

/// The longest any implementation may take to deliver in a test.
const DEADLINE: Duration = Duration::from_secs(10);

/// Runs every check, each on a bus of its own. Panics at the first breach.
pub async fn all<B: Bus>(make: impl Fn() -> B) {
    delivers_in_order(&make()).await;
    reaches_only_the_gateway_named(&make()).await;
    says_when_nobody_listens(&make());
    says_lagged_after_a_loss(&make()).await;
    a_second_subscription_replaces_the_first(&make()).await;
    dropping_a_subscription_unsubscribes(&make()).await;
}

fn node(name: &str) -> NodeId {
    name.parse().expect("a constant that is a valid name")
}

fn batch(n: usize) -> Bytes {
    Bytes::from(n.to_string())
}

async fn next(subscription: &mut Box<dyn Subscription>) -> Option<Received> {
    tokio::time::timeout(DEADLINE, subscription.recv()).await.expect("a receive within 10 s")
}

async fn delivers_in_order(bus: &dyn Bus) {
    let mut subscription = bus.subscribe(node("g1"));
    for n in 0..1_000 {
        assert_eq!(bus.publish(&node("g1"), batch(n)), Published::Accepted);
    }
    for n in 0..1_000 {
        assert_eq!(next(&mut subscription).await, Some(Received::Batch(batch(n))));
    }
}

async fn reaches_only_the_gateway_named(bus: &dyn Bus) {
    let mut one = bus.subscribe(node("g1"));
    let mut two = bus.subscribe(node("g2"));
    bus.publish(&node("g1"), batch(1));
    bus.publish(&node("g2"), batch(2));
    assert_eq!(next(&mut one).await, Some(Received::Batch(batch(1))));
    assert_eq!(next(&mut two).await, Some(Received::Batch(batch(2))));
}

fn says_when_nobody_listens(bus: &dyn Bus) {
    assert_eq!(bus.publish(&node("nobody"), batch(1)), Published::NoSubscriber);
}

async fn says_lagged_after_a_loss(bus: &dyn Bus) {
    let mut subscription = bus.subscribe(node("g1"));
    let mut n = 0;
    while bus.publish(&node("g1"), batch(n)) == Published::Accepted {
        n += 1;
        assert!(n <= MAX_WAITING_BATCHES, "the queue has no end");
    }
    loop {
        match next(&mut subscription).await {
            Some(Received::Lagged) => break,
            Some(Received::Batch(_)) => {}
            None => panic!("the subscription ended"),
        }
    }
    bus.publish(&node("g1"), batch(n));
    assert_eq!(next(&mut subscription).await, Some(Received::Batch(batch(n))));
}

async fn a_second_subscription_replaces_the_first(bus: &dyn Bus) {
    let mut first = bus.subscribe(node("g1"));
    let mut second = bus.subscribe(node("g1"));
    assert_eq!(next(&mut first).await, None);
    bus.publish(&node("g1"), batch(1));
    assert_eq!(next(&mut second).await, Some(Received::Batch(batch(1))));
}

async fn dropping_a_subscription_unsubscribes(bus: &dyn Bus) {
    let replaced = bus.subscribe(node("g1"));
    let mut present = bus.subscribe(node("g1"));
    // The one that was replaced must not take its successor with it.
    drop(replaced);
    assert_eq!(bus.publish(&node("g1"), batch(1)), Published::Accepted);
    assert_eq!(next(&mut present).await, Some(Received::Batch(batch(1))));
    drop(present);
    assert_eq!(bus.publish(&node("g1"), batch(2)), Published::NoSubscriber);
}
