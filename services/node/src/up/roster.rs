//! Which process is which, kept in a file beside the cluster's data, for people,
//! tests and `frontdesk cluster signal`.

use super::UpError;
use super::files::write_private;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Its name in the cluster's folder.
const FILE: &str = "processes.json";

/// One process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProcessState {
    pub(super) name: String,
    pub(super) kind: String,
    /// `None` while it does not run.
    pub(super) pid: Option<i32>,
    /// Where the other processes reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) internal: Option<String>,
    /// Health checks and metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) health: Option<String>,
    /// Where clients reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) public: Option<String>,
    pub(super) log: PathBuf,
    /// Its network, when it has one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<Namespace>,
}

/// A network of a process's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Namespace {
    /// As `ip netns` lists it.
    pub(super) name: String,
    /// The process's address in it.
    pub(super) address: Ipv4Addr,
}

/// All processes; the file follows every change.
pub(super) struct Roster {
    path: PathBuf,
    processes: Mutex<BTreeMap<String, ProcessState>>,
}

impl Roster {
    /// Of the cluster in a folder.
    pub(super) fn new(folder: &Path) -> Self {
        Self { path: folder.join(FILE), processes: Mutex::default() }
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A process has started, or has ended. A file that cannot be written is told
    /// of and put up with: the cluster runs all the same.
    pub(super) fn note(&self, process: ProcessState) {
        let mut processes = self.processes.lock().unwrap_or_else(PoisonError::into_inner);
        processes.insert(process.name.clone(), process);
        let all: Vec<&ProcessState> = processes.values().collect();
        let written = serde_json::to_string_pretty(&all)
            .map_err(std::io::Error::from)
            .and_then(|text| write_private(&self.path, &text));
        if let Err(error) = written {
            eprintln!("frontdesk: {}: {error}", self.path.display());
        }
    }
}

/// The processes of the cluster in a folder.
pub(super) fn read(folder: &Path) -> Result<Vec<ProcessState>, UpError> {
    let path = folder.join(FILE);
    let text = std::fs::read_to_string(&path)
        .map_err(|e| UpError::Settings(format!("{}: {e}", path.display())))?;
    Ok(serde_json::from_str(&text)?)
}
