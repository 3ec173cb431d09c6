//! How much of this machine nobody used, and how much its host took away.

use super::malformed;
use serde::Serialize;
use std::fs;
use std::io;

/// The machine's CPU time so far, in ticks.
#[derive(Debug, Clone, Copy)]
pub struct Machine {
    total: u64,
    idle: u64,
    stolen: u64,
}

/// Shares of the machine's CPU time between two readings, 0–1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Shares {
    /// Nobody wanted it.
    pub idle: f64,
    /// Wanted, but the host gave it to others.
    pub stolen: f64,
}

impl Machine {
    /// Reads it now.
    pub fn now() -> io::Result<Self> {
        let stat = fs::read_to_string("/proc/stat")?;
        Self::parse(&stat).ok_or_else(|| malformed("unexpected /proc/stat"))
    }

    /// Reads the first line: user nice system idle iowait irq softirq steal.
    fn parse(stat: &str) -> Option<Self> {
        let line = stat.lines().next()?;
        let ticks: Vec<u64> =
            line.split_whitespace().skip(1).take(8).filter_map(|t| t.parse().ok()).collect();
        let [_, _, _, idle, waiting, _, _, stolen] = ticks[..] else { return None };
        Some(Self { total: ticks.iter().sum(), idle: idle + waiting, stolen })
    }

    /// The shares since an earlier reading.
    pub fn since(self, earlier: Self) -> Shares {
        // The kernel takes time it called iowait back now and then.
        let total = self.total.saturating_sub(earlier.total).max(1) as f64;
        Shares {
            idle: self.idle.saturating_sub(earlier.idle) as f64 / total,
            stolen: self.stolen.saturating_sub(earlier.stolen) as f64 / total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_time_between_two_readings() {
        let earlier = Machine::parse("cpu  100 0 100 700 50 0 0 50 0 0\ncpu0 1").unwrap();
        let later = Machine::parse("cpu  130 0 110 740 60 0 0 60 0 0\n").unwrap();
        assert_eq!(later.since(earlier), Shares { idle: 0.5, stolen: 0.1 });
    }

    #[test]
    fn time_that_runs_backwards_is_no_time() {
        let machine = Machine::now().unwrap();
        assert_eq!(machine.since(machine), Shares { idle: 0.0, stolen: 0.0 });
        let earlier = Machine { idle: machine.idle + 3, ..machine };
        assert_eq!(machine.since(earlier).idle, 0.0);
    }

    #[test]
    fn an_unknown_form_is_refused() {
        assert!(Machine::parse("").is_none());
        assert!(Machine::parse("cpu 1 2 3").is_none());
    }
}
