//! The threads of this process, with what they do and have used: those of the embedded
//! stores and of Raft's log are no tasks. Read from /proc; where there is none, nobody.

use crate::process::cpu_seconds;
use serde::Serialize;
use std::fs;

/// One thread.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Thread {
    /// As the system knows it.
    pub id: u32,
    /// At most 15 bytes of it.
    pub name: String,
    /// `R` runs, `S` waits, `D` waits for a disk.
    pub state: String,
    /// User and system time.
    pub cpu_seconds: f64,
}

/// All threads now.
pub fn all() -> Vec<Thread> {
    let Ok(tasks) = fs::read_dir("/proc/self/task") else { return Vec::new() };
    let mut threads: Vec<Thread> = tasks
        .filter_map(|entry| {
            let folder = entry.ok()?;
            let id = folder.file_name().to_str()?.parse().ok()?;
            read(id, &fs::read_to_string(folder.path().join("stat")).ok()?)
        })
        .collect();
    threads.sort_by_key(|thread| thread.id);
    threads
}

fn read(id: u32, stat: &str) -> Option<Thread> {
    let (before, behind) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let state = behind.split_whitespace().next()?.to_owned();
    Some(Thread { id, name: name.to_owned(), state, cpu_seconds: cpu_seconds(stat)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_read_whatever_its_name() {
        let stat = "7 (a) b) c) S 1 7 7 0 -1 4194560 900 0 3 0 120 45 8 9 20 0 12 0 100";
        let expected =
            Thread { id: 7, name: "a) b) c".into(), state: "S".into(), cpu_seconds: 1.65 };
        assert_eq!(read(7, stat), Some(expected));
        assert_eq!(read(7, ""), None);
    }

    #[test]
    fn this_one_is_among_them() {
        assert!(all().iter().any(|thread| thread.state == "R"));
    }
}
