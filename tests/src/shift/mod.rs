//! A change of shift on a cluster: very many wait, then all agents sign in within a
//! short time, while the leader of the presence group is killed. Everybody must be
//! served once, by one agent, and nobody may carry more than its capacity.

mod agent;
mod ledger;
mod rounds;
mod usage;
mod visitor;

use crate::binary;
use crate::cluster::Cluster;
use frontdesk_client::{Address, Tokens};
use futures::stream::{self, StreamExt as _};
use ledger::Ledger;
pub use rounds::Rounds;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
pub use usage::Usage;

/// Slots of each agent.
const CAPACITY: u32 = 4;
/// Open conversations of one visitor, which the protocol allows.
const OF_ONE_VISITOR: usize = 5;
/// Passwords are hashed by two cores.
const SIGN_INS_AT_ONCE: usize = 8;
/// Visitors who come at the same time.
const VISITORS_AT_ONCE: usize = 32;
/// The longest without any progress.
const STALLED: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How large the shift is.
#[derive(Debug, Clone, Copy)]
pub struct Shift {
    /// Agents who sign in.
    pub agents: usize,
    /// Conversations that wait for them.
    pub waiting: usize,
    /// Within what all agents sign in; the leader is killed in the middle of it.
    pub within: Duration,
    /// How long an agent takes for a chat.
    pub handling: Duration,
}

/// What was seen. `Display` prints it as a table.
#[derive(Debug, Clone)]
pub struct Report {
    shift: Shift,
    /// What was broken; empty when everything held.
    pub violations: Vec<String>,
    /// How long it took until all waited.
    pub filled: Duration,
    /// From the first sign-in until all were served.
    pub served: Duration,
    /// The longest time without any assignment after the leader was killed, while some
    /// waited and agents had room.
    pub longest_pause: Duration,
    /// The most assignments of any second.
    pub most_in_a_second: usize,
    /// How long a slot that fell free was, until the next chat was there: in the middle, and
    /// for 99 in 100.
    pub fills: (Duration, Duration),
    /// Rounds of matching.
    pub rounds: Rounds,
    /// What the cluster used from the first sign-in on, and holds at the end, by kind of
    /// process.
    pub used: BTreeMap<String, Usage>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shift { agents, waiting, within, handling } = self.shift;
        writeln!(f, "{waiting} conversations wait; {agents} agents of {CAPACITY} slots sign in")?;
        writeln!(f, "within {within:?}, and take {handling:?} for each chat")?;
        writeln!(f, "  all wait after                     {:>8.1} s", self.filled.as_secs_f64())?;
        writeln!(f, "  all are served after               {:>8.1} s", self.served.as_secs_f64())?;
        let rate = waiting as f64 / self.served.as_secs_f64();
        writeln!(f, "  assignments a second, mean         {rate:>8.1}")?;
        writeln!(f, "  assignments in the best second     {:>8}", self.most_in_a_second)?;
        let pause = self.longest_pause.as_secs_f64();
        writeln!(f, "  longest pause, leader killed       {pause:>8.1} s")?;
        let (middle, most) = (self.fills.0.as_secs_f64(), self.fills.1.as_secs_f64());
        writeln!(f, "  a free slot is filled after, p50   {middle:>8.2} s")?;
        writeln!(f, "                               p99   {most:>8.2} s")?;
        let Rounds { count, total, p99 } = self.rounds;
        let mean = total.as_secs_f64() * 1e3 / count.max(1) as f64;
        writeln!(f, "  rounds of matching                 {count:>8}")?;
        writeln!(f, "    mean                             {mean:>8.1} ms")?;
        writeln!(f, "    p99, at most                     {:>8.1} ms", p99.as_secs_f64() * 1e3)?;
        for (kind, Usage { cpu, resident }) in &self.used {
            let (cpu, mib) = (cpu.as_secs_f64(), resident / (1024 * 1024));
            writeln!(f, "  {kind:<16} {cpu:>8.1} s of CPU {mib:>8} MiB")?;
        }
        write!(f, "  violations                         {:>8}", self.violations.len())
    }
}

/// Arguments of `cluster up` for a shift.
pub fn cluster_arguments(shift: &Shift) -> Vec<String> {
    vec!["--extra-agents".into(), shift.agents.to_string()]
}

/// Runs one on a cluster that was started with [`cluster_arguments`]. Panics when the
/// cluster cannot be used at all.
pub async fn run(cluster: &Cluster, shift: Shift) -> Report {
    give_capacity(cluster, shift.agents);
    let addresses: Vec<Address> =
        cluster.gateways().iter().map(|a| a.parse().expect("an address")).collect();
    let tokens = sign_in(cluster, &addresses[0], shift.agents).await;

    let ledger = Arc::new(Ledger::default());
    let (over, is_over) = watch::channel(false);
    let began = Instant::now();
    let mut visitors = JoinSet::new();
    let count = shift.waiting.div_ceil(OF_ONE_VISITOR);
    let site_key = &cluster.ready().site_key;
    let mut coming = stream::iter(0..count)
        .map(|n| {
            let many = OF_ONE_VISITOR.min(shift.waiting - n * OF_ONE_VISITOR);
            visitor::arrive(addresses[n % addresses.len()].clone(), site_key.clone(), many)
        })
        .buffer_unordered(VISITORS_AT_ONCE);
    while let Some(visitor) = coming.next().await {
        ledger.waits(visitor.conversations());
        visitors.spawn(visitor.stay(is_over.clone()));
    }
    drop(coming);
    let filled = began.elapsed();

    let before = usage::by_kind(&cluster.members());
    let opened = Instant::now();
    let mut agents = JoinSet::new();
    for (n, token) in tokens.into_iter().enumerate() {
        let at = opened + shift.within.mul_f64(n as f64 / shift.agents as f64);
        let addresses = addresses.clone();
        let (ledger, is_over) = (ledger.clone(), is_over.clone());
        agents.spawn(async move {
            sleep_until(at).await;
            agent::work(addresses, n, token, shift.handling, ledger, is_over).await;
        });
    }
    sleep_until(opened + shift.within / 2).await;
    cluster.signal("kill", &["raft-leader"]);
    let killed = Instant::now();
    all_served(&ledger).await;
    let served = opened.elapsed();
    let (rounds, used) = (rounds::of(&cluster.members()).await, used(cluster, &before));

    over.send_replace(true);
    while let Some(ended) = agents.join_next().await {
        ended.expect("an agent does not panic");
    }
    while let Some(read) = visitors.join_next().await {
        ledger.read_back(read.expect("a visitor does not panic"));
    }
    Report {
        shift,
        violations: ledger.violations(CAPACITY),
        filled,
        served,
        longest_pause: ledger.longest_pause(killed),
        most_in_a_second: ledger.most_in_a_second(opened),
        fills: ledger.fills(),
        rounds,
        used,
    }
}

/// One that was killed meanwhile counts with what its heir has used.
fn used(cluster: &Cluster, before: &BTreeMap<String, Usage>) -> BTreeMap<String, Usage> {
    let mut used = usage::by_kind(&cluster.members());
    for (kind, usage) in &mut used {
        let before = before.get(kind).copied().unwrap_or_default();
        usage.cpu = usage.cpu.saturating_sub(before.cpu);
    }
    used
}

/// Accounts come with more slots than people have.
fn give_capacity(cluster: &Cluster, agents: usize) {
    let mut document = String::from("queues:\n  - name: general\n    wrap_up: 0s\nagents:\n");
    for n in 1..=agents {
        let _ = writeln!(
            document,
            "  - {{ email: agent-{n}@demo.example, name: Agent {n}, capacity: {CAPACITY} }}"
        );
    }
    let file = cluster.folder().join("shift.yaml");
    std::fs::write(&file, document).expect("a file can be written");
    let ready = cluster.ready();
    let supervisor = ready.agents.iter().find(|a| a.role == "supervisor").expect("there is one");
    let applied = Command::new(binary::frontdesk())
        .args(["ctl", "apply", "-f"])
        .arg(&file)
        .args(["--target", &ready.gateways[0], "--site", &ready.site])
        .args(["--email", &supervisor.email])
        .env("FRONTDESK_PASSWORD", supervisor.password.as_deref().unwrap_or_default())
        .output()
        .expect("the program can be run");
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
}

/// Tokens of all agents, got before the shift: hashing so many passwords would be all
/// that is measured.
async fn sign_in(cluster: &Cluster, address: &Address, agents: usize) -> Vec<String> {
    let ready = cluster.ready();
    let tokens = Tokens::new(address).expect("inside a runtime");
    let accounts = ready.agents.iter().filter(|a| a.email.starts_with("agent-")).take(agents);
    let signed_in = stream::iter(accounts.cloned())
        .map(|account| {
            let (tokens, site) = (tokens.clone(), ready.site.clone());
            async move {
                let password = account.password.expect("the account is new");
                let token = tokens.sign_in(&site, &account.email, &password).await;
                token.expect("an agent can sign in").token
            }
        })
        .buffer_unordered(SIGN_INS_AT_ONCE);
    let tokens: Vec<String> = signed_in.collect().await;
    assert_eq!(tokens.len(), agents, "as many agents as asked for");
    tokens
}

async fn all_served(ledger: &Ledger) {
    let mut progress = (ledger.left(), Instant::now());
    while progress.0 > 0 {
        sleep(LOOK_EVERY).await;
        let left = ledger.left();
        if left < progress.0 {
            progress = (left, Instant::now());
        }
        assert!(progress.1.elapsed() < STALLED, "{left} conversations are not served");
    }
}
