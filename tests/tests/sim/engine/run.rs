//! Runs a plan, step by step, on the simulated network.

use super::broker::SimBroker;
use super::desk::SimDesk;
use super::entropy;
use super::hosts::{self, Engines};
use super::journal::SimJournal;
use super::ledger::Ledger;
use super::people;
use super::plan::{
    END_MS, Fault, GATEWAYS, HEALED_MS, KEEPERS, OWNERS, Plan, ROUTERS, VOTERS, processes,
};
use frontdesk_cluster::MemoryDisk;
use frontdesk_core::presence::Hold;
use frontdesk_core::time::{Millis, Timestamp};
use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use std::collections::BTreeMap;
use std::hash::{Hash as _, Hasher as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use turmoil::Sim;

/// How far time goes in one step.
const TICK_MS: u64 = 5;
/// A segment's way takes up to this.
const WAY: Duration = Duration::from_millis(6);

/// What is left of a simulation.
pub(crate) struct Outcome {
    pub(crate) plan: Plan,
    pub(crate) ledger: Ledger,
    pub(crate) journal: SimJournal,
}

/// How often the voters' states are looked into.
const LOOK_MS: u64 = 500;
/// The longest that room may be held for an offer, which has 5 s.
const LONGEST_HOLD: Millis = Millis::from_secs(60);

/// Begins a summary.
pub(crate) const SUMMARY: &str = "run:";

impl Outcome {
    /// Counts, and a digest of everything that everybody saw and when.
    pub(crate) fn summary(&self) -> String {
        let entries = self.ledger.entries();
        let heard: usize = entries.heard.values().map(Vec::len).sum();
        let mut digest = std::hash::DefaultHasher::new();
        format!("{entries:?} {:?}", self.journal.store().history).hash(&mut digest);
        format!(
            "{SUMMARY} {} conversations, {} messages, {heard} heard, digest {:016x}",
            entries.begun.len(),
            entries.said.len(),
            digest.finish()
        )
    }
}

/// Runs a plan to its end. The thread must be a fresh one.
pub(crate) fn simulate(plan: Plan) -> Outcome {
    entropy::take_over(plan.seed);
    let mut world = World::new(&plan);
    let mut over = Vec::new();
    for ms in (0..END_MS).step_by(TICK_MS as usize) {
        entropy::set_elapsed(ms);
        if ms == HEALED_MS {
            world.heal();
        }
        for (n, trouble) in plan.troubles.iter().enumerate() {
            if (ms..ms + TICK_MS).contains(&trouble.from_ms) {
                over.push((n, world.begin(&trouble.fault)));
            }
        }
        let ended = |(n, _): &(usize, Fault)| plan.troubles[*n].until_ms <= ms;
        for (_, fault) in over.extract_if(.., |trouble| ended(trouble)) {
            world.end(&fault);
        }
        if let Err(error) = world.sim.step() {
            world.ledger.wrong(format!("a process has ended at {ms} ms: {error}"));
            break;
        }
        world.engines.journal.tick();
        world.engines.broker.tick();
        if ms % LOOK_MS == 0 {
            world.look_into_presence();
        }
    }
    Outcome { plan, ledger: world.ledger.clone(), journal: world.engines.journal.clone() }
}

struct World {
    sim: Sim<'static>,
    engines: Engines,
    ledger: Ledger,
    stops: BTreeMap<&'static str, watch::Sender<bool>>,
}

impl World {
    fn new(plan: &Plan) -> Self {
        let mut builder = turmoil::Builder::new();
        builder
            .rng_seed(plan.seed)
            .tick_duration(Duration::from_millis(TICK_MS))
            .simulation_duration(Duration::from_millis(2 * END_MS))
            .max_message_latency(WAY)
            .tcp_capacity(65_536)
            .enable_random_order();
        let mut sim = builder.build();
        let rng = |n| SmallRng::seed_from_u64(plan.seed.wrapping_mul(4).wrapping_add(n));
        let disk = |_| MemoryDisk::new().expect("memory can be had");
        let engines = Engines {
            journal: SimJournal::new(plan.bug, rng(1)),
            broker: SimBroker::new(rng(2)),
            desk: Arc::new(SimDesk::new(plan.agents, plan.capacity)),
            disks: VOTERS.iter().map(disk).collect(),
            groups: Arc::new(Mutex::new(vec![None; VOTERS.len()])),
            leader: Arc::new(AtomicUsize::new(0)),
            bug: plan.bug,
        };
        let stops = processes().map(|name| (name, watch::Sender::new(false))).collect();
        let ledger = Ledger::default();
        start_processes(&mut sim, &engines, &stops);
        start_people(&mut sim, plan, &ledger);
        Self { sim, engines, ledger, stops }
    }

    /// No agent holds more than it may, and no room is held for an offer for ever.
    fn look_into_presence(&self) {
        let now = Timestamp::from_millis(entropy::now());
        let groups = self.engines.groups.lock().unwrap_or_else(PoisonError::into_inner);
        for group in groups.iter().flatten() {
            let wrong = group.view(|state| {
                state.agents().find_map(|agent| {
                    let is_for_ever = |hold: &Hold| {
                        matches!(hold, Hold::Reserved(until) if *until > now + LONGEST_HOLD)
                    };
                    if agent.load > agent.profile.capacity {
                        Some(format!("P6: {} holds {}", agent.profile.name, agent.load))
                    } else if agent.reservations.iter().any(|r| is_for_ever(&r.hold)) {
                        Some(format!("P6: {} holds room for ever", agent.profile.name))
                    } else {
                        None
                    }
                })
            });
            if let Some(wrong) = wrong {
                self.ledger.wrong(wrong);
            }
        }
    }

    /// Begins a fault; gives it with what it stands for.
    fn begin(&mut self, fault: &Fault) -> Fault {
        let fault = match fault {
            Fault::CrashLeader => Fault::Crash(VOTERS[self.engines.leader.load(Ordering::Relaxed)]),
            other => other.clone(),
        };
        match &fault {
            Fault::CrashLeader => {}
            Fault::Crash(name) => self.crash(name),
            Fault::Freeze(name) => {
                self.isolate(name, true);
                self.engines.journal.store().freeze(name, true);
            }
            Fault::Isolate(name) => self.isolate(name, true),
            Fault::Split(some, others) => self.split(some, others, true),
            Fault::Stop(name) => drop(self.stops[name].send_replace(true)),
            Fault::BrokerDown => self.engines.broker.set_down(true),
            Fault::BrokerLossy => self.engines.broker.set_loss(333),
            Fault::JournalDown => self.engines.journal.store().down = true,
            Fault::Stall(who) => GATEWAYS.iter().for_each(|g| self.sim.hold(*who, *g)),
        }
        fault
    }

    fn end(&mut self, fault: &Fault) {
        match fault {
            Fault::CrashLeader => {}
            Fault::Crash(name) => self.start(name),
            Fault::Freeze(name) => {
                self.isolate(name, false);
                self.engines.journal.store().freeze(name, false);
            }
            Fault::Isolate(name) => self.isolate(name, false),
            Fault::Split(some, others) => self.split(some, others, false),
            Fault::Stop(name) => {
                // As orchestrators do with what has not stopped in time.
                self.crash(name);
                self.start(name);
            }
            Fault::BrokerDown => self.engines.broker.set_down(false),
            Fault::BrokerLossy => self.engines.broker.set_loss(0),
            Fault::JournalDown => self.engines.journal.store().down = false,
            Fault::Stall(who) => GATEWAYS.iter().for_each(|g| self.sim.release(*who, *g)),
        }
    }

    fn heal(&mut self) {
        let all: Vec<&str> = processes().collect();
        for (n, one) in all.iter().enumerate() {
            for other in &all[n + 1..] {
                self.sim.repair(*one, *other);
            }
            self.engines.journal.store().freeze(one, false);
            self.start(one);
        }
        self.engines.broker.set_loss(0);
        self.engines.journal.store().down = false;
    }

    fn crash(&mut self, name: &str) {
        if self.sim.is_host_running(name) {
            self.sim.crash(name);
            self.engines.journal.forget(name);
        }
    }

    fn start(&mut self, name: &str) {
        self.stops[name].send_replace(false);
        if !self.sim.is_host_running(name) {
            self.sim.bounce(name);
        }
    }

    fn isolate(&mut self, name: &str, cut: bool) {
        let others: Vec<&str> = processes().filter(|other| *other != name).collect();
        self.split(&[name], &others, cut);
    }

    fn split(&mut self, some: &[&str], others: &[&str], cut: bool) {
        for one in some {
            for other in others {
                if cut {
                    self.sim.partition(*one, *other);
                } else {
                    self.sim.repair(*one, *other);
                }
            }
        }
    }
}

type Stops = BTreeMap<&'static str, watch::Sender<bool>>;

fn start_processes(sim: &mut Sim<'static>, engines: &Engines, stops: &Stops) {
    for (n, name) in VOTERS.into_iter().enumerate() {
        let engines = engines.clone();
        sim.host(name, move || hosts::voter(engines.clone(), n));
    }
    for name in OWNERS {
        let (engines, stop) = (engines.clone(), stops[name].clone());
        sim.host(name, move || hosts::owner(engines.clone(), name, stop.subscribe()));
    }
    for name in KEEPERS {
        let (engines, stop) = (engines.clone(), stops[name].clone());
        sim.host(name, move || hosts::keeper(engines.clone(), name, stop.subscribe()));
    }
    for name in ROUTERS {
        let (engines, stop) = (engines.clone(), stops[name].clone());
        sim.host(name, move || hosts::router(engines.clone(), name, stop.subscribe()));
    }
    for name in GATEWAYS {
        let (engines, stop) = (engines.clone(), stops[name].clone());
        sim.host(name, move || hosts::gateway(engines.clone(), name, stop.subscribe()));
    }
}

fn start_people(sim: &mut Sim<'static>, plan: &Plan, ledger: &Ledger) {
    for n in 0..plan.visitors {
        sim.client(format!("visitor{n}"), people::visitor(plan.clone(), ledger.clone(), n));
    }
    for n in 0..plan.agents {
        sim.client(format!("agent{n}"), people::agent(ledger.clone(), n));
    }
}
