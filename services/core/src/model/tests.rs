//! The run against what theory knows of queues (M/M/N and M/M/N+M), and a day of a centre
//! with skills against first come, first served, in turns.

use super::*;
use crate::ids::{AgentId, ConversationId, QueueId};
use crate::matching::{Policy, Request, Rules, Seat};
use crate::presence::AgentProfile;
use crate::queue::Limits;
use crate::skill::{Needs, Skills, Step};
use crate::staffing::Load;
use crate::time::{Millis, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

const ALWAYS: (Timestamp, Timestamp) = (Timestamp::ZERO, Timestamp::from_millis(u64::MAX));

fn queue(name: &str) -> QueueId {
    name.parse().unwrap()
}

fn profile(capacity: u32, queues: Vec<QueueId>, skills: Skills) -> AgentProfile {
    AgentProfile {
        name: Arc::from(""),
        capacity,
        queues,
        supervisor: false,
        skills,
        languages: Default::default(),
        caps: Default::default(),
    }
}

/// One queue, so many agents of one slot.
fn telephones(agents: usize) -> Centre {
    let one = Staff { profile: profile(1, vec![], Skills::default()), shifts: vec![ALWAYS] };
    Centre {
        queues: HashMap::from([(queue("one"), Queue::plain(Rules::default()))]),
        staff: vec![one; agents],
        unskilled_percent: 100,
        hands_on_after: None,
        pace: Pace::default(),
    }
}

fn poisson(rng: &mut Draw, load: &Load, count: usize) -> Vec<Arrival> {
    let mut now = Timestamp::ZERO;
    let mut next = || {
        now = now + rng.after(1.0 / load.arrivals);
        let (at, handling) = (now, rng.after(load.handling));
        let patience = load.patience.map(|mean| rng.after(mean));
        Arrival { at, queue: queue("one"), handling, patience, then: vec![] }
    };
    (0..count).map(|_| next()).collect()
}

/// Parts of a run. Each is some hundred times as long as the queue remembers, so that
/// they are nearly independent.
const PARTS: usize = 40;

/// An estimate, and the half width of its 99.9 % confidence interval: the mean over the
/// parts but the first, corrected by how much more work came in each than on average.
/// What came is known, and so is what comes on average: most of what differs between
/// parts is explained by it (a control variate; Asmussen, Glynn: *Stochastic
/// Simulation*, V.2).
fn estimate(values: &[f64], work: &[f64]) -> (f64, f64) {
    /// Student's t with 37 degrees of freedom.
    const T: f64 = 3.574;
    let means = |all: &[f64]| -> Vec<f64> {
        let parts = all.chunks_exact(all.len() / PARTS).skip(1).take(PARTS - 1);
        parts.map(|part| part.iter().sum::<f64>() / part.len() as f64).collect()
    };
    let (ys, xs) = (means(values), means(work));
    let count = ys.len() as f64;
    let mean = |all: &[f64]| all.iter().sum::<f64>() / count;
    let (y, x) = (mean(&ys), mean(&xs));
    let spread: f64 = xs.iter().map(|v| (v - x).powi(2)).sum();
    let slope = xs.iter().zip(&ys).map(|(a, b)| (a - x) * (b - y)).sum::<f64>() / spread;
    let rest = |(a, b): (&f64, &f64)| (b - y - slope * (a - x)).powi(2);
    let variance = xs.iter().zip(&ys).map(rest).sum::<f64>() / (count - 2.0);
    (y - slope * x, T * (variance * (1.0 / count + x * x / spread)).sqrt())
}

/// By how much each arrival brings more work than the average one; 0 in the long run.
fn work(arrivals: &[Arrival], load: &Load) -> Vec<f64> {
    let mut before = Timestamp::ZERO;
    let surplus = |arrival: &Arrival| {
        let gap = arrival.at.since(std::mem::replace(&mut before, arrival.at));
        let secs = |millis: Millis| millis.get() as f64 / 1_000.0;
        secs(arrival.handling) / load.handling - secs(gap) * load.arrivals
    };
    arrivals.iter().map(surplus).collect()
}

fn agrees(what: &str, values: &[f64], work: &[f64], theory: f64) {
    let (mean, half) = estimate(values, work);
    println!("{what}: {mean:.4} ± {half:.4}, theory {theory:.4}");
    assert!((mean - theory).abs() <= half, "{what}");
    assert!(half <= 0.2 * theory, "{what}: so wide an interval says nothing");
}

#[test]
fn waits_are_those_of_erlang_c() {
    let load = Load { arrivals: 0.1, handling: 78.0, patience: None };
    let arrivals = poisson(&mut Draw::new(7), &load, 160_000);
    let work = work(&arrivals, &load);
    let ran = telephones(10).run(&arrivals, &mut Ours);
    let waits: Vec<f64> =
        ran.fates.iter().map(|f| f.served().unwrap().wait.get() as f64 / 1_000.0).collect();
    let theory = load.on(10, 20.0);
    let share = |holds: fn(&f64) -> bool| -> Vec<f64> {
        waits.iter().map(|wait| f64::from(u8::from(holds(wait)))).collect()
    };
    agrees("mean wait", &waits, &work, theory.wait);
    agrees("share that waits", &share(|wait| *wait > 0.0), &work, theory.waits);
    agrees("share in 20 s", &share(|wait| *wait <= 20.0), &work, theory.in_time);
}

#[test]
fn impatience_is_that_of_erlang_a() {
    let load = Load { arrivals: 0.12, handling: 100.0, patience: Some(120.0) };
    let arrivals = poisson(&mut Draw::new(11), &load, 40_000);
    let work = work(&arrivals, &load);
    let ran = telephones(10).run(&arrivals, &mut Ours);
    let theory = load.on(10, 30.0);
    let gave_up: Vec<f64> =
        ran.fates.iter().map(|f| f64::from(u8::from(f.served().is_none()))).collect();
    let in_time = |f: &Fate| f.served().is_some_and(|s| s.wait <= Millis::from_secs(30));
    let in_time: Vec<f64> = ran.fates.iter().map(|f| f64::from(u8::from(in_time(f)))).collect();
    agrees("share that gives up", &gave_up, &work, theory.abandons);
    agrees("share in 30 s", &in_time, &work, theory.in_time);
}

/// Whoever came first, to whoever is next in a circle; nobody looks at skills.
#[derive(Default)]
struct InTurns {
    next: usize,
}

impl Choice for InTurns {
    fn decide(
        &mut self,
        waiting: &[Request],
        seats: &[Seat],
        _: Timestamp,
    ) -> (Vec<(ConversationId, AgentId)>, Option<Timestamp>) {
        let mut in_order: Vec<&Request> = waiting.iter().collect();
        in_order.sort_by_key(|request| request.entry.waiting_since);
        let mut free: Vec<u32> = seats.iter().map(|seat| seat.agent.free()).collect();
        let mut pairs = Vec::new();
        for request in in_order {
            let circle = (0..seats.len()).map(|step| (self.next + step) % seats.len());
            let mut able = circle.filter(|n| {
                free[*n] >= request.entry.weight && seats[*n].agent.serves(&request.queue)
            });
            if let Some(n) = able.next() {
                free[n] -= request.entry.weight;
                self.next = n + 1;
                pairs.push((request.entry.conversation, seats[n].agent.id));
            }
        }
        (pairs, None)
    }
}

const QUEUES: usize = 20;
const AGENTS: usize = 200;

/// Twenty queues, each with a skill that a fifth of the agents has; agents serve five
/// queues and take three chats at once, in three shifts.
fn centre(rng: &mut Draw) -> Centre {
    let name = |n: usize| queue(&format!("queue-{n}"));
    let skill = |n: usize| format!("skill-{n}");
    let skills = |levels: &[(String, u8)]| -> Skills {
        let levels: HashMap<_, _> = levels.iter().cloned().collect();
        serde_json::from_value(serde_json::to_value(levels).unwrap()).unwrap()
    };
    let step = |after: u64, skills: Skills| Step { after: Millis::from_secs(after), skills };
    let rules = |n: usize| Rules {
        needs: Needs::new(vec![
            step(0, skills(&[(skill(n), 3)])),
            step(45, skills(&[(skill(n), 1)])),
            step(90, Skills::default()),
        ])
        .unwrap(),
        policy: Policy::BestProficiency,
        ..Rules::default()
    };
    let staff = (0..AGENTS).map(|n| {
        let first = n % QUEUES;
        let served: Vec<usize> = (0..5).map(|step| (first + step) % QUEUES).collect();
        let levels: Vec<_> = served.iter().map(|q| (skill(*q), 1 + rng.below(5) as u8)).collect();
        let queues = served.iter().map(|q| name(*q)).collect();
        let begin = Timestamp::from_millis(0) + Millis::from_mins(8 * 60 * (n as u64 % 3));
        let shifts = (0..8).map(|day| {
            let begin = begin + Millis::from_mins(day * 24 * 60);
            (begin, begin + Millis::from_mins(9 * 60))
        });
        Staff { profile: profile(3, queues, skills(&levels)), shifts: shifts.collect() }
    });
    let priority = |n: usize| if n.is_multiple_of(5) { 5 } else { 0 };
    let with = |n: usize| {
        let wrap_up = Millis::from_secs(15);
        let queue = Queue { priority_minutes: priority(n), wrap_up, ..Queue::plain(rules(n)) };
        (name(n), queue)
    };
    Centre {
        staff: staff.collect(),
        queues: (0..QUEUES).map(with).collect(),
        unskilled_percent: 150,
        hands_on_after: Some(Millis::from_secs(120)),
        pace: Pace::new(&[100, 105, 115]),
    }
}

/// So many days with two peaks each, by thinning.
fn days(rng: &mut Draw, days: u64) -> Vec<Arrival> {
    let peak = 0.4;
    let end = Timestamp::ZERO + Millis::from_mins(days * 24 * 60);
    let mut now = Timestamp::ZERO;
    let mut all = Vec::new();
    loop {
        now = now + rng.after(1.0 / peak);
        if now >= end {
            return all;
        }
        let hour = now.as_millis() as f64 / 3_600_000.0 % 24.0;
        let bump = |at: f64, width: f64| (-((hour - at) / width).powi(2)).exp();
        let share = 0.35 + 0.65 * (bump(10.5, 2.0) + 0.8 * bump(15.0, 2.5)).min(1.0);
        if rng.unit() < share {
            let queue = queue(&format!("queue-{}", rng.below(QUEUES)));
            let (handling, patience) = (rng.after(480.0), Some(rng.after(300.0)));
            all.push(Arrival { at: now, queue, handling, patience, then: vec![] });
        }
    }
}

struct Report {
    p50: Millis,
    p95: Millis,
    in_time: f64,
    gave_up: f64,
    skilled: f64,
    handed_on: f64,
}

fn report(name: &str, ran: &Ran) -> Report {
    let all = ran.fates.len() as f64;
    let served: Vec<Served> = ran.fates.iter().filter_map(Fate::served).collect();
    let mut waits: Vec<Millis> = served.iter().map(|s| s.wait).collect();
    waits.sort();
    let count = |holds: &dyn Fn(&&Served) -> bool| served.iter().filter(holds).count() as f64;
    let report = Report {
        p50: waits[waits.len() / 2],
        p95: waits[waits.len() * 95 / 100],
        in_time: count(&|s| s.wait <= Millis::from_secs(30)) / all,
        gave_up: 1.0 - served.len() as f64 / all,
        skilled: count(&|s| s.skilled) / served.len() as f64,
        handed_on: ran.handed_on as f64 / served.len() as f64,
    };
    println!(
        "{name}: {all} came; wait p50 {} s, p95 {} s; {:.1} % within 30 s, {:.1} % gave up, \
         {:.1} % came to the skilled, {:.1} % were handed on",
        report.p50.get() / 1_000,
        report.p95.get() / 1_000,
        report.in_time * 100.0,
        report.gave_up * 100.0,
        report.skilled * 100.0,
        report.handed_on * 100.0,
    );
    report
}

/// A week with `MODEL_DAYS=7`.
#[test]
fn a_day_is_served_sooner_and_better_than_in_turns() {
    let count = std::env::var("MODEL_DAYS").ok().and_then(|days| days.parse().ok()).unwrap_or(1);
    let mut rng = Draw::new(2_026);
    let centre = centre(&mut rng);
    let arrivals = days(&mut rng, count);
    let ours = report("ours", &centre.run(&arrivals, &mut Ours));
    let turns = report("in turns", &centre.run(&arrivals, &mut InTurns::default()));
    assert!(ours.in_time > turns.in_time && ours.gave_up < turns.gave_up);
    assert!(ours.p95 <= turns.p95 && ours.p50 <= turns.p50);
    assert!(ours.skilled > turns.skilled && ours.handed_on < turns.handed_on);
}

/// Whoever serves one alone takes a minute; two at once take each half as long again.
#[test]
fn two_at_once_take_longer_each() {
    let alone = Staff { profile: profile(2, vec![], Skills::default()), shifts: vec![ALWAYS] };
    let centre = Centre { staff: vec![alone], pace: Pace::new(&[100, 150]), ..telephones(0) };
    let second = |secs: u64| Timestamp::ZERO + Millis::from_secs(secs);
    let one = |secs: u64| Arrival {
        at: second(secs),
        queue: queue("one"),
        handling: Millis::from_secs(60),
        patience: None,
        then: vec![],
    };
    // 30 s alone, 45 s for the other half of the first; then 30 s of the second are done,
    // and 30 s are left for one who is alone again.
    let ran = centre.run(&[one(0), one(30)], &mut Ours);
    assert_eq!(ran.taken, [(75 + 75) * 1_000]);
}

#[test]
fn one_is_handed_on_with_its_clock_and_who_is_sent_away_is_not_served() {
    let second = |secs: u64| Timestamp::ZERO + Millis::from_secs(secs);
    let full = Queue {
        limits: Limits { max_waiting: Some(1), ..Limits::default() },
        ..Queue::plain(Rules::default())
    };
    let mut centre = telephones(1);
    centre.queues.insert(queue("two"), full);
    let one = |secs: u64, name: &str, then: Vec<Leg>| Arrival {
        at: second(secs),
        queue: queue(name),
        handling: Millis::from_secs(60),
        patience: None,
        then,
    };
    let next = Leg { queue: queue("two"), handling: Millis::from_secs(10) };
    let came = [one(0, "one", vec![next]), one(1, "two", vec![]), one(2, "two", vec![])];
    let ran = centre.run(&came, &mut Ours);
    // The first, handed on at 60 s, came before the second: it goes before it.
    let waits = ran.fates.iter().map(|f| f.served().map(|s| s.wait.get() / 1_000));
    assert_eq!(waits.collect::<Vec<_>>(), [Some(0), Some(69), None]);
    let why = crate::conversation::Unserved::QueueFull;
    assert_eq!(ran.fates[2], Fate::TurnedAway { why, after: Millis::ZERO });
    assert_eq!((ran.handed_on, &*ran.again), (1, &[(queue("two"), Millis::ZERO)][..]));
    let lines = lines(came.iter().map(|a| &a.queue), &ran, |_| Some(Millis::from_secs(30)));
    let two = &lines[&queue("two")];
    assert_eq!((two.arrivals, two.served, two.turned_away, two.taken), (2, 1, 1, 70_000));
    assert_eq!((two.wait(50), two.service_level()), (Some(Millis::from_secs(69)), Some(0.0)));
}
