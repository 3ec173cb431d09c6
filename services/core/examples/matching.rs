//! How fast rounds of matching are: 10,000 conversations that wait in 20 queues, and
//! 2,000 agents with skills. Three cases: few agents fall free at a time, all sign in at
//! once, and those who are free can take nothing of what waits.
//!
//! `cargo run --profile dist -p frontdesk-core --example matching`

use frontdesk_core::conversation::Reachable;
use frontdesk_core::ids::{AgentId, ConversationId, QueueId, Seq};
use frontdesk_core::language::Language;
use frontdesk_core::matching::{Decision, LanguageRule, Policy, Request, Rules, Seat, decide_some};
use frontdesk_core::presence::{AgentProfile, AgentStatus, AgentView};
use frontdesk_core::queue::Entry;
use frontdesk_core::skill::{Level, Needs, Skills, Step};
use frontdesk_core::time::{Millis, Timestamp};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

const QUEUES: usize = 20;
const WAITING: usize = 10_000;
const AGENTS: usize = 2_000;
const CAPACITY: u32 = 4;
/// Slots that fall free between two rounds.
const FREED: usize = 32;
/// Assignments of one round, as routing has it.
const MOST: usize = 256;
/// Each case is measured for so long.
const COUNTED: Duration = Duration::from_secs(5);
const NOW: Timestamp = Timestamp::from_millis(100_000_000);

fn main() {
    println!("{WAITING} waiting in {QUEUES} queues, {AGENTS} agents");
    Case::few_fall_free().measure("few fall free");
    Case::all_sign_in().measure("all sign in");
    Case::nobody_fits().measure("nobody fits");
}

struct Case {
    requests: Vec<Request>,
    seats: Vec<Seat>,
    next: usize,
    /// Slots that are freed before each round.
    freed: usize,
}

impl Case {
    fn new(load: u32, freed: usize) -> Self {
        let requests = (0..WAITING).map(request).collect();
        let seats = (0..AGENTS).map(|n| seat(n, load)).collect();
        Self { requests, seats, next: WAITING, freed }
    }

    fn few_fall_free() -> Self {
        Self::new(CAPACITY, FREED)
    }

    fn all_sign_in() -> Self {
        Self::new(0, 0)
    }

    /// A tenth is free, and serves a queue in which nobody waits.
    fn nobody_fits() -> Self {
        let mut case = Self::new(CAPACITY, 0);
        for seat in case.seats.iter_mut().step_by(10) {
            let agent = Arc::make_mut(&mut seat.agent);
            agent.load = 0;
            agent.profile.queues = vec![queue(QUEUES)];
        }
        case
    }

    fn measure(mut self, what: &str) {
        let (mut rounds, mut assigned) = (Vec::new(), 0);
        let begun = Instant::now();
        while begun.elapsed() < COUNTED {
            self.free();
            let round = Instant::now();
            let decision = decide_some(&self.requests, &self.seats, NOW, MOST);
            rounds.push(round.elapsed());
            assigned += decision.assignments.len();
            if self.carry_out(&decision) == 0 && assigned > 0 && self.freed == 0 {
                // Everybody has signed in: once more.
                self = Self::all_sign_in();
            }
        }
        rounds.sort_unstable();
        let busy: Duration = rounds.iter().sum();
        let at = |share: f64| rounds[(rounds.len() as f64 * share) as usize].as_secs_f64() * 1e3;
        println!(
            "{what:>14}: {:>9.0} assignments/s of matching, {:>6} rounds, p50 {:.2} ms, p99 {:.2} ms",
            assigned as f64 / busy.as_secs_f64(),
            rounds.len(),
            at(0.5),
            at(0.99),
        );
    }

    fn free(&mut self) {
        for n in 0..self.freed {
            let place = (self.next.wrapping_mul(31) + n * 61) % AGENTS;
            let agent = Arc::make_mut(&mut self.seats[place].agent);
            agent.load = agent.load.saturating_sub(1);
        }
    }

    /// Who is assigned waits no longer; as many come anew while agents fall free.
    fn carry_out(&mut self, decision: &Decision) -> usize {
        for given in &decision.assignments {
            let n = given.agent.as_uuid().as_u128() as usize - 1;
            Arc::make_mut(&mut self.seats[n].agent).load += given.weight;
        }
        let gone: std::collections::HashSet<_> =
            decision.assignments.iter().map(|given| given.conversation).collect();
        self.requests.retain(|request| !gone.contains(&request.entry.conversation));
        for _ in gone.iter().filter(|_| self.freed > 0) {
            self.requests.push(request(self.next));
            self.next += 1;
        }
        gone.len()
    }
}

fn queue(n: usize) -> QueueId {
    format!("queue-{n}").parse().expect("a slug")
}

fn skills(all: &[(usize, u8)]) -> Skills {
    let one = |(n, level): &(usize, u8)| {
        let level = Level::try_from(*level).expect("a level");
        (format!("skill-{n}").parse().expect("a slug"), level)
    };
    all.iter().map(one).collect()
}

/// Every second queue asks for a skill, less of it after 30 s, none after 5 minutes.
fn rules(n: usize) -> Arc<Rules> {
    let step = |secs, skills| Step { after: Millis::from_secs(secs), skills };
    let steps = vec![
        step(0, skills(&[(n % 10, 4)])),
        step(30, skills(&[(n % 10, 2)])),
        step(300, Skills::default()),
    ];
    let needs =
        if n.is_multiple_of(2) { Needs::new(steps).expect("they relax") } else { Needs::default() };
    let policies = [Policy::LeastLoaded, Policy::LongestIdle, Policy::BestProficiency];
    let language = n.is_multiple_of(4).then_some(LanguageRule { relax_after: None });
    Arc::new(Rules { needs, policy: policies[n % 3], language, ..Rules::default() })
}

fn request(n: usize) -> Request {
    thread_local! {
        static QUEUE_RULES: Vec<(QueueId, Arc<Rules>)> =
            (0..QUEUES).map(|n| (queue(n), rules(n))).collect();
    }
    let (queue, rules) = QUEUE_RULES.with(|all| all[n % QUEUES].clone());
    let waited = Millis::new(((WAITING * 2).saturating_sub(n) as u64 % 10_000) * 60);
    Request {
        queue,
        entry: Entry {
            conversation: ConversationId::from_uuid(Uuid::from_u128(n as u128 + 1)),
            version: Seq::new(3),
            waiting_since: Timestamp::from_millis(NOW.as_millis() - waited.get()),
            arrival: None,
            reachable: Reachable::Unknown,
            priority_minutes: n.is_multiple_of(7).into(),
            extra_minutes: 0,
            weight: 1,
            excluded: if n.is_multiple_of(9) { vec![agent(n % AGENTS)] } else { vec![] },
            target: None,
            previous: n.is_multiple_of(5).then(|| agent(n * 7 % AGENTS)),
            asked_skills: Skills::default(),
            language: Language::of_tag(if n.is_multiple_of(3) { "de" } else { "en" }),
        },
        ask_again_at: None,
        rules,
    }
}

fn agent(n: usize) -> AgentId {
    AgentId::from_uuid(Uuid::from_u128(n as u128 + 1))
}

/// Serves four queues, and is good at three things.
fn seat(n: usize, load: u32) -> Seat {
    let view = AgentView {
        site: "shop".parse().expect("a slug"),
        id: agent(n),
        profile: AgentProfile {
            name: "".into(),
            capacity: CAPACITY,
            queues: (0..4).map(|k| queue((n + k * 3) % QUEUES)).collect(),
            languages: Language::of_tag(if n.is_multiple_of(4) { "de" } else { "en" })
                .into_iter()
                .collect(),
            skills: skills(&[
                (n % 10, 1 + (n % 5) as u8),
                ((n + 3) % 10, 1 + (n / 5 % 5) as u8),
                ((n + 7) % 10, 3),
            ]),
            ..AgentProfile::default()
        },
        status: AgentStatus::Online,
        reason: "".into(),
        since: Timestamp::ZERO,
        load,
        reservations: vec![],
        assigned_at: Timestamp::from_millis(n as u64 * 53 % 1_000_000),
        missed: 0,
        idle_since: Timestamp::from_millis(n as u64 * 37 % 1_000_000),
        gateways: vec![("gw-1".parse().expect("a slug"), 1)],
        revision: 1,
    };
    Seat::new(Arc::new(view))
}
