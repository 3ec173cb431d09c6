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
use std::path::{Path, PathBuf};
use std::sync::Arc;
#[cfg(feature = "simulation")]
use std::sync::Mutex;

/// A serialised state, shared between those who send and those who store it.
pub(crate) type SnapshotBytes = Arc<[u8]>;

/// Name of the file in a voter's folder.
const FILE: &str = "raft.sqlite";

/// Whether a voter has begun its log in this folder.
pub fn has_log(folder: &Path) -> bool {
    folder.join(FILE).exists()
}

/// What `open` found.
pub(crate) struct Storage {
    pub(crate) log: LogStore,
    pub(crate) machine: StateMachine,
    pub(crate) published: Arc<Published>,
    pub(crate) writer: Writer,
}

/// Where a voter's file is.
#[derive(Clone)]
pub enum Disk {
    /// In this folder.
    Folder(PathBuf),
    /// In memory, written at once and by nobody else's thread: what simulated
    /// voters come back to after a crash.
    #[cfg(feature = "simulation")]
    Memory(MemoryDisk),
}

/// A voter's file in memory; clones share it.
#[cfg(feature = "simulation")]
#[derive(Clone)]
pub struct MemoryDisk(Arc<Mutex<file::File>>);

#[cfg(feature = "simulation")]
impl MemoryDisk {
    /// A new, empty one.
    pub fn new() -> io::Result<Self> {
        file::File::open(std::path::Path::new(":memory:"))
            .map(|file| Self(Arc::new(Mutex::new(file))))
    }
}

/// Opens or makes a voter's storage; off the runtime, as it blocks.
pub(crate) async fn open(disk: Disk) -> io::Result<Storage> {
    match disk {
        Disk::Folder(folder) => tokio::task::spawn_blocking(move || open_folder(folder))
            .await
            .map_err(io::Error::other)?,
        #[cfg(feature = "simulation")]
        Disk::Memory(MemoryDisk(file)) => {
            let (held, snapshot) = {
                let mut file = writer::lock(&file);
                (file.load()?, file.snapshot()?)
            };
            restore(held, snapshot, Writer::direct(file))
        }
    }
}

fn open_folder(folder: PathBuf) -> io::Result<Storage> {
    std::fs::create_dir_all(&folder)?;
    let mut file = file::File::open(&folder.join(FILE))?;
    let (held, snapshot) = (file.load()?, file.snapshot()?);
    restore(held, snapshot, Writer::start(file)?)
}

fn restore(
    held: file::Held,
    snapshot: Option<(crate::types::SnapshotMeta, SnapshotBytes)>,
    writer: Writer,
) -> io::Result<Storage> {
    let (machine, published) = StateMachine::restore(snapshot, writer.clone())?;
    Ok(Storage { log: LogStore::new(held, writer.clone()), machine, published, writer })
}
