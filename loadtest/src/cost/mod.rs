//! What the server costs while it is under load: CPU time and resident memory,
//! from the kernel (processes of this machine) or from its own metrics pages.
//! Also what this machine is and what it had to spare. It only looks: it never
//! touches a process, and knows nothing of what the load is.

mod environment;
mod machine;
mod process;
mod scrape;
mod slope;

pub use environment::environment;
pub use machine::{Machine, Shares};
pub use process::{cpu_time, cpu_times, resident_bytes, resident_bytes_of};
pub use scrape::{MetricsPage, PageError};
pub use slope::{Slope, bytes_per_connection};

use futures::future::try_join_all;
use std::io;
use std::ops::Add;
use std::time::Duration;

/// Where the figures of the server come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Source {
    /// Nowhere: the server cannot be seen.
    #[default]
    None,
    /// From the kernel: these processes, all of this machine, are the server.
    Processes(Vec<u32>),
    /// From these pages, one of each process of the server: a process that is
    /// named twice counts twice.
    Metrics(Vec<MetricsPage>),
}

/// What the server has used, over all its processes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// CPU time since the processes began.
    pub cpu: Duration,
    /// Resident memory now.
    pub resident_bytes: u64,
}

impl Add for Reading {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            cpu: self.cpu + other.cpu,
            resident_bytes: self.resident_bytes + other.resident_bytes,
        }
    }
}

impl Source {
    /// What the result calls it.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Processes(_) => Some("process"),
            Self::Metrics(_) => Some("metrics"),
        }
    }

    /// Reads it now; `None` when there is nothing to read. Takes at most
    /// [`scrape::DEADLINE`], and fails when any one of the processes has gone or
    /// does not answer: a sum with a part missing would be a lie.
    pub async fn read(&self) -> io::Result<Option<Reading>> {
        match self {
            Self::None => Ok(None),
            Self::Processes(pids) => Ok(Some(Reading {
                cpu: cpu_times(pids)?,
                resident_bytes: resident_bytes_of(pids)?,
            })),
            Self::Metrics(pages) => {
                let readings = try_join_all(pages.iter().map(MetricsPage::read)).await?;
                Ok(Some(readings.into_iter().fold(Reading::default(), Add::add)))
            }
        }
    }
}

/// The error for what the kernel or a server says in an unknown form.
fn malformed(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_source_counts_each_process_once() {
        let this = std::process::id();
        let once = Source::Processes(vec![this]).read().await.unwrap().unwrap();
        let twice = Source::Processes(vec![this, this]).read().await.unwrap().unwrap();
        assert!(once.resident_bytes > 100_000);
        assert!(twice.resident_bytes < once.resident_bytes * 3 / 2);
        assert!(twice.cpu >= once.cpu);
    }

    #[tokio::test]
    async fn no_source_reads_nothing_and_a_gone_process_is_an_error() {
        assert_eq!(Source::None.read().await.unwrap(), None);
        // Beyond the largest pid that Linux gives out.
        let gone = Source::Processes(vec![std::process::id(), u32::MAX]);
        assert_eq!(gone.read().await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
