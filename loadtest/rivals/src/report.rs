//! The comparison as a table with its notes, and as JSON.

use crate::compare::{MAX_STOLEN, Turn};
use crate::drive::Load;
use crate::statistics::Spread;
use crate::systems::{RedisAdapter, System};
use crate::versions::Version;
use frontdesk_results::Environment;
use serde::Serialize;
use std::fmt::Write as _;

/// From here on other programs are worth a note.
const MANY_OTHER_CORES: f64 = 0.15;

/// All that is known of a comparison.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Name and version of this form.
    pub schema: &'static str,
    /// When it began, seconds since 1970.
    pub started_at_unix: u64,
    /// The machine.
    pub environment: Environment,
    /// One 4 KiB write with fdatasync where Frontdesk's journal lies, µs, median.
    pub synced_write_us: f64,
    /// What was compared.
    pub versions: Vec<Version>,
    /// The load.
    pub load: Load,
    /// Which adapter joined the nodes of Socket.IO.
    pub redis_adapter: RedisAdapter,
    /// One for each system, in order.
    pub rows: Vec<Row>,
    /// Every run that counts.
    pub turns: Vec<Turn>,
}

/// The name of the form of [`Report`].
pub const SCHEMA: &str = "frontdesk-rivals/1";

/// A system's runs together.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Whose.
    pub system: System,
    /// Whether messages are on stable storage before they are acknowledged.
    pub durable_before_ack: bool,
    /// Servers' CPU time per delivered message, µs.
    pub cost_us: Spread,
    /// Messages received per second.
    pub rate: Spread,
    /// Cores that the servers used.
    pub server_cores: Spread,
    /// Cores that the generator used.
    pub generator_cores: Spread,
    /// Cores that other programs used.
    pub other_cores: Spread,
    /// Runs.
    pub runs: usize,
    /// Runs from which the host took too much CPU time.
    pub disturbed: usize,
    /// Messages lost, disordered, damaged or never acknowledged, over all runs.
    pub faults: u64,
}

/// One row for each system that ran.
pub fn rows(systems: &[System], turns: &[Turn], cores: u32) -> Vec<Row> {
    systems.iter().filter_map(|system| row(*system, turns, cores)).collect()
}

fn row(system: System, turns: &[Turn], cores: u32) -> Option<Row> {
    let turns: Vec<&Turn> = turns.iter().filter(|turn| turn.system == system).collect();
    let spread = |value: &dyn Fn(&Turn) -> f64| Spread::of(turns.iter().map(|turn| value(turn)));
    Some(Row {
        system,
        durable_before_ack: system.is_durable(),
        cost_us: spread(&Turn::cost_us)?,
        rate: spread(&Turn::rate)?,
        server_cores: spread(&Turn::server_cores)?,
        generator_cores: spread(&Turn::generator_cores)?,
        other_cores: spread(&|turn| turn.other_cores(cores))?,
        runs: turns.len(),
        disturbed: turns.iter().filter(|turn| turn.is_disturbed()).count(),
        faults: turns.iter().map(|turn| turn.run.outcome.faults.total()).sum(),
    })
}

impl Report {
    /// Whether no message of any run was lost, disordered, damaged or left
    /// unacknowledged.
    pub fn is_faultless(&self) -> bool {
        self.rows.iter().all(|row| row.faults == 0)
    }

    /// The table and what must be known to read it.
    pub fn markdown(&self) -> String {
        let mut text = String::from(
            "| system | durable before ack | server CPU µs/message | messages/s | \
             server cores | generator cores | lost or out of order |\n\
             |---|---|---|---|---|---|---|\n",
        );
        for row in &self.rows {
            let durable = if row.durable_before_ack { "yes" } else { "no" };
            let mark = if row.disturbed > 0 { " \\*" } else { "" };
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "| {}{mark} | {durable} | {:.1} | {:.0} | {:.2} | {:.2} | {} |",
                row.system.title(),
                row.cost_us,
                row.rate,
                row.server_cores.median,
                row.generator_cores.median,
                row.faults,
            );
        }
        text.push('\n');
        for note in self.notes() {
            let _ = writeln!(text, "- {note}");
        }
        text
    }

    fn notes(&self) -> Vec<String> {
        let Environment { cpu, cores, kernel, .. } = &self.environment;
        let Load { pairs, agents, window, bytes, warm_up, counted, .. } = self.load;
        let runs = self.rows.iter().map(|row| row.runs).max().unwrap_or(0);
        let versions: Vec<String> =
            self.versions.iter().map(|v| format!("{} {}", v.part, v.version)).collect();
        let mut notes = vec![
            format!(
                "Median (lowest–highest) of {runs} runs of {} s after {} s of warm-up, the systems \
                 in turn, each on fresh servers.",
                counted.as_secs(),
                warm_up.as_secs()
            ),
            format!(
                "{pairs} pairs of a visitor and an agent, {pairs} connections of visitors and \
                 {agents} of agents; {bytes}-byte messages in both directions, {window} on their \
                 way or unacknowledged by each side of a pair; each acknowledged to its sender and \
                 received by the other, in order: all are checked.",
            ),
            "CPU time is that of all processes of a system, Redis included; saturated, generator \
             and servers share the machine."
                .into(),
            format!(
                "{cores} cores, {cpu}, Linux {kernel}; a synced 4 KiB write takes {:.0} µs.",
                self.synced_write_us
            ),
            format!("{}.", versions.join(", ")),
        ];
        notes.extend(self.notes_on_systems());
        notes.extend(self.notes_on_disturbance());
        notes
    }

    fn notes_on_systems(&self) -> Vec<String> {
        let adapter = match self.redis_adapter {
            RedisAdapter::Classic => "createAdapter",
            RedisAdapter::Sharded => "createShardedAdapter",
        };
        let note = |row: &Row| match row.system {
            System::Relay => "The relay is one thread of Rust with small binary frames; it keeps \
                              nothing and checks nobody."
                .to_owned(),
            System::SocketIo => "Socket.IO: WebSocket only, no compression, a room for each \
                                 conversation, acknowledged when it was passed on; it keeps \
                                 nothing and checks nobody."
                .into(),
            System::SocketIoRedis => format!(
                "Two nodes: every pair sits on both, so every message crosses Redis ({adapter}, \
                 no persistence)."
            ),
            System::Frontdesk => "Frontdesk: `frontdesk dev` with SQLite, synced before each \
                                  acknowledgement, WebSocket with Protobuf, several messages to a \
                                  frame where they come together; only the limits of one client \
                                  were raised."
                .into(),
            System::FrontdeskCluster => "The cluster: `frontdesk cluster up`: two gateways, two \
                                         owners, three voters, two keepers of queues, two \
                                         routers, a desk, Redis and PostgreSQL, synced before \
                                         each acknowledgement; the CPU time of all of them \
                                         counts. Visitors and agents are spread over the \
                                         gateways."
                .into(),
        };
        self.rows.iter().map(note).collect()
    }

    fn notes_on_disturbance(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.rows.iter().any(|row| row.disturbed > 0) {
            notes.push(format!(
                "\\* The host took more than {:.0} % of the CPU time away, also in the repeat.",
                MAX_STOLEN * 100.0
            ));
        }
        let others = self.rows.iter().map(|row| row.other_cores.median).fold(0.0, f64::max);
        if others > MANY_OTHER_CORES {
            notes.push(format!(
                "Other programs used up to {others:.2} cores meanwhile: messages/s would be higher \
                 without them."
            ));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::tests::turn;
    use std::time::Duration;

    fn report(turns: Vec<Turn>) -> Report {
        let systems = [System::Relay, System::Frontdesk, System::SocketIo];
        Report {
            schema: SCHEMA,
            started_at_unix: 1,
            environment: Environment {
                cpu: "a CPU".into(),
                cores: 2,
                memory_mib: 1_024,
                kernel: "6.1".into(),
                with_server: true,
            },
            synced_write_us: 90.4,
            versions: vec![Version { part: "Frontdesk".into(), version: "0.1.0".into() }],
            load: Load {
                pairs: 500,
                agents: 10,
                window: 4,
                bytes: 128,
                warm_up: Duration::from_secs(5),
                counted: Duration::from_secs(15),
                arrive_within: Duration::from_secs(15),
            },
            redis_adapter: RedisAdapter::Sharded,
            rows: rows(&systems, &turns, 2),
            turns,
        }
    }

    #[test]
    fn a_row_sums_up_the_runs_of_its_system() {
        let turns = vec![
            turn(System::Relay, &[1.0], 0.0, 0),
            turn(System::Frontdesk, &[2.0], 0.0, 0),
            turn(System::Relay, &[3.0], 0.0, 0),
            turn(System::Relay, &[1.5], 0.0, 0),
        ];
        let report = report(turns);
        assert!(report.is_faultless());
        let text = report.markdown();
        let relay = "| bare relay (parse, look up, write) | no | 15.0 (10.0–30.0) | \
                     50,000 (50,000–50,000) | 0.75 | 0.25 | 0 |";
        assert!(text.contains(relay), "{text}");
        assert!(text.contains("| Frontdesk, one process | yes | 20.0"), "{text}");
        assert!(!text.contains("Socket.IO"), "it did not run: {text}");
        assert!(text.contains("Median (lowest–highest) of 3 runs of 15 s"), "{text}");
        assert!(!text.contains("\\*"), "{text}");
    }

    #[test]
    fn faults_and_stolen_time_are_shown() {
        let disturbed = turn(System::Relay, &[1.0], 0.2, 0);
        let report = report(vec![disturbed, turn(System::SocketIo, &[1.0], 0.0, 3)]);
        assert!(!report.is_faultless());
        let text = report.markdown();
        assert!(text.contains("| bare relay (parse, look up, write) \\* |"), "{text}");
        assert!(text.contains("took more than 5 % of the CPU time"), "{text}");
        assert!(text.contains("0.25 | 3 |"), "{text}");
    }
}
