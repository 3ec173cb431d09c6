//! What is measured beside the workers' reports, second by second: the server's
//! cost, the machine, the generator's own CPU.

use super::ledger::Beside;
use crate::cost::{Machine, Reading, Slope, Source};
use frontdesk_results::{ServerCost, SlopePoint};
use std::time::{Duration, Instant};

/// One reading of everything.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Instant,
    server: Option<Reading>,
    machine: Option<Machine>,
    generator: Duration,
}

/// Looks once a second.
pub(super) struct Sampler {
    source: Source,
    last: Look,
    /// At the begin of the counted part.
    begin: Option<Look>,
    /// At its end.
    end: Option<Look>,
    slope: Slope,
    resident: u64,
    /// The server was gone at some time: its CPU cannot be told.
    broken: bool,
}

/// What the counted part came to.
pub(super) struct Sampled {
    pub(super) cores: f64,
    pub(super) idle: f64,
    pub(super) stolen: f64,
    pub(super) server: Option<ServerCost>,
}

impl Sampler {
    pub(super) async fn start(source: Source) -> Self {
        let last = look(&source, Duration::ZERO).await;
        let slope = Slope::default();
        Self { source, last, begin: None, end: None, slope, resident: 0, broken: false }
    }

    /// At the end of a second: `generator` is its CPU time so far.
    pub(super) async fn second(
        &mut self,
        counts: bool,
        generator: Duration,
        connections: u64,
    ) -> Beside {
        let now = look(&self.source, generator).await;
        let seconds = (now.at - self.last.at).as_secs_f64().max(1e-3);
        let cores = |from: Duration, to: Duration| to.saturating_sub(from).as_secs_f64() / seconds;
        let shares = now.machine.zip(self.last.machine).map(|(now, last)| now.since(last));
        self.broken |= self.source != Source::None && now.server.is_none();
        if let Some(server) = now.server {
            self.resident = server.resident_bytes;
        }
        // Not in the warm-up: a server that was just started gives memory back.
        if let Some(Reading { resident_bytes, .. }) = now.server.filter(|_| counts) {
            self.slope.add(SlopePoint { connections, resident_bytes });
        }
        if counts {
            self.begin.get_or_insert(self.last);
            self.end = Some(now);
        }
        let beside = Beside {
            server_cores: now.server.zip(self.last.server).map(|(n, l)| cores(l.cpu, n.cpu)),
            server_mib: now.server.map(|server| server.resident_bytes as f64 / f64::from(1 << 20)),
            generator_cores: Some(cores(self.last.generator, now.generator)),
            stolen: shares.map(|shares| shares.stolen),
        };
        self.last = now;
        beside
    }

    /// The counted part, in which so many messages were delivered.
    pub(super) fn finish(self, delivered: u64) -> Sampled {
        let (Some(begin), Some(end)) = (self.begin, self.end) else {
            return Sampled { cores: 0.0, idle: 0.0, stolen: 0.0, server: None };
        };
        let seconds = (end.at - begin.at).as_secs_f64().max(1e-3);
        let shares = end.machine.zip(begin.machine).map(|(end, begin)| end.since(begin));
        let cpu = match (begin.server, end.server) {
            (Some(begin), Some(end)) if !self.broken => Some(end.cpu.saturating_sub(begin.cpu)),
            _ => None,
        };
        let server = self.source.name().zip(cpu).map(|(source, cpu)| ServerCost {
            source: source.to_owned(),
            cpu_s: cpu.as_secs_f64(),
            cpu_us_per_message: (delivered > 0).then(|| cpu.as_secs_f64() * 1e6 / delivered as f64),
            resident_mib: self.resident as f64 / f64::from(1 << 20),
            bytes_per_connection: self.slope.bytes_per_connection(),
            points: self.slope.into_points(),
        });
        Sampled {
            cores: end.generator.saturating_sub(begin.generator).as_secs_f64() / seconds,
            idle: shares.map_or(0.0, |shares| shares.idle),
            stolen: shares.map_or(0.0, |shares| shares.stolen),
            server,
        }
    }
}

async fn look(source: &Source, generator: Duration) -> Look {
    Look {
        // A server that was killed cannot be read: that is what some runs are for.
        server: source.read().await.unwrap_or_default(),
        machine: Machine::now().ok(),
        at: Instant::now(),
        generator,
    }
}
