//! What the processes of a cluster have used, by kind, as the kernel counts it.

use crate::cluster::Member;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::time::Duration;

/// Linux counts time in hundredths of a second, whatever its own ticks are.
const TICK: Duration = Duration::from_millis(10);

/// Of some processes together.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// Time on a core, of those that still run.
    pub cpu: Duration,
    /// Bytes in memory. What processes share counts for each.
    pub resident: u64,
}

struct Seen {
    parent: u32,
    usage: Usage,
}

/// By kind of process; children count for who started them, as PostgreSQL's do.
pub(super) fn by_kind(members: &[Member]) -> BTreeMap<String, Usage> {
    let seen = everything();
    let kinds: HashMap<u32, &str> =
        members.iter().filter_map(|m| Some((m.pid?, m.kind.as_str()))).collect();
    let kind_of = |mut pid: u32| loop {
        if let Some(kind) = kinds.get(&pid) {
            return Some(*kind);
        }
        pid = seen.get(&pid)?.parent;
    };
    let mut by_kind: BTreeMap<String, Usage> = BTreeMap::new();
    for (pid, one) in &seen {
        let Some(kind) = kind_of(*pid) else { continue };
        let all = by_kind.entry(kind.to_owned()).or_default();
        all.cpu += one.usage.cpu;
        all.resident += one.usage.resident;
    }
    by_kind
}

/// Processes come and go while it is read: those that cannot be are left out.
fn everything() -> HashMap<u32, Seen> {
    let Ok(entries) = fs::read_dir("/proc") else { return HashMap::new() };
    let pids = entries.flatten().filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, read(pid)?))).collect()
}

fn read(pid: u32) -> Option<Seen> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may be anything; what follows it is numbers.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |n: usize| fields.get(n)?.parse::<u32>().ok();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = resident.and_then(|r| r.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    let usage = Usage { cpu: TICK * (ticks(11)? + ticks(12)?), resident: kib.unwrap_or(0) * 1024 };
    Some(Seen { parent: fields.get(1)?.parse().ok()?, usage })
}
