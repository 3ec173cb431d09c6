//! The promises of the outbox: bounded, in order, and no loss without a marker.

use super::*;
use proptest::prelude::*;

fn node(name: &str) -> NodeId {
    name.parse().unwrap()
}

fn batch(n: u32) -> Bytes {
    Bytes::copy_from_slice(&n.to_be_bytes())
}

fn open(now: Instant) -> (Outbox, NodeId) {
    let mut outbox = Outbox::default();
    outbox.connected();
    let gateway = node("g1");
    assert_eq!(outbox.publish(&gateway, batch(0), now), (Published::Accepted, true));
    (outbox, gateway)
}

fn one(mut parcels: Vec<Parcel>) -> Parcel {
    assert_eq!(parcels.len(), 1, "{parcels:?}");
    parcels.remove(0)
}

fn batches(after_loss: bool, batches: &[u32]) -> Message {
    Message::Batches { after_loss, batches: batches.iter().copied().map(batch).collect() }
}

#[test]
fn what_comes_while_one_is_underway_goes_together() {
    let now = Instant::now();
    let (mut outbox, gateway) = open(now);
    let first = one(outbox.take(now));
    for n in 1..4 {
        assert_eq!(outbox.publish(&gateway, batch(n), now), (Published::Accepted, false));
    }
    assert!(outbox.take(now).is_empty());
    outbox.settle(&first, Outcome::Heard, now);
    assert_eq!(outbox.take_given_up(), 0);
    assert_eq!(one(outbox.take(now)).message, batches(false, &[1, 2, 3]));
}

#[test]
fn a_message_has_a_limit_but_a_larger_batch_goes_alone() {
    let now = Instant::now();
    let (mut outbox, gateway) = (Outbox::default(), node("g1"));
    outbox.connected();
    for bytes in [MESSAGE_BYTES / 2, MESSAGE_BYTES / 2, 1, 2 * MESSAGE_BYTES] {
        outbox.publish(&gateway, Bytes::from(vec![0; bytes]), now);
    }
    let mut sizes = Vec::new();
    while let Some(parcel) = outbox.take(now).pop() {
        let Message::Batches { batches, .. } = &parcel.message else { panic!("no probe") };
        sizes.push(batches.iter().map(Bytes::len).collect::<Vec<_>>());
        outbox.settle(&parcel, Outcome::Heard, now);
    }
    let half = MESSAGE_BYTES / 2;
    assert_eq!(sizes, [vec![half, half], vec![1], vec![2 * MESSAGE_BYTES]]);
}

#[test]
fn a_gateway_that_does_not_listen_is_tried_once_a_second() {
    let now = Instant::now();
    let (mut outbox, gateway) = open(now);
    let parcel = one(outbox.take(now));
    outbox.settle(&parcel, Outcome::NobodyListens, now);
    assert_eq!(outbox.take_given_up(), 1);
    assert_eq!(outbox.publish(&gateway, batch(1), now).0, Published::NoSubscriber);
    assert!(outbox.take(now).is_empty());
    let later = now + TRY_INTERVAL;
    let marker = one(outbox.take(later));
    assert_eq!(marker.message, batches(true, &[]));
    assert_eq!(outbox.publish(&gateway, batch(2), later).0, Published::NoSubscriber);
    outbox.settle(&marker, Outcome::Heard, later);
    // What was dropped meanwhile is owed a marker of its own.
    assert_eq!(outbox.publish(&gateway, batch(3), later).0, Published::Accepted);
    assert_eq!(one(outbox.take(later)).message, batches(true, &[3]));
}

#[test]
fn a_failure_closes_one_gateway_and_no_other() {
    let now = Instant::now();
    let (mut outbox, gateway) = open(now);
    let parcel = one(outbox.take(now));
    outbox.settle(&parcel, Outcome::Failed, now);
    assert_eq!(outbox.publish(&gateway, batch(1), now).0, Published::Away);
    assert_eq!(outbox.publish(&node("g2"), batch(1), now).0, Published::Accepted);
}

#[test]
fn a_lost_connection_gives_up_what_waits_and_owes_a_marker() {
    let now = Instant::now();
    let (mut outbox, gateway) = open(now);
    outbox.take(now);
    outbox.publish(&gateway, batch(1), now);
    outbox.disconnected();
    assert_eq!(outbox.take_given_up(), 1);
    assert_eq!(outbox.publish(&gateway, batch(2), now), (Published::Away, false));
    outbox.connected();
    assert_eq!(outbox.publish(&gateway, batch(3), now).0, Published::Accepted);
    assert_eq!(one(outbox.take(now)).message, batches(true, &[3]));
}

#[test]
fn a_probe_goes_first_and_whoever_listens() {
    let now = Instant::now();
    let (mut outbox, gateway) = open(now);
    let parcel = one(outbox.take(now));
    outbox.settle(&parcel, Outcome::NobodyListens, now);
    outbox.probe(&gateway, 7, now);
    outbox.probe(&gateway, 8, now);
    let probe = one(outbox.take(now));
    assert_eq!(probe.message, Message::Probe(8));
    outbox.settle(&probe, Outcome::Heard, now);
    // Somebody listens again: the marker need not wait.
    assert_eq!(one(outbox.take(now)).message, batches(true, &[]));
}

#[test]
fn forgets_a_gateway_that_is_not_used() {
    let now = Instant::now();
    let (mut outbox, _) = open(now);
    let parcel = one(outbox.take(now));
    outbox.settle(&parcel, Outcome::NobodyListens, now);
    outbox.forget_unused(now + FORGET_AFTER / 2);
    assert_eq!(outbox.gateways.len(), 1);
    outbox.forget_unused(now + FORGET_AFTER);
    assert!(outbox.gateways.is_empty());
}

#[test]
fn never_holds_more_than_its_limits() {
    let now = Instant::now();
    let (mut outbox, _) = open(now);
    for n in 1..MAX_WAITING_BATCHES {
        let to = node(if n % 2 == 0 { "g1" } else { "g2" });
        assert_eq!(outbox.publish(&to, Bytes::new(), now).0, Published::Accepted);
    }
    assert_eq!(outbox.publish(&node("g2"), Bytes::new(), now).0, Published::Full);
    let mut outbox = Outbox::default();
    outbox.connected();
    let large = Bytes::from(vec![0; MAX_WAITING_BYTES]);
    assert_eq!(outbox.publish(&node("g1"), large, now).0, Published::Accepted);
    assert_eq!(outbox.publish(&node("g2"), batch(1), now).0, Published::Full);
}

#[test]
fn what_waits_when_a_batch_is_refused_is_covered_by_the_marker() {
    let now = Instant::now();
    let (mut outbox, gateway) = open(now);
    let too_large = Bytes::from(vec![0; MAX_WAITING_BYTES]);
    assert_eq!(outbox.publish(&gateway, too_large, now).0, Published::Full);
    assert_eq!(outbox.publish(&gateway, batch(2), now).0, Published::Accepted);
    // Were batch 0 to follow the marker, batch 1 would be missing unnoticed.
    assert_eq!(one(outbox.take(now)).message, batches(true, &[2]));
}

#[derive(Debug, Clone)]
enum Step {
    Publish,
    Probe,
    Take,
    Settle(Outcome),
    Connect,
    Disconnect,
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Publish),
        1 => Just(Step::Probe),
        4 => Just(Step::Take),
        4 => Just(Step::Settle(Outcome::Heard)),
        1 => Just(Step::Settle(Outcome::NobodyListens)),
        1 => Just(Step::Settle(Outcome::Failed)),
        1 => Just(Step::Connect),
        1 => Just(Step::Disconnect),
        1 => Just(Step::Wait),
    ]
}

/// One gateway, as its subscription would see it.
#[derive(Default)]
struct Receiver {
    published: u32,
    expected: u32,
    lagged: bool,
}

impl Receiver {
    fn hears(&mut self, message: &Message) {
        let Message::Batches { after_loss, batches } = message else { return };
        self.lagged |= *after_loss;
        for bytes in batches {
            let n = u32::from_be_bytes(bytes[..].try_into().unwrap());
            assert!(n == self.expected || (self.lagged && n > self.expected), "a silent gap");
            (self.expected, self.lagged) = (n + 1, false);
        }
    }
}

fn run(steps: Vec<Step>) {
    let (mut outbox, gateway, mut now) = (Outbox::default(), node("g1"), Instant::now());
    let (mut receiver, mut underway) = (Receiver::default(), Vec::new());
    // In the end all is well, and what is owed must have come.
    let healed = [Step::Disconnect, Step::Connect, Step::Publish, Step::Take];
    for step in steps.into_iter().chain(healed) {
        match step {
            Step::Publish => {
                outbox.publish(&gateway, batch(receiver.published), now);
                receiver.published += 1;
            }
            Step::Probe => outbox.probe(&gateway, 1, now),
            Step::Take if outbox.is_connected() => underway.extend(outbox.take(now)),
            Step::Settle(outcome) => {
                if let Some(parcel) = underway.pop() {
                    if outcome == Outcome::Heard {
                        receiver.hears(&parcel.message);
                    }
                    outbox.settle(&parcel, outcome, now);
                }
            }
            Step::Connect => outbox.connected(),
            Step::Disconnect => {
                outbox.disconnected();
                underway.clear();
            }
            Step::Wait => now += TRY_INTERVAL,
            Step::Take => {}
        }
        assert!(underway.len() <= 1, "two underway to one gateway");
    }
    while let Some(parcel) = underway.pop() {
        receiver.hears(&parcel.message);
        outbox.settle(&parcel, Outcome::Heard, now);
        underway.extend(outbox.take(now));
    }
    assert_eq!(receiver.expected, receiver.published, "the last did not come");
    assert_eq!((outbox.batches, outbox.bytes), (0, 0));
}

proptest! {
    #[test]
    fn nothing_is_lost_without_a_marker(steps in prop::collection::vec(step(), 0..60)) {
        run(steps);
    }
}
