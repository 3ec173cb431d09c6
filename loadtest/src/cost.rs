//! What processes on this machine cost, from /proc: CPU time, resident memory,
//! and how much of the machine its host has taken away.

use serde::Serialize;
use std::fs;
use std::io;
use std::time::Duration;

/// The kernel counts CPU time in these (USER_HZ is 100 on every Linux platform).
const TICKS_PER_SECOND: u64 = 100;

fn field<T: std::str::FromStr>(text: &str, index: usize) -> io::Result<T> {
    text.split_whitespace()
        .nth(index)
        .and_then(|f| f.parse().ok())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "unexpected /proc format"))
}

/// CPU time of a process so far, all threads, user and system.
pub fn cpu_time(pid: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold anything: fields are counted behind it.
    let behind = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = field::<u64>(behind, 11)? + field::<u64>(behind, 12)?;
    Ok(Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND))
}

/// Resident memory of a process, in bytes.
pub fn resident_bytes(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap_or_default();
    Ok(field::<u64>(line, 1)? * 1_024)
}

/// The machine's CPU time in ticks.
#[derive(Debug, Clone, Copy)]
pub struct Machine {
    total: u64,
    idle: u64,
    stolen: u64,
}

/// Shares of the machine's CPU time between two readings, 0–1.
#[derive(Debug, Clone, Copy, Serialize)]
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
        let line = stat.lines().next().unwrap_or_default();
        let ticks: Vec<u64> =
            line.split_whitespace().skip(1).take(8).filter_map(|t| t.parse().ok()).collect();
        match ticks[..] {
            [_, _, _, idle, waiting, _, _, stolen] => {
                Ok(Self { total: ticks.iter().sum(), idle: idle + waiting, stolen })
            }
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "unexpected /proc/stat")),
        }
    }

    /// The shares since an earlier reading.
    pub fn since(self, earlier: Self) -> Shares {
        let total = (self.total - earlier.total).max(1) as f64;
        Shares {
            idle: (self.idle - earlier.idle) as f64 / total,
            stolen: (self.stolen - earlier.stolen) as f64 / total,
        }
    }
}

/// The slope of the line of least squares through points.
pub fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let (mean_x, mean_y) = points.iter().fold((0.0, 0.0), |(x, y), p| (x + p.0 / n, y + p.1 / n));
    let above: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let below: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    above / below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_costs_something() {
        assert!(resident_bytes(std::process::id()).unwrap() > 100_000);
        cpu_time(std::process::id()).unwrap();
        let machine = Machine::now().unwrap();
        assert!(machine.since(machine).stolen.abs() < 1e-9);
    }

    #[test]
    fn the_slope_of_a_line_is_found() {
        let points: Vec<_> = (0..5).map(|x| (f64::from(x), 3.0 * f64::from(x) + 7.0)).collect();
        assert!((slope(&points) - 3.0).abs() < 1e-9);
    }
}
