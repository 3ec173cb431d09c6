//! Connections that do nothing, and conversations in which nothing is said:
//! what they weigh in the server's memory.

use super::{RunError, Target};
use crate::cost;
use crate::credentials::Desk;
use crate::report::{IdleReport, Verdict};
use crate::scenario::{Load, Scenario};
use crate::wire::{Wire, WireError};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{ClientFrame, StartConversation};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Time for buffers to be given back before memory is read.
const SETTLE: Duration = Duration::from_secs(2);

/// Runs a scenario of idle connections; `None` when it is of another kind.
pub async fn run(scenario: &Scenario, target: &Target) -> Result<Option<IdleReport>, RunError> {
    let Load::Idle { connections, steps } = scenario.load else { return Ok(None) };
    let mut desk = Desk::connect(target.url(0)).await?;
    let (start, told) = watch::channel(false);
    let mut open = JoinSet::new();
    let mut points = Vec::new();
    for step in 1..=steps {
        while open.len() < connections * step / steps {
            let token = desk.visitor(&target.accounts.site_key).await?;
            let (wire, _) = Wire::open(target.url(open.len()), token).await?;
            open.spawn(hold(wire, told.clone()));
        }
        tokio::time::sleep(SETTLE).await;
        points.push((open.len(), resident(&target.server_pids)?));
        eprintln!("{} connections", open.len());
    }
    let cpu = cpu(&target.server_pids)?;
    tokio::time::sleep(scenario.duration()).await;
    let idle_cores =
        (cpu_since(&target.server_pids, cpu)?).as_secs_f64() / scenario.duration().as_secs_f64();

    // A receiver is held here: sending cannot fail.
    let _ = start.send(true);
    tokio::time::sleep(SETTLE + Duration::from_secs(3)).await;
    let with_conversations = resident(&target.server_pids)?;
    if let Some(ended) = open.try_join_next() {
        let ended = ended.map_err(|e| RunError::Party(e.to_string()))?;
        ended?;
    }
    let before = points.last().map_or(0, |(_, bytes)| *bytes);
    let line: Vec<(f64, f64)> =
        points.iter().map(|(n, bytes)| (*n as f64, *bytes as f64 / 1_024.0)).collect();
    open.abort_all();
    Ok(Some(IdleReport {
        scenario: scenario.name.clone(),
        verdict: Verdict::Passed,
        kib_per_connection: cost::slope(&line),
        kib_per_conversation: (with_conversations as f64 - before as f64)
            / 1_024.0
            / connections as f64,
        steps: points,
        idle_cores,
    }))
}

fn resident(pids: &[u32]) -> std::io::Result<u64> {
    pids.iter().map(|pid| cost::resident_bytes(*pid)).sum()
}

fn cpu(pids: &[u32]) -> std::io::Result<Duration> {
    pids.iter().map(|pid| cost::cpu_time(*pid)).sum()
}

fn cpu_since(pids: &[u32], earlier: Duration) -> std::io::Result<Duration> {
    Ok(cpu(pids)?.saturating_sub(earlier))
}

/// Keeps a connection; starts a conversation when told.
async fn hold(mut wire: Wire, mut told: watch::Receiver<bool>) -> Result<(), WireError> {
    loop {
        tokio::select! {
            frames = wire.next() => {
                for frame in frames? {
                    if let Some(Frame::Error(error)) = frame.frame {
                        return Err(WireError::Protocol(error.message));
                    }
                }
            }
            changed = told.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                let start = Request::Start(StartConversation::default());
                wire.send(vec![ClientFrame { id: 1, request: Some(start) }]).await?;
            }
        }
    }
}
