//! What happens in a simulation: who is there, what goes wrong and when. Faults
//! come first, then everything is healed, then there is calm, then the checks.

use rand::RngExt as _;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use std::ops::Range;

/// The cluster stands by then.
pub(crate) const READY_MS: u64 = 4_000;
/// No fault begins later, and all are healed by then.
pub(crate) const HEALED_MS: u64 = 17_000;
/// Nobody begins to say anything later.
pub(crate) const QUIET_MS: u64 = 23_000;
/// The checks.
pub(crate) const END_MS: u64 = 36_000;

pub(crate) const VOTERS: [&str; 3] = ["v1", "v2", "v3"];
pub(crate) const OWNERS: [&str; 2] = ["s1", "s2"];
pub(crate) const KEEPERS: [&str; 2] = ["q1", "q2"];
pub(crate) const ROUTERS: [&str; 2] = ["r1", "r2"];
pub(crate) const GATEWAYS: [&str; 2] = ["g1", "g2"];

/// All processes of the cluster.
pub(crate) fn processes() -> impl Iterator<Item = &'static str> {
    VOTERS.into_iter().chain(OWNERS).chain(KEEPERS).chain(ROUTERS).chain(GATEWAYS)
}

/// A bug that was mended, or never made, brought back for a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// The journal takes appends of any epoch.
    NoFencing,
    /// A message is acknowledged before it is on stable storage.
    AckBeforeCommit,
    /// An agent's room is reserved for ever.
    NoExpiry,
}

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A process dies at once and is started again after the time.
    Crash(&'static str),
    /// The voter that leads dies.
    CrashLeader,
    /// A process stands still, cut off from everybody; what it has sent to the
    /// journal arrives when it goes on.
    Freeze(&'static str),
    /// A process is cut off from all others, but not from the journal.
    Isolate(&'static str),
    /// Two groups do not hear each other.
    Split(Vec<&'static str>, Vec<&'static str>),
    /// A process is asked to stop, does so in order, and is started again.
    Stop(&'static str),
    /// The broker is away.
    BrokerDown,
    /// The broker loses a third and mixes up the rest.
    BrokerLossy,
    /// The database is away.
    JournalDown,
    /// What goes to and from a person's client is held up, and comes later.
    Stall(&'static str),
}

/// A fault, from when to when.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    pub(crate) fault: Fault,
    pub(crate) from_ms: u64,
    pub(crate) until_ms: u64,
}

/// A whole simulation.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) visitors: usize,
    pub(crate) agents: usize,
    /// Chats an agent may have at once.
    pub(crate) capacity: u32,
    /// Between two messages of one visitor, on average.
    pub(crate) every_ms: u64,
    /// When visitors come.
    pub(crate) arrivals: Range<u64>,
    pub(crate) troubles: Vec<Trouble>,
    pub(crate) bug: Option<Bug>,
}

impl Plan {
    /// Nothing goes wrong.
    pub(crate) fn calm(seed: u64) -> Self {
        Self {
            seed,
            visitors: 4,
            agents: 3,
            capacity: 2,
            every_ms: 400,
            arrivals: READY_MS..READY_MS + 3_000,
            troubles: Vec::new(),
            bug: None,
        }
    }

    /// A few of these faults, each a few seconds long, at times of the seed's
    /// choosing; they may come together.
    pub(crate) fn with(seed: u64, faults: &[Fault]) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut plan = Self::calm(seed);
        for _ in 0..rng.random_range(2..5) {
            let fault = faults[rng.random_range(0..faults.len())].clone();
            let lasts = rng.random_range(300..6_000);
            let from_ms = rng.random_range(READY_MS + 2_000..HEALED_MS - lasts);
            plan.troubles.push(Trouble { fault, from_ms, until_ms: from_ms + lasts });
        }
        plan
    }

    /// Exactly this, in the middle of everything.
    #[must_use]
    pub(crate) fn and(mut self, fault: Fault, from_ms: u64, lasts_ms: u64) -> Self {
        self.troubles.push(Trouble { fault, from_ms, until_ms: from_ms + lasts_ms });
        self
    }

    /// With a bug.
    #[must_use]
    pub(crate) fn bugged(self, bug: Bug) -> Self {
        Self { bug: Some(bug), ..self }
    }
}

/// Every kind of trouble, for any process it can befall.
pub(crate) fn anything() -> Vec<Fault> {
    let crashes = processes().map(Fault::Crash);
    let frozen = OWNERS.into_iter().chain(ROUTERS).map(Fault::Freeze);
    let isolated = OWNERS.into_iter().chain(VOTERS).chain(GATEWAYS).map(Fault::Isolate);
    let stopped = OWNERS.into_iter().chain(GATEWAYS).chain(ROUTERS).map(Fault::Stop);
    let splits = [
        Fault::Split(vec!["v1", "s1", "g1"], vec!["v2", "v3", "s2", "g2"]),
        Fault::Split(vec!["g1", "g2"], vec!["s1"]),
        Fault::Split(vec!["r1", "r2"], vec!["s1", "s2"]),
    ];
    let engines = [Fault::CrashLeader, Fault::BrokerDown, Fault::BrokerLossy, Fault::JournalDown];
    crashes.chain(frozen).chain(isolated).chain(stopped).chain(splits).chain(engines).collect()
}
