//! CPU time and resident memory of processes of this machine, from /proc.

use super::malformed;
use std::fs;
use std::io;
use std::time::Duration;

/// The kernel counts CPU time in these (USER_HZ is 100 on every Linux platform).
const TICKS_PER_SECOND: u64 = 100;

/// CPU time of a process so far, all threads, user and system.
pub fn cpu_time(pid: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let ticks = ticks(&stat).ok_or_else(|| malformed(format!("unexpected /proc/{pid}/stat")))?;
    Ok(Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND))
}

/// CPU time of several processes so far.
pub fn cpu_times(pids: &[u32]) -> io::Result<Duration> {
    pids.iter().map(|pid| cpu_time(*pid)).sum()
}

/// Resident memory of a process, in bytes.
pub fn resident_bytes(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = kib(&status, "VmRSS:")
        .ok_or_else(|| malformed(format!("no VmRSS in /proc/{pid}/status: has it ended?")))?;
    Ok(kib * 1_024)
}

/// Resident memory of several processes, in bytes.
pub fn resident_bytes_of(pids: &[u32]) -> io::Result<u64> {
    pids.iter().map(|pid| resident_bytes(*pid)).sum()
}

/// User and system time in a `/proc/PID/stat`.
fn ticks(stat: &str) -> Option<u64> {
    // The name in parentheses may hold anything: fields are counted behind it.
    let (_, behind) = stat.rsplit_once(')')?;
    let mut fields = behind.split_whitespace().skip(11);
    let (user, system) = (fields.next()?, fields.next()?);
    Some(user.parse::<u64>().ok()? + system.parse::<u64>().ok()?)
}

/// The value of the line `NAME 123 kB`.
pub(super) fn kib(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_costs_something() {
        assert!(resident_bytes(std::process::id()).unwrap() > 100_000);
        cpu_time(std::process::id()).unwrap();
    }

    #[test]
    fn a_name_with_a_parenthesis_does_not_shift_the_fields() {
        let stat = "7 (a) b) c) S 1 7 7 0 -1 4194560 900 0 3 0 120 45 8 9 20 0 12 0 100";
        assert_eq!(ticks(stat), Some(165));
        assert_eq!(ticks("7 (a) S 1"), None);
    }

    #[test]
    fn a_size_is_found_by_its_whole_name() {
        let status = "Name:\tx\nVmHWM:\t  900 kB\nVmRSS:\t  512 kB\n";
        assert_eq!(kib(status, "VmRSS:"), Some(512));
        assert_eq!(kib(status, "VmSwap:"), None);
    }
}
