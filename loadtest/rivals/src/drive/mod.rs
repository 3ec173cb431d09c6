//! The one driver of all systems: pairs that talk as fast as they are acknowledged
//! and answered (a closed model: it saturates, its latencies mean nothing), the
//! cost of the counted seconds, and the account of every message at the end.

mod lane;
mod party;

pub use lane::Faults;

use self::lane::Lane;
use self::party::Party;
use crate::adapters::{Adapter, LinkError};
use frontdesk_loadtest::cost::{self, Machine, Shares};
use frontdesk_loadtest::payload::Side;
use serde::Serialize;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

/// The longest all pairs may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// How long a message that came too often may take.
const LISTEN_ON: Duration = Duration::from_millis(300);
/// Between ready and the first message: subscriptions on other nodes settle.
const SETTLE: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The load, the same for every system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Load {
    /// Pairs of a visitor and an agent.
    pub pairs: u32,
    /// Agents, each on one connection, who share the pairs.
    pub agents: usize,
    /// Messages of each side of a pair that are on their way or unacknowledged.
    pub window: u32,
    /// Length of a text.
    pub bytes: usize,
    /// Not counted at the beginning.
    pub warm_up: Duration,
    /// Counted.
    pub counted: Duration,
    /// The longest the last messages may take after it.
    pub arrive_within: Duration,
}

impl Load {
    /// The agent of a pair.
    fn agent_of(&self, pair: u32) -> usize {
        pair as usize % self.agents
    }

    /// Ends of all pairs.
    fn lanes(&self) -> u64 {
        u64::from(self.pairs) * 2
    }
}

/// What the counted seconds came to.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Seconds that were counted.
    pub seconds: f64,
    /// Messages received by the other side in them.
    pub delivered: u64,
    /// CPU seconds of each part of the server in them.
    pub server_cpu_seconds: Vec<f64>,
    /// CPU seconds of this process in them.
    pub generator_cpu_seconds: f64,
    /// The machine in them.
    pub machine: Shares,
    /// Over the whole run.
    pub faults: Faults,
}

/// Why a run could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// A connection failed.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A task died.
    #[error("a task died: {0}")]
    Task(#[from] JoinError),
    /// A measurement failed.
    #[error("measuring: {0}")]
    Measure(#[from] io::Error),
    /// Pairs did not come together.
    #[error("{ready} of {wanted} ends of pairs were ready within {READY_WITHIN:?}")]
    NotReady {
        /// Ends that were.
        ready: u64,
        /// Ends of all pairs.
        wanted: u64,
    },
}

/// What all parties are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Opening,
    Talking,
    /// Nothing new is said; what is on its way arrives.
    Ending,
    Over,
}

/// What all parties count together.
#[derive(Debug, Default)]
struct Counters {
    ready: AtomicU64,
    sent: AtomicU64,
    acknowledged: AtomicU64,
    received: AtomicU64,
}

type Parties = JoinSet<Result<Vec<Lane>, LinkError>>;

/// Drives a system whose parts run as these processes.
pub async fn run<A: Adapter>(
    adapter: &A,
    load: &Load,
    server: &[u32],
) -> Result<Outcome, DriveError> {
    let counters = Arc::new(Counters::default());
    let (phase, told) = watch::channel(Phase::Opening);
    // Dropped, and with it every party, when this future is.
    let mut parties = JoinSet::new();
    open(adapter, load, &counters, &told, &mut parties).await?;
    all_ready(load, &counters, &mut parties).await?;
    tokio::time::sleep(SETTLE).await;

    phase.send_replace(Phase::Talking);
    alive_for(load.warm_up, &mut parties).await?;
    let before = Reading::take(server, &counters)?;
    alive_for(load.counted, &mut parties).await?;
    let after = Reading::take(server, &counters)?;
    phase.send_replace(Phase::Ending);
    arrived(load.arrive_within, &counters).await;
    phase.send_replace(Phase::Over);

    let mut lanes = Vec::new();
    while let Some(joined) = parties.join_next().await {
        lanes.extend(joined??);
    }
    Ok(after.since(&before, account(&lanes)))
}

async fn open<A: Adapter>(
    adapter: &A,
    load: &Load,
    counters: &Arc<Counters>,
    told: &watch::Receiver<Phase>,
    parties: &mut Parties,
) -> Result<(), DriveError> {
    let speech = (load.window, load.bytes);
    for agent in 0..load.agents {
        let pairs: Vec<u32> = (0..load.pairs).filter(|p| load.agent_of(*p) == agent).collect();
        let link = adapter.agent(agent, &pairs).await?;
        parties.spawn(Party::new(link, Side::Agent, speech, counters.clone()).run(told.clone()));
    }
    for pair in 0..load.pairs {
        let link = adapter.visitor(pair, load.agent_of(pair)).await?;
        parties.spawn(Party::new(link, Side::Visitor, speech, counters.clone()).run(told.clone()));
    }
    Ok(())
}

async fn all_ready(
    load: &Load,
    counters: &Counters,
    parties: &mut Parties,
) -> Result<(), DriveError> {
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        let (ready, wanted) = (counters.ready.load(Relaxed), load.lanes());
        if ready >= wanted {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(DriveError::NotReady { ready, wanted });
        }
        alive_for(LOOK_EVERY, parties).await?;
    }
}

/// Waits so long, unless a party ends, which none may do by itself.
async fn alive_for(time: Duration, parties: &mut Parties) -> Result<(), DriveError> {
    tokio::select! {
        Some(ended) = parties.join_next() => {
            ended??;
            Err(LinkError::Closed.into())
        }
        () = tokio::time::sleep(time) => Ok(()),
    }
}

/// Waits until everything was acknowledged and received, within reason.
async fn arrived(within: Duration, counters: &Counters) {
    let deadline = Instant::now() + within;
    while Instant::now() < deadline {
        // Parties that were saying something have said it before the next look.
        tokio::time::sleep(LOOK_EVERY).await;
        let sent = counters.sent.load(Relaxed);
        let missing = |counter: &AtomicU64| counter.load(Relaxed) < sent;
        if !missing(&counters.acknowledged) && !missing(&counters.received) {
            break;
        }
    }
    tokio::time::sleep(LISTEN_ON).await;
}

/// Compares what one side has said with what the other has heard.
fn account(lanes: &[Lane]) -> Faults {
    let said: HashMap<_, _> = lanes.iter().map(|l| ((l.pair, l.side), l.sent)).collect();
    let mut faults = Faults::default();
    for lane in lanes {
        let by_other = said.get(&(lane.pair, lane.side.other()));
        faults.add(lane.close(by_other.copied().unwrap_or(0)));
    }
    faults
}

/// The meters at one instant.
struct Reading {
    at: Instant,
    received: u64,
    server: Vec<Duration>,
    generator: Duration,
    machine: Machine,
}

impl Reading {
    fn take(server: &[u32], counters: &Counters) -> io::Result<Self> {
        Ok(Self {
            at: Instant::now(),
            received: counters.received.load(Relaxed),
            server: server.iter().map(|pid| cost::cpu_time(*pid)).collect::<Result<_, _>>()?,
            generator: cost::cpu_time(std::process::id())?,
            machine: Machine::now()?,
        })
    }

    fn since(self, earlier: &Self, faults: Faults) -> Outcome {
        let cpu = |after: Duration, before: Duration| after.saturating_sub(before).as_secs_f64();
        let parts = self.server.iter().zip(&earlier.server);
        Outcome {
            seconds: (self.at - earlier.at).as_secs_f64(),
            delivered: self.received - earlier.received,
            server_cpu_seconds: parts.map(|(after, before)| cpu(*after, *before)).collect(),
            generator_cpu_seconds: cpu(self.generator, earlier.generator),
            machine: self.machine.since(earlier.machine),
            faults,
        }
    }
}
