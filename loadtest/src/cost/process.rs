//! CPU time and resident memory of processes of this machine and of all they have
//! started, from /proc: a database serves with children, a supervisor does nothing
//! else than have some.

use super::malformed;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::time::Duration;

/// The kernel counts CPU time in these (USER_HZ is 100 on every Linux platform).
const TICKS_PER_SECOND: u64 = 100;

/// CPU time of a process so far, all threads, user and system, and that of its
/// descendants, those that have ended included.
pub fn cpu_time(pid: u32) -> io::Result<Duration> {
    cpu_times(&[pid])
}

/// CPU time of several processes and their descendants so far; each counts once.
pub fn cpu_times(pids: &[u32]) -> io::Result<Duration> {
    let mut ticks = 0;
    for pid in family(pids)? {
        match stat(pid) {
            Ok(stat) => ticks += stat.ticks,
            // A child that has ended meanwhile is in its parent's sum.
            Err(error) if pids.contains(&pid) => return Err(error),
            Err(_) => {}
        }
    }
    Ok(Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND))
}

/// Resident memory of a process and its descendants, in bytes.
pub fn resident_bytes(pid: u32) -> io::Result<u64> {
    resident_bytes_of(&[pid])
}

/// Resident memory of several processes and their descendants, in bytes; each counts
/// once, and what processes share counts for each of them.
pub fn resident_bytes_of(pids: &[u32]) -> io::Result<u64> {
    let mut bytes = 0;
    for pid in family(pids)? {
        match resident_bytes_alone(pid) {
            Ok(own) => bytes += own,
            Err(error) if pids.contains(&pid) => return Err(error),
            Err(_) => {}
        }
    }
    Ok(bytes)
}

fn resident_bytes_alone(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = kib(&status, "VmRSS:")
        .ok_or_else(|| malformed(format!("no VmRSS in /proc/{pid}/status: has it ended?")))?;
    Ok(kib * 1_024)
}

/// These processes and all that descend from them.
fn family(pids: &[u32]) -> io::Result<BTreeSet<u32>> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // One that has ended meanwhile has no children.
        if let Ok(stat) = stat(pid) {
            children.entry(stat.parent).or_default().push(pid);
        }
    }
    let mut family: BTreeSet<u32> = BTreeSet::new();
    let mut next = pids.to_vec();
    while let Some(pid) = next.pop() {
        if family.insert(pid) {
            next.extend(children.get(&pid).into_iter().flatten());
        }
    }
    Ok(family)
}

/// What a `/proc/PID/stat` says.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    /// Of its own, and of children that have ended.
    ticks: u64,
}

fn stat(pid: u32) -> io::Result<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    parse_stat(&text).ok_or_else(|| malformed(format!("unexpected /proc/{pid}/stat")))
}

fn parse_stat(text: &str) -> Option<Stat> {
    // The name in parentheses may hold anything: fields are counted behind it.
    let (_, behind) = text.rsplit_once(')')?;
    let mut fields = behind.split_whitespace().skip(1);
    let parent = fields.next()?.parse().ok()?;
    let times = fields.skip(9).take(4).map(|ticks| ticks.parse::<u64>().ok());
    let times: Option<Vec<u64>> = times.collect();
    let times = times.filter(|times| times.len() == 4)?;
    Some(Stat { parent, ticks: times.iter().sum() })
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
        assert_eq!(parse_stat(stat), Some(Stat { parent: 1, ticks: 120 + 45 + 8 + 9 }));
        assert_eq!(parse_stat("7 (a) S 1"), None);
    }

    #[test]
    fn children_count_and_those_that_have_ended_too() {
        let own = std::process::id();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        assert!(family(&[own]).unwrap().contains(&child.id()));
        assert_eq!(family(&[own, child.id()]).unwrap(), family(&[own]).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!family(&[own]).unwrap().contains(&child.id()));
        assert!(cpu_time(u32::MAX).is_err(), "there is no such process");
    }

    #[test]
    fn a_size_is_found_by_its_whole_name() {
        let status = "Name:\tx\nVmHWM:\t  900 kB\nVmRSS:\t  512 kB\n";
        assert_eq!(kib(status, "VmRSS:"), Some(512));
        assert_eq!(kib(status, "VmSwap:"), None);
    }
}
