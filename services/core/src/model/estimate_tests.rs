//! Estimates against what became of those who were told them: a back-test.

use super::*;
use crate::ids::{AgentId, ConversationId, QueueId};
use crate::matching::{Request, Rules, Seat};
use crate::presence::{AgentProfile, AgentStatus};
use crate::queue::{Crew, Estimate, Handling, Pool, Slots};
use crate::time::{Millis, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

const QUEUES: usize = 4;

fn queue(n: usize) -> QueueId {
    format!("queue-{n}").parse().unwrap()
}

/// The mean of the last ten or so, and all agents who serve the queue counted as its own:
/// what an estimate was before.
#[derive(Default)]
struct Simple {
    mean: Option<f64>,
}

impl Simple {
    fn measure(&mut self, handled: Millis) {
        let newest = handled.get() as f64;
        self.mean = Some(self.mean.map_or(newest, |mean| mean + 0.2 * (newest - mean)));
    }

    fn estimate(&self, position: u32, slots: Slots) -> Option<Millis> {
        let behind = f64::from(position.saturating_sub(slots.free));
        (slots.online > 0).then_some(())?;
        Some(Millis::new((self.mean? * behind / f64::from(slots.online)) as u64))
    }
}

/// Ours, which tells everybody an estimate who has to wait.
#[derive(Default)]
struct Telling {
    handling: HashMap<QueueId, (Handling, Simple)>,
    told: HashMap<ConversationId, (Estimate, Millis)>,
}

impl Telling {
    fn tell(&mut self, waiting: &[Request], seats: &[Seat], who: &Request, now: Timestamp) {
        let queues: Vec<QueueId> = (0..QUEUES).map(queue).collect();
        let weighted: Vec<_> = queues.iter().map(|queue| (queue.clone(), 1)).collect();
        let pool = Pool::of(&weighted, &seats.iter().map(|seat| seat.agent.as_ref()).collect());
        let place = who.entry.order_key();
        let is_ahead =
            |r: &&Request, queue: &QueueId| r.queue == *queue && r.entry.order_key() < place;
        let ahead = |queue: &QueueId| waiting.iter().filter(|r| is_ahead(r, queue)).count() as u32;
        let ahead: Vec<u32> = queues.iter().map(ahead).collect();
        let slots = pool.slots(&who.queue);
        let Some((handling, simple)) = self.handling.get(&who.queue) else { return };
        let own = queues.iter().position(|queue| *queue == who.queue).map_or(0, |i| ahead[i]);
        let told = handling.estimate(pool.behind(&who.queue, &ahead), slots, now);
        if let Some(told) = told.zip(simple.estimate(own + 1, slots)) {
            self.told.insert(who.entry.conversation, told);
        }
    }
}

impl Choice for Telling {
    fn decide(
        &mut self,
        waiting: &[Request],
        seats: &[Seat],
        now: Timestamp,
    ) -> (Vec<(ConversationId, AgentId)>, Option<Timestamp>) {
        let (pairs, due) = Ours.decide(waiting, seats, now);
        let is_served = |r: &&Request| pairs.iter().any(|(c, _)| *c == r.entry.conversation);
        let left: Vec<Request> = waiting.iter().filter(|r| !is_served(r)).cloned().collect();
        for who in left.iter().filter(|r| r.entry.waiting_since == now) {
            self.tell(&left, seats, who, now);
        }
        (pairs, due)
    }

    fn ended(&mut self, queue: &QueueId, at: Timestamp, handled: Millis) {
        let (handling, simple) = self.handling.entry(queue.clone()).or_default();
        handling.measure(at, handled);
        simple.measure(handled);
    }
}

/// Each agent serves two neighbouring queues of different lengths of chats.
fn centre(agents: usize) -> Centre {
    let staff = (0..agents).map(|n| Staff {
        profile: AgentProfile {
            capacity: 2,
            queues: vec![queue(n % QUEUES), queue((n + 1) % QUEUES)],
            ..AgentProfile::default()
        },
        shifts: vec![(Timestamp::ZERO, Timestamp::from_millis(u64::MAX))],
    });
    Centre {
        queues: (0..QUEUES).map(|n| (queue(n), Queue::plain(Rules::default()))).collect(),
        staff: staff.collect(),
        unskilled_percent: 100,
        hands_on_after: None,
        pace: Pace::default(),
    }
}

fn arrivals(count: usize) -> Vec<Arrival> {
    let mut draw = Draw::new(77);
    let mut now = Timestamp::ZERO;
    let mut next = || {
        now = now + draw.after(9.0);
        let n = draw.below(QUEUES);
        // From 180 s to 360 s, 270 s on average: 30 erlangs on 32 slots.
        let handling = draw.after(180.0 + 60.0 * n as f64);
        Arrival { at: now, queue: queue(n), handling, patience: None, then: vec![] }
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn nine_in_ten_wait_no_longer_than_told_and_the_mean_is_truer_than_before() {
    let arrivals = arrivals(12_000);
    let mut telling = Telling::default();
    let ran = centre(16).run(&arrivals, &mut telling);
    let (mut within, mut count, mut error, mut before) = (0_u32, 0_u32, 0.0, 0.0);
    let (mut sum, mut told_sum) = (0.0, 0.0);
    for (n, fate) in ran.fates.iter().enumerate().skip(1_000) {
        let id = ConversationId::from_uuid(uuid::Uuid::from_u128(n as u128 + 1));
        let Some((told, simple)) = telling.told.get(&id) else { continue };
        let Some(served) = fate.served() else { continue };
        let off = |told: Millis| (served.wait.get() as f64 - told.get() as f64).abs() / 1_000.0;
        count += 1;
        within += u32::from(served.wait <= told.upper);
        (error, before) = (error + off(told.mean), before + off(*simple));
        (sum, told_sum) = (sum + served.wait.get() as f64, told_sum + told.mean.get() as f64);
    }
    let share = f64::from(within) / f64::from(count);
    let (error, before) = (error / f64::from(count), before / f64::from(count));
    let bias = told_sum / sum;
    println!(
        "{count} told: {:.1} % within the upper end, mean error {error:.1} s (before {before:.1} s), \
         told {bias:.2} of what they waited",
        share * 100.0
    );
    assert!(count > 3_000);
    assert!((0.85..0.97).contains(&share), "{share}");
    assert!(error < 0.9 * before, "{error} {before}");
    assert!((0.85..1.15).contains(&bias), "{bias}");
}

#[test]
fn nobody_there_is_told_nothing() {
    let mut telling = Telling::default();
    let seats = |status| {
        let centre = centre(1);
        let profile = centre.staff[0].profile.clone();
        let agent = crate::presence::AgentView {
            site: "model".parse().unwrap(),
            id: AgentId::from_uuid(uuid::Uuid::from_u128(1)),
            profile,
            status,
            reason: Arc::from(""),
            since: Timestamp::ZERO,
            load: 0,
            reservations: vec![],
            idle_since: Timestamp::ZERO,
            gateways: vec![("model".parse().unwrap(), 1)],
            revision: 1,
            assigned_at: Timestamp::ZERO,
            missed: 0,
        };
        vec![Seat::new(Arc::new(agent))]
    };
    telling.ended(&queue(0), Timestamp::ZERO, Millis::from_secs(60));
    let crew = |status| seats(status).iter().map(|seat| &*seat.agent).collect::<Crew>();
    let away = Pool::of(&[(queue(0), 1)], &crew(AgentStatus::Away));
    let there = Pool::of(&[(queue(0), 1)], &crew(AgentStatus::Online));
    let handling = &telling.handling[&queue(0)].0;
    let told = |pool: &Pool| handling.estimate(3.0, pool.slots(&queue(0)), Timestamp::ZERO);
    assert_eq!(told(&away), None);
    assert!(told(&there).is_some());
}
