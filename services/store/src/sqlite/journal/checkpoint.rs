//! Copies the log into the file on a thread of its own, while the writer goes on.
//! The writer does the rest, when there is little of it: only when the whole log
//! has been copied and nobody adds to it can it be used again from its start.

use metrics::counter;
use rusqlite::Connection;
use rusqlite::hooks::Wal;
use std::ffi::c_int;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// When to make checkpoints, in pages of the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// One is due. A page written by many groups is then copied once.
    pub(super) due: u32,
    /// So few are left to the writer: some milliseconds of its time.
    pub(super) few: u32,
    /// The writer waits for the thread.
    pub(super) most: u32,
}

/// 16 MiB, 1 MiB and 128 MiB of log.
pub(super) const LIMITS: Limits = Limits { due: 4 * 1024, few: 256, most: 32 * 1024 };

/// Times the thread goes over the log for one checkpoint: what is written
/// meanwhile is about a tenth of what it copies.
const PASSES: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    /// The thread is at it, or about to be.
    Copying,
    /// The rest is the writer's.
    RestLeft,
    /// The journal ends.
    Ended,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Pages of the log after the last commit.
    pages: AtomicU32,
    limits: Limits,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is one assignment: a poisoned state is a whole one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, unwanted: State) -> State {
        let state = self.lock();
        let waited = self.changed.wait_while(state, |state| *state == unwanted);
        *waited.unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the state unless the journal ends.
    fn set(&self, to: State) {
        let mut state = self.lock();
        if *state != State::Ended {
            *state = to;
        }
        drop(state);
        self.changed.notify_all();
    }
}

/// The thread; it ends with this.
#[derive(Debug)]
pub(super) struct Checkpointer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// The writer's end.
#[derive(Debug)]
pub(super) struct Log {
    shared: Arc<Shared>,
    /// Pages at which the next checkpoint begins: later after a failure.
    due: u32,
    /// Pages at which the writer waits for the thread.
    most: u32,
}

/// Starts the thread on a connection of its own; counts the commits of `writer`.
pub(super) fn start(
    own: Connection,
    writer: &mut Connection,
    limits: Limits,
) -> std::io::Result<(Checkpointer, Log)> {
    let (state, changed, pages) = (Mutex::new(State::Idle), Condvar::new(), AtomicU32::new(0));
    let shared = Arc::new(Shared { state, changed, pages, limits });
    let counted = shared.clone();
    let count = move |_: &mut Wal, pages: c_int| {
        counted.pages.store(pages.unsigned_abs(), Ordering::Relaxed);
        Ok(())
    };
    writer.wal_hook(Some(count)).map_err(std::io::Error::other)?;
    let log = Log { shared: shared.clone(), due: limits.due, most: limits.most };
    let of_thread = shared.clone();
    let thread = std::thread::Builder::new()
        .name("journal-checkpoint".into())
        .spawn(move || run(&of_thread, &own))?;
    Ok((Checkpointer { shared, thread: Some(thread) }, log))
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.shared.set(State::Ended);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("journal: the checkpointer had panicked");
        }
    }
}

impl Log {
    /// The whole file is in the log now: nobody is to wait until it is copied.
    pub(super) fn rewritten(&mut self) {
        let pages = self.shared.pages.load(Ordering::Relaxed);
        self.most = pages.saturating_add(self.shared.limits.most);
    }

    /// Whether the thread is at it, and more than a little may be left.
    pub(super) fn is_being_copied(&self) -> bool {
        *self.shared.lock() == State::Copying
    }

    /// After each commit, when its callers have been answered: begins or ends a
    /// checkpoint if it is time to.
    pub(super) fn committed(&mut self, connection: &Connection) {
        let pages = self.shared.pages.load(Ordering::Relaxed);
        if pages < self.due {
            return;
        }
        let mut state = *self.shared.lock();
        if state == State::Idle {
            state = State::Copying;
            self.shared.set(state);
        }
        if state == State::Copying && pages >= self.most {
            state = self.shared.wait_while(State::Copying);
        }
        if state == State::RestLeft {
            (self.due, self.most) = (self.shared.limits.due, self.shared.limits.most);
            if pass(connection).is_none_or(|left| left > 0) {
                // A reader still needs the log, or the disk is full: not again
                // with every commit.
                self.due = self.due.max(pages.saturating_add(self.shared.limits.few));
            }
            self.shared.set(State::Idle);
        }
    }
}

fn run(shared: &Shared, connection: &Connection) {
    let mut state = State::Idle;
    loop {
        state = shared.wait_while(state);
        match state {
            State::Ended => return,
            State::Copying => {
                copy(shared, connection);
                state = State::RestLeft;
                shared.set(state);
            }
            State::Idle | State::RestLeft => {}
        }
    }
}

/// Copies until little is left.
fn copy(shared: &Shared, connection: &Connection) {
    for _ in 0..PASSES {
        let before = shared.pages.load(Ordering::Relaxed);
        if pass(connection).is_none() {
            return;
        }
        let written = shared.pages.load(Ordering::Relaxed).saturating_sub(before);
        if written <= shared.limits.few {
            return;
        }
    }
}

/// Copies what is committed by now; gives the pages that could not be copied.
/// Blocks neither the writer nor readers.
fn pass(connection: &Connection) -> Option<i64> {
    let checkpoint = connection
        .prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")
        .and_then(|mut statement| statement.query_row([], |row| Ok((row.get(1)?, row.get(2)?))));
    match checkpoint {
        Ok((pages, copied)) => {
            let (pages, copied): (i64, i64) = (pages, copied);
            Some(pages - copied)
        }
        Err(error) => {
            counter!("frontdesk_journal_checkpoint_failures_total").increment(1);
            tracing::warn!(%error, "journal: the log could not be copied into the file");
            None
        }
    }
}

/// Copies the whole log and empties it: when nobody else uses the file.
pub(super) fn whole(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

#[cfg(test)]
mod tests {
    use super::super::schema::FORMAT;
    use super::*;
    use crate::sqlite::file::{open_checkpointer, open_reader, open_writer};
    use std::path::{Path, PathBuf};
    use tempfile::TempDir;

    const SMALL: Limits = Limits { due: 20, few: 4, most: 60 };
    /// A page of the log with its header.
    const FRAME: u64 = 4096 + 24;

    struct Fixture {
        _checkpointer: Checkpointer,
        log: Log,
        writer: Connection,
        path: PathBuf,
        _temp: TempDir,
    }

    impl Fixture {
        fn new() -> Self {
            let temp = tempfile::tempdir().unwrap();
            let path = temp.path().join("journal.db");
            let mut writer = open_writer(&path, &FORMAT).unwrap();
            whole(&writer).unwrap();
            let own = open_checkpointer(&path).unwrap();
            let (checkpointer, log) = start(own, &mut writer, SMALL).unwrap();
            Self { _checkpointer: checkpointer, log, writer, path, _temp: temp }
        }

        /// Each commit writes about four pages.
        fn commit(&mut self, commits: usize) {
            for _ in 0..commits {
                let insert = "INSERT INTO recent_0 (records) VALUES (zeroblob(8192))";
                self.writer.execute(insert, []).unwrap();
                self.log.committed(&self.writer);
            }
        }

        fn log_pages(&self) -> u64 {
            log_bytes(&self.path) / FRAME
        }
    }

    fn log_bytes(path: &Path) -> u64 {
        let log = path.with_extension("db-wal");
        std::fs::metadata(log).unwrap().len()
    }

    fn rows(connection: &Connection) -> i64 {
        connection.query_row("SELECT count(*) FROM recent_0", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn the_log_stays_small_however_much_is_written() {
        let mut fixture = Fixture::new();
        fixture.commit(1_000);
        // A commit beyond `most` waits; a few may come while the rest is copied.
        let most = u64::from(SMALL.most + SMALL.due);
        assert!(fixture.log_pages() <= most, "{} pages", fixture.log_pages());
        assert_eq!(rows(&open_reader(&fixture.path).unwrap()), 1_000);
    }

    #[test]
    fn a_reader_that_stays_holds_up_nobody_and_the_log_is_used_again_after() {
        let mut fixture = Fixture::new();
        fixture.commit(1);
        let reader = open_reader(&fixture.path).unwrap();
        reader.execute_batch("BEGIN").unwrap();
        assert_eq!(rows(&reader), 1);
        fixture.commit(200);
        assert_eq!(rows(&reader), 1);
        let grown = log_bytes(&fixture.path);
        assert!(grown > u64::from(SMALL.most) * FRAME, "{grown}");
        reader.execute_batch("COMMIT").unwrap();
        fixture.commit(1_000);
        assert!(log_bytes(&fixture.path) < 2 * grown, "{}", log_bytes(&fixture.path));
        assert_eq!(rows(&reader), 1_201);
    }
}
