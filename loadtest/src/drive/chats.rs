//! Conversations of one visitor and one agent, saturating or at a rate.

use super::party::{Common, Outcome, Pace, Party, Phase, Tally};
use super::{RunError, Target, readback};
use crate::cost::{self, Machine};
use crate::credentials::Desk;
use crate::payload::Side;
use crate::report::{ChatReport, Latency, Verdict};
use crate::scenario::{Load, Scenario};
use crate::wire::Wire;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::{AgentStatus, SetStatus, StartConversation};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

/// The longest the conversations may take to be assigned.
const ASSIGN_WITHIN: Duration = Duration::from_secs(120);
/// Beyond this share of stolen CPU time the figures mean nothing.
const MAX_STOLEN: f64 = 0.05;
/// A generator later than this at its 99th percentile measures itself.
const MAX_LATE_US: u64 = 20_000;

struct Plan {
    conversations: usize,
    agents: usize,
    bytes: usize,
    pace: Pace,
}

fn plan(load: &Load) -> Option<Plan> {
    match *load {
        Load::Saturate { conversations, message_bytes: bytes, window, agents } => {
            Some(Plan { conversations, agents, bytes, pace: Pace::Window(window) })
        }
        Load::Open { conversations, message_bytes: bytes, messages_per_second, agents } => {
            let lanes = 2.0 * conversations as f64;
            let pace = Pace::Every(Duration::from_secs_f64(lanes / messages_per_second));
            Some(Plan { conversations, agents, bytes, pace })
        }
        Load::Idle { .. } => None,
    }
}

/// CPU time of the server's processes.
fn server_cpu(pids: &[u32]) -> std::io::Result<Duration> {
    pids.iter().map(|pid| cost::cpu_time(*pid)).sum()
}

/// Runs a scenario of conversations; `None` when it is of another kind.
pub async fn run(scenario: &Scenario, target: &Target) -> Result<Option<ChatReport>, RunError> {
    let Some(plan) = plan(&scenario.load) else { return Ok(None) };
    let ids: Vec<String> = (0..plan.conversations).map(|_| Uuid::now_v7().to_string()).collect();
    let common = Arc::new(Common {
        run: Uuid::now_v7().as_u64_pair().1,
        bytes: plan.bytes,
        pace: plan.pace,
        numbers: ids.iter().cloned().zip(0..).collect::<HashMap<_, _>>(),
        assigned: AtomicUsize::new(0),
        delivered: AtomicU64::new(0),
        warm_up: scenario.warm_up(),
    });
    let (phase, told) = watch::channel(Phase::Opening);
    let mut parties = JoinSet::new();
    open_agents(&plan, target, &common, &told, &mut parties).await?;
    open_visitors(&ids, target, &common, &told, &mut parties).await?;
    assigned(&common, plan.conversations).await?;
    eprintln!("{} conversations assigned", plan.conversations);

    // A receiver is held here: sending cannot fail.
    let _ = phase.send(Phase::Running(Instant::now()));
    tokio::time::sleep(scenario.warm_up()).await;
    let (machine, cpu) = (Machine::now()?, server_cpu(&target.server_pids)?);
    let (from, delivered) = (Instant::now(), common.delivered.load(Ordering::Relaxed));
    tokio::time::sleep(scenario.duration()).await;
    let seconds = from.elapsed().as_secs_f64();
    let delivered = common.delivered.load(Ordering::Relaxed) - delivered;
    let cpu = server_cpu(&target.server_pids)?.saturating_sub(cpu);
    let machine = Machine::now()?.since(machine);
    let _ = phase.send(Phase::Ending);

    let mut outcomes = Vec::new();
    while let Some(joined) = parties.join_next().await {
        outcomes.push(joined.map_err(|e| RunError::Party(e.to_string()))??);
    }
    let measured = !target.server_pids.is_empty() && delivered > 0;
    let mut report = conclude(outcomes).await?;
    report.scenario = scenario.name.clone();
    report.seconds = seconds;
    report.delivered = delivered;
    report.delivered_per_second = delivered as f64 / seconds;
    report.server_cpu_us_per_message = measured.then(|| cpu.as_secs_f64() * 1e6 / delivered as f64);
    report.server_cores = measured.then(|| cpu.as_secs_f64() / seconds);
    report.machine = machine;
    judge(&mut report);
    Ok(Some(report))
}

type Parties = JoinSet<Result<Outcome, crate::wire::WireError>>;

async fn open_agents(
    plan: &Plan,
    target: &Target,
    common: &Arc<Common>,
    told: &watch::Receiver<Phase>,
    parties: &mut Parties,
) -> Result<(), RunError> {
    let mut desk = Desk::connect(target.url(0)).await?;
    for (n, account) in target.accounts.agents(plan.agents)?.into_iter().enumerate() {
        let token = desk.agent(&target.accounts.site, account).await?;
        let (wire, _) = Wire::open(target.url(n), token).await?;
        let mut party = Party::new(wire, common.clone(), Side::Agent);
        let status = AgentStatus::Online.into();
        party.ask(Request::SetStatus(SetStatus { status, reason: String::new() })).await?;
        parties.spawn(party.run(told.clone()));
    }
    Ok(())
}

async fn open_visitors(
    ids: &[String],
    target: &Target,
    common: &Arc<Common>,
    told: &watch::Receiver<Phase>,
    parties: &mut Parties,
) -> Result<(), RunError> {
    let mut desk = Desk::connect(target.url(0)).await?;
    for (n, id) in ids.iter().enumerate() {
        let token = desk.visitor(&target.accounts.site_key).await?;
        let (wire, _) = Wire::open(target.url(n), token).await?;
        let mut party = Party::new(wire, common.clone(), Side::Visitor);
        let conversation_id = id.clone();
        let start = StartConversation { conversation_id, ..Default::default() };
        party.ask(Request::Start(start)).await?;
        parties.spawn(party.run(told.clone()));
    }
    Ok(())
}

async fn assigned(common: &Common, wanted: usize) -> Result<(), RunError> {
    let deadline = Instant::now() + ASSIGN_WITHIN;
    loop {
        let assigned = common.assigned.load(Ordering::Relaxed);
        if assigned >= wanted {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(RunError::NotAssigned { assigned, wanted, within: ASSIGN_WITHIN });
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Merges what the parties have and compares what one side was told with what
/// the other heard.
async fn conclude(mut outcomes: Vec<Outcome>) -> Result<ChatReport, RunError> {
    let mut all = Tally::new();
    let mut told: HashMap<(u32, Side), u32> = HashMap::new();
    for outcome in &mut outcomes {
        let tally = std::mem::replace(&mut outcome.tally, Tally::new());
        all.violations.merge(tally.violations);
        all.errors += tally.errors;
        for (into, from) in [
            (&mut all.acknowledged, tally.acknowledged),
            (&mut all.received, tally.received),
            (&mut all.late, tally.late),
        ] {
            into.add(from).map_err(|e| RunError::Party(e.to_string()))?;
        }
        for lane in &outcome.lanes {
            told.insert((lane.number, lane.side), lane.acknowledged);
        }
    }
    for lane in outcomes.iter().flat_map(|o| &o.lanes) {
        let other = if lane.side == Side::Agent { Side::Visitor } else { Side::Agent };
        let acknowledged = told.get(&(lane.number, other)).copied().unwrap_or(0);
        lane.ear.finish(acknowledged, &mut all.violations);
    }
    let read_back = readback::sample(&mut outcomes, &told, &mut all.violations).await?;
    Ok(ChatReport {
        scenario: String::new(),
        verdict: Verdict::Passed,
        reasons: Vec::new(),
        seconds: 0.0,
        delivered: 0,
        delivered_per_second: 0.0,
        server_cpu_us_per_message: None,
        server_cores: None,
        acknowledged: Latency::of(&all.acknowledged),
        received: Latency::of(&all.received),
        late: Latency::of(&all.late),
        violations: all.violations,
        read_back,
        errors: all.errors,
        machine: cost::Shares { idle: 0.0, stolen: 0.0 },
    })
}

fn judge(report: &mut ChatReport) {
    if report.violations.total() > 0 {
        report.verdict = Verdict::Violated;
        report.reasons.push("the audit found violations".into());
    }
    if report.delivered == 0 {
        report.verdict = Verdict::Violated;
        report.reasons.push("nothing was delivered".into());
    }
    if report.machine.stolen > MAX_STOLEN {
        report.verdict = Verdict::Invalid;
        report.reasons.push("the host took too much CPU time away".into());
    }
    if report.late.p99_us > MAX_LATE_US {
        report.verdict = Verdict::Invalid;
        report.reasons.push("the generator could not keep its own schedule".into());
    }
}
