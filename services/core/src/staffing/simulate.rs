//! The same question asked of the simulator: it knows what formulas do not, such as how
//! much longer a chat takes an agent who has several.

use super::erlang::{Load, Outcome};
use super::plan::{Goal, Plan};
use crate::ids::QueueId;
use crate::matching::Rules;
use crate::model::{Arrival, Centre, Draw, Fate, Ours, Pace, Queue, Staff};
use crate::presence::AgentProfile;
use crate::time::{Millis, Timestamp};
use std::collections::HashMap;

/// Those who come in one run; the share in time is then known to a per cent or two.
const ARRIVALS: usize = 10_000;
/// Those who come before the centre is as busy as usual.
const FIRST: usize = ARRIVALS / 20;
/// More agents than this are not simulated: it would take minutes.
const MOST_AGENTS: u32 = 500;
/// Numbers of agents that are tried.
const MOST_RUNS: u32 = 40;

impl Goal {
    /// The fewest agents that reach it in a run; `load.handling` is what a chat takes an
    /// agent who has no other, `pace` how much longer it takes with others. Looks from
    /// `near` on. `None` when none does that may be tried.
    pub fn simulate(&self, load: &Load, pace: &Pace, near: u32) -> Option<Plan> {
        let arrivals = drawn(load);
        let reached = |agents: u32| {
            let slots = f64::from(agents.saturating_mul(self.at_once));
            let slowest = load.handling / pace.speed(self.at_once as usize);
            // Then the line would grow for as long as it is looked at.
            let is_hopeless = load.patience.is_none() && load.arrivals * slowest >= slots;
            let may_run = (1..=MOST_AGENTS).contains(&agents) && !is_hopeless;
            let outcome = may_run.then(|| outcome(&arrivals, agents, self, pace))?;
            let is_reached =
                outcome.in_time >= self.service_level && outcome.occupancy <= self.max_occupancy;
            is_reached.then_some(Plan { agents, positions: self.positions(agents), outcome })
        };
        if near > MOST_AGENTS {
            return None;
        }
        let near = near.max(1);
        match reached(near) {
            Some(plan) => {
                let fewer = (near.saturating_sub(MOST_RUNS)..near).rev().map_while(&reached);
                Some(fewer.last().unwrap_or(plan))
            }
            None => (near + 1..=MOST_AGENTS.min(near + MOST_RUNS)).find_map(&reached),
        }
    }
}

fn one() -> QueueId {
    "one".parse().expect("a slug")
}

fn drawn(load: &Load) -> Vec<Arrival> {
    let mut draw = Draw::new(1);
    let mut at = Timestamp::ZERO;
    let mut next = || {
        at = at + draw.after(1.0 / load.arrivals);
        let handling = draw.after(load.handling);
        let patience = load.patience.map(|mean| draw.after(mean));
        Arrival { at, queue: one(), handling, patience, then: Vec::new() }
    };
    (0..ARRIVALS).map(|_| next()).collect()
}

fn outcome(arrivals: &[Arrival], agents: u32, goal: &Goal, pace: &Pace) -> Outcome {
    let profile = AgentProfile { capacity: goal.at_once, ..AgentProfile::default() };
    let always = vec![(Timestamp::ZERO, Timestamp::from_millis(u64::MAX))];
    let centre = Centre {
        queues: HashMap::from([(one(), Queue::plain(Rules::default()))]),
        staff: vec![Staff { profile, shifts: always }; agents as usize],
        unskilled_percent: 100,
        hands_on_after: None,
        pace: pace.clone(),
    };
    let ran = centre.run(arrivals, &mut Ours);
    let counted = &ran.fates[FIRST..];
    let share = |holds: &dyn Fn(&Fate) -> bool| {
        counted.iter().filter(|fate| holds(fate)).count() as f64 / counted.len() as f64
    };
    let waited = |fate: &Fate| match fate {
        Fate::Served(served) => served.wait,
        Fate::GaveUp { after } => *after,
        Fate::Waits | Fate::TurnedAway { .. } => Millis::ZERO,
    };
    let within = Millis::new((goal.within * 1_000.0) as u64);
    let seconds = |millis: u64| millis as f64 / 1_000.0;
    let sum: u64 = counted.iter().map(|fate| waited(fate).get()).sum();
    let length = arrivals.last().map_or(0, |last| last.at.as_millis());
    let slots = f64::from(agents) * f64::from(goal.at_once);
    Outcome {
        waits: share(&|fate| waited(fate) > Millis::ZERO),
        in_time: share(&|fate| fate.served().is_some_and(|served| served.wait <= within)),
        abandons: share(&|fate| matches!(fate, Fate::GaveUp { .. })),
        wait: seconds(sum) / counted.len() as f64,
        occupancy: (seconds(ran.taken.iter().sum()) / seconds(length) / slots).min(1.0),
    }
}
