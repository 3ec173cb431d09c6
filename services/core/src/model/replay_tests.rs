//! A recorded day through the rules it was recorded under, and through others.

use super::*;
use crate::figures::{Acts, Count, Episode, Record, Rule, Span, Table};
use crate::figures::{End, Opening, Stint};
use crate::ids::{AgentId, ConversationId, QueueId};
use crate::matching::Rules;
use crate::presence::AgentProfile;
use crate::time::{Millis, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

fn queue() -> QueueId {
    "one".parse().unwrap()
}

fn agent(n: usize) -> AgentId {
    AgentId::from_uuid(Uuid::from_u128(n as u128 + 1))
}

fn centre(shifts: Vec<Vec<(Timestamp, Timestamp)>>) -> Centre {
    let profile = AgentProfile { capacity: 1, ..AgentProfile::default() };
    let staff = shifts.into_iter().map(|shifts| Staff { profile: profile.clone(), shifts });
    Centre {
        queues: HashMap::from([(queue(), Queue::plain(Rules::default()))]),
        staff: staff.collect(),
        unskilled_percent: 100,
        hands_on_after: None,
        pace: Pace::default(),
    }
}

/// Eight busy hours with impatient visitors, as the journal would have them.
fn day(agents: usize) -> Vec<Record> {
    let mut draw = Draw::new(5);
    let end = Timestamp::ZERO + Millis::from_mins(8 * 60);
    let mut now = Timestamp::ZERO;
    let mut arrivals = Vec::new();
    while now < end {
        now = now + draw.after(20.0);
        let (handling, patience) = (draw.after(240.0), Some(draw.after(180.0)));
        arrivals.push(Arrival { at: now, queue: queue(), handling, patience, then: vec![] });
    }
    let always = vec![(Timestamp::ZERO, Timestamp::from_millis(u64::MAX))];
    let ran = centre(vec![always; agents]).run(&arrivals, &mut Ours);
    arrivals.iter().zip(&ran.fates).enumerate().map(|(n, (a, fate))| record(n, a, fate)).collect()
}

fn record(n: usize, arrival: &Arrival, fate: &Fate) -> Record {
    let (mut stints, mut served) = (Vec::new(), None);
    let ended = match fate {
        Fate::Served(Served { wait, agent: by, .. }) => {
            let (from, name) = (arrival.at + *wait, Arc::from(""));
            let to = from + arrival.handling.max(Millis::new(1));
            served = Some((from, agent(*by)));
            stints.push(Stint { agent: agent(*by), name, queue: queue(), from, to: Some(to) });
            Some((to, End::Staff))
        }
        Fate::GaveUp { after } => Some((arrival.at + *after, End::Visitor)),
        Fate::TurnedAway { .. } | Fate::Waits => None,
    };
    let episode = Episode {
        began_at: arrival.at,
        queue: queue(),
        served,
        first_response: None,
        ended,
        stints,
        rewaits: vec![],
        answers: vec![],
        offers: vec![],
        transfers: vec![],
        losses: vec![],
        visitor_messages: 0,
        staff_messages: vec![],
        rating: None,
        requeues: vec![],
        releases: vec![],
        follow_ups: vec![],
    };
    Record {
        conversation: ConversationId::from_uuid(Uuid::from_u128(n as u128 + 1)),
        language: Arc::from(""),
        tags: vec![],
        episodes: vec![episode],
        channel: Arc::from(""),
        opening: Opening::default(),
    }
}

const TARGET: Millis = Millis::from_secs(30);

fn replayed(records: &[Record], more: usize) -> (Line, Line) {
    let mut acts = Acts::default();
    let episodes = || records.iter().flat_map(|r| r.episodes.iter().map(|e| (r.conversation, e)));
    episodes().for_each(|(_, episode)| acts.add(episode));
    let (staff, mut shifts): (Vec<_>, Vec<_>) = acts.shifts().into_iter().unzip();
    shifts.extend(vec![shifts[0].clone(); more]);
    let one = queue();
    let came: Vec<Came<'_>> = episodes()
        .map(|(conversation, episode)| Came { conversation, episode, queue: &one })
        .collect();
    let until = Timestamp::ZERO + Millis::from_mins(24 * 60);
    let recorded = recorded(&came, until, &staff, Clone::clone, |_| 1);
    let ran = centre(shifts).run(&recorded.arrivals, &mut Ours);
    let of = |ran: &Ran| lines(&recorded.came_to, ran, |_| Some(TARGET)).remove(&one).unwrap();
    (of(&recorded.real), of(&ran))
}

/// As figures count it.
struct Counted;

impl Rule for Counted {
    fn elapsed(&self, _: &QueueId, from: Timestamp, to: Timestamp) -> Millis {
        to.since(from)
    }
    fn target(&self, _: &QueueId) -> Option<Millis> {
        Some(TARGET)
    }
}

#[test]
fn the_same_rules_come_to_about_the_same() {
    let (real, again) = replayed(&day(12), 0);
    assert!(real.arrivals > 1_000 && real.gave_up > 50, "{real:?}");
    assert_eq!(real.arrivals, again.arrivals);
    let share = |line: &Line| line.gave_up as f64 / line.arrivals as f64;
    let (gave_up, service) = (share(&real) - share(&again), real.service_level().unwrap());
    let service = service - again.service_level().unwrap();
    println!("gave up {gave_up:+.4}, service level {service:+.4}");
    // Who is free first takes it in both, so all but the first minutes of a shift agree.
    assert!(gave_up.abs() < 0.02 && service.abs() < 0.04, "{gave_up} {service}");
}

#[test]
fn more_agents_serve_sooner() {
    let (real, more) = replayed(&day(12), 3);
    assert!(more.gave_up < real.gave_up && more.wait(95) < real.wait(95));
    assert!(more.service_level() > real.service_level());
}

#[test]
fn the_real_line_is_what_figures_say() {
    let records = day(12);
    let (real, _) = replayed(&records, 0);
    let forever = Timestamp::from_millis(u64::MAX / 2);
    let mut table = Table::new(Timestamp::ZERO, forever, vec![], "UTC").unwrap();
    records.iter().for_each(|record| table.add(record, &Counted));
    let row = table.rows().next().unwrap().1;
    let counts =
        [Count::Arrivals, Count::Served, Count::Abandoned, Count::InTarget, Count::OfTarget];
    let counts = counts.map(|count| row.count(count));
    let line = [real.arrivals, real.served, real.gave_up, real.in_target, real.of_target];
    assert_eq!(line, counts);
    let waits = row.durations(Span::Wait);
    assert_eq!((real.wait(50), real.wait(95)), (Some(waits.p50), Some(waits.p95)));
}
