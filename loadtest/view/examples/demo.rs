//! Plays a made-up run, to look at the view: `cargo run -p frontdesk-view --example
//! demo [-- --plain]`. Ten seconds of it pass in one.

use frontdesk_results::{Model, PhaseKind};
use frontdesk_view::{Mode, Plan, PlannedFault, PlannedPhase, Row, View};
use std::error::Error;
use std::time::Duration;

/// Length of the run, in seconds.
const TOTAL: u64 = 120;

fn plan() -> Plan {
    let phase = |name: &str, kind, from, to| PlannedPhase {
        name: name.into(),
        kind,
        from: Duration::from_secs(from),
        to: Duration::from_secs(to),
    };
    Plan {
        scenario: "demo".into(),
        description: "A run that never happened, with a fault in the middle.".into(),
        model: Model::Open,
        total: Duration::from_secs(TOTAL),
        phases: vec![
            phase("ramp", PhaseKind::Ramp, 0, 30),
            phase("day", PhaseKind::Steady, 30, 100),
            phase("night", PhaseKind::Steady, 100, TOTAL),
        ],
        faults: vec![PlannedFault { name: "kill-owner".into(), at: Duration::from_secs(60) }],
        targets: vec!["http://127.0.0.1:8080".into(), "http://127.0.0.1:8081".into()],
        workers: 2,
    }
}

/// A second of a run as one would be.
fn row(at: u64) -> Row {
    let jitter = (at * 7_919 % 100) as f64 / 100.0;
    let load = 5_000.0 * (at as f64 / 30.0).min(1.0);
    let broken = (60..64).contains(&at);
    let delivered = if broken { 0.0 } else { load - 40.0 * jitter };
    let p50 = if broken { 900.0 } else { 2.5 + jitter };
    let columns = [
        ("sent_per_s", load),
        ("acknowledged_per_s", delivered),
        ("delivered_per_s", delivered),
        ("ack_p50_ms", p50 * 0.8),
        ("ack_p99_ms", p50 * 3.0),
        ("receipt_p50_ms", p50),
        ("receipt_p99_ms", p50 * (4.0 + jitter)),
        ("connections", 2_000.0),
        ("conversations", 1_000.0),
        ("waiting", 40.0 * jitter),
        ("reconnects_per_s", if at == 61 { 640.0 } else { 0.0 }),
        ("deferred_per_s", 0.0),
        ("server_cores", load / 12_000.0),
        ("server_mib", 180.0 + at as f64 / 4.0),
        ("generator_cores", load / 9_000.0),
        ("stolen", jitter * 0.03),
    ];
    Row {
        at: Duration::from_secs(at),
        columns: columns.map(|(name, value)| (name.to_owned(), value)).into(),
        notes: if at == 60 { vec!["fault kill-owner: done".into()] } else { Vec::new() },
        ..Row::default()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let plain = std::env::args().any(|argument| argument == "--plain");
    let (view, mut stop) = View::start(plan(), if plain { Mode::Plain } else { Mode::Auto })?;
    let mut seconds = tokio::time::interval(Duration::from_millis(100));
    for at in 1..=TOTAL {
        tokio::select! {
            () = stop.wanted() => break,
            _ = seconds.tick() => view.row(row(at)),
        }
    }
    view.say("reading every conversation back");
    seconds.reset_after(Duration::from_secs(2));
    seconds.tick().await;
    view.finish();
    Ok(())
}
