//! Estimates against what became of those who were told them: a back-test.

use super::*;
use crate::ids::{AgentId, ConversationId, QueueId};
use crate::matching::{Abilities, Request, Rules, Seat, Wanted, wait_for};
use crate::presence::{AgentProfile, AgentStatus};
use crate::queue::{Crew, Estimate, Handling, Pool, Slots};
use crate::skill::{Needs, Skills, Step};
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
        let mut abilities = Abilities::of(seats.iter().map(|seat| seat.agent.as_ref()));
        let steps = abilities.steps(&who.queue, &who.rules, &who.entry, now);
        let told = if steps.is_empty() {
            handling.estimate(pool.behind(&who.queue, &ahead), slots, now)
        } else {
            let before = waiting.iter().filter(|r| is_ahead(r, &who.queue));
            let before: Vec<_> = before
                .filter_map(|r| {
                    Some(abilities.steps(&r.queue, &r.rules, &r.entry, now).first()?.wanted)
                })
                .collect();
            let alike = |wanted: &Wanted<'_>| before.iter().filter(|w| *w == wanted).count() as f64;
            let rivals = pool.rivals(&who.queue, &ahead);
            let by = |behind, slots| handling.estimate(behind, slots, now);
            wait_for(&steps, (slots, rivals), alike, by)
        };
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
        for served in waiting.iter().filter(is_served) {
            let Some((told, _)) = self.told.get(&served.entry.conversation) else { continue };
            let (handling, _) = self.handling.entry(served.queue.clone()).or_default();
            handling.proved(*told, now.since(served.entry.waiting_since));
        }
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

/// What became of those who were told an estimate.
#[derive(Default)]
struct Truth {
    count: u32,
    within: u32,
    /// Seconds, in all.
    error: f64,
    error_before: f64,
    waited: f64,
    told: f64,
}

impl Truth {
    /// Of the arrivals of a queue, or all; the first are left out, as little is known yet.
    fn of(ran: &Ran, telling: &Telling, arrivals: &[Arrival], only: Option<&QueueId>) -> Self {
        let mut it = Self::default();
        for (n, fate) in ran.fates.iter().enumerate().skip(1_000) {
            let id = ConversationId::from_uuid(uuid::Uuid::from_u128(n as u128 + 1));
            let Some((told, simple)) = telling.told.get(&id) else { continue };
            let Some(served) = fate.served() else { continue };
            if only.is_some_and(|queue| arrivals[n].queue != *queue) {
                continue;
            }
            let seconds = |millis: Millis| millis.get() as f64 / 1_000.0;
            let off = |told: Millis| (seconds(served.wait) - seconds(told)).abs();
            it.count += 1;
            it.within += u32::from(served.wait <= told.upper);
            it.error += off(told.mean);
            it.error_before += off(*simple);
            it.waited += seconds(served.wait);
            it.told += seconds(told.mean);
        }
        it
    }

    fn share(&self) -> f64 {
        f64::from(self.within) / f64::from(self.count)
    }

    fn bias(&self) -> f64 {
        self.told / self.waited
    }

    fn print(&self, of: &str) {
        println!(
            "{of}: {} told: {:.1} % within the upper end, mean error {:.1} s (before {:.1} s), \
             told {:.2} of what they waited",
            self.count,
            self.share() * 100.0,
            self.error / f64::from(self.count),
            self.error_before / f64::from(self.count),
            self.bias()
        );
    }
}

#[test]
fn nine_in_ten_wait_no_longer_than_told_and_the_mean_is_truer_than_before() {
    let arrivals = arrivals(12_000);
    let mut telling = Telling::default();
    let ran = centre(16).run(&arrivals, &mut telling);
    let truth = Truth::of(&ran, &telling, &arrivals, None);
    truth.print("shared agents");
    assert!(truth.count > 3_000);
    assert!((0.90..0.97).contains(&truth.share()), "{}", truth.share());
    assert!(truth.error < 0.9 * truth.error_before);
    assert!((0.85..1.15).contains(&truth.bias()), "{}", truth.bias());
}

/// One queue's conversations need what few of its agents have; after a while anyone will
/// do, or never.
#[test]
fn who_needs_what_few_have_is_told_the_wait_for_those_few() {
    for relaxes in [None, Some(Millis::from_secs(240))] {
        let skilled: Skills =
            [("tax".parse().unwrap(), 3.try_into().unwrap())].into_iter().collect();
        let mut steps = vec![Step { after: Millis::ZERO, skills: skilled.clone() }];
        steps.extend(relaxes.map(|after| Step { after, skills: Skills::default() }));
        let rules = Rules { needs: Needs::new(steps).unwrap(), ..Rules::default() };
        let mut centre = centre(20);
        centre.queues.insert(queue(0), Queue::plain(rules));
        // Of the ten who serve it, six: three of them the next queue, too.
        let serving = centre.staff.iter_mut().filter(|s| s.profile.queues.contains(&queue(0)));
        serving.take(6).for_each(|staff| staff.profile.skills = skilled.clone());
        let arrivals = arrivals(8_000);
        let mut telling = Telling::default();
        let ran = centre.run(&arrivals, &mut telling);
        let truth = Truth::of(&ran, &telling, &arrivals, Some(&queue(0)));
        truth.print(if relaxes.is_some() { "a rare skill that relaxes" } else { "a rare skill" });
        assert!(truth.count > 300, "{}", truth.count);
        assert!(truth.share() >= 0.88, "{}", truth.share());
        assert!(truth.error < truth.error_before);
    }
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
