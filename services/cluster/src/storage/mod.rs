//! One voter's stable storage: log, vote, and snapshots in one SQLite file,
//! written by one thread; the applied state in memory, rebuilt from them.

mod file;
mod log;
mod machine;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use log::LogStore;
pub(crate) use machine::StateMachine;
pub(crate) use writer::Writer;

use crate::changes::Published;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A serialised state, shared between those who send and those who store it.
pub(crate) type SnapshotBytes = Arc<[u8]>;

/// Name of the file in a voter's folder.
const FILE: &str = "raft.sqlite";

/// What `open` found.
pub(crate) struct Storage {
    pub(crate) log: LogStore,
    pub(crate) machine: StateMachine,
    pub(crate) published: Arc<Published>,
    pub(crate) writer: Writer,
}

/// Opens or makes a voter's storage. Blocks; call it off the runtime.
pub(crate) fn open(folder: &Path) -> io::Result<Storage> {
    std::fs::create_dir_all(folder)?;
    let mut file = file::File::open(&folder.join(FILE))?;
    let held = file.load()?;
    let snapshot = file.snapshot()?;
    let writer = Writer::start(file)?;
    let (machine, published) = StateMachine::restore(snapshot, writer.clone())?;
    Ok(Storage { log: LogStore::new(held, writer.clone()), machine, published, writer })
}
