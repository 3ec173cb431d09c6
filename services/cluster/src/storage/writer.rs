//! The thread that owns the file. What waits is written in one transaction, so
//! the rate of fsyncs does not bound the rate of appends. Order is that of the
//! calls. A disk that is full is waited for: the voter stalls and recovers by
//! itself, rather than stop.

use super::SnapshotBytes;
use super::file::{Change, File, may_pass};
use crate::metrics;
use crate::types::{Entry, SnapshotMeta, TypeConfig};
use openraft::storage::IOFlushed;
use std::collections::VecDeque;
use std::io;
#[cfg(feature = "simulation")]
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// Jobs that wait. The consensus core hands over a few at a time; then it waits.
const QUEUE: usize = 256;
/// Changes written in one transaction.
const BATCH: usize = 256;
/// Pause before a write that failed is repeated.
const RETRY: Duration = Duration::from_millis(250);

/// Who hears that a change is on stable storage.
pub(super) enum Done {
    Flushed(IOFlushed<TypeConfig>),
    Reply(oneshot::Sender<io::Result<()>>),
}

impl Done {
    fn tell(self, outcome: io::Result<()>) {
        match self {
            Self::Flushed(flushed) => flushed.io_completed(outcome),
            // The asker may have given up.
            Self::Reply(reply) => drop(reply.send(outcome)),
        }
    }
}

type Read = Box<dyn FnOnce(&File) + Send>;

enum Job {
    Write(Change, Done),
    /// Need not be durable by itself: written along with the next write.
    Lazy(Change),
    Read(Read),
    Stop(oneshot::Sender<()>),
}

/// Hands jobs to the thread. The thread ends when the last handle is gone.
#[derive(Clone)]
pub(crate) struct Writer {
    hand: Hand,
}

/// Who does the jobs.
#[derive(Clone)]
enum Hand {
    Thread(mpsc::Sender<Job>),
    /// Whoever asks, at once.
    #[cfg(feature = "simulation")]
    Caller(Arc<Mutex<File>>),
}

#[cfg(feature = "simulation")]
pub(super) fn lock(file: &Mutex<File>) -> MutexGuard<'_, File> {
    // Every change is a transaction: what is there after a panic is whole.
    file.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(file: File) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        // Owned by its handles: ends with the last of them, or at `stop`.
        std::thread::Builder::new()
            .name("raft-storage".into())
            .spawn(move || Thread { file, queue, lazy: Vec::new() }.run())?;
        Ok(Self { hand: Hand::Thread(jobs) })
    }

    /// Without a thread: each call does its own job.
    #[cfg(feature = "simulation")]
    pub(super) fn direct(file: Arc<Mutex<File>>) -> Self {
        Self { hand: Hand::Caller(file) }
    }

    /// Queues entries; `flushed` hears when they are on stable storage.
    pub(super) async fn append(
        &self,
        entries: Vec<(u64, Vec<u8>)>,
        flushed: IOFlushed<TypeConfig>,
    ) -> io::Result<()> {
        self.send(Job::Write(Change::Append(entries), Done::Flushed(flushed))).await
    }

    /// Writes a change and waits until it is on stable storage.
    pub(super) async fn write(&self, change: Change) -> io::Result<()> {
        let (done, written) = oneshot::channel();
        self.send(Job::Write(change, Done::Reply(done))).await?;
        written.await.map_err(|_| gone())?
    }

    /// Queues a change that costs nothing to lose.
    pub(super) async fn write_lazily(&self, change: Change) -> io::Result<()> {
        self.send(Job::Lazy(change)).await
    }

    /// Entries from `start` to before `end`, as they are after all earlier calls.
    pub(super) async fn entries(&self, start: u64, end: u64) -> io::Result<Vec<Entry>> {
        self.read(move |file| file.entries(start, end)).await
    }

    /// The newest snapshot.
    pub(super) async fn snapshot(&self) -> io::Result<Option<(SnapshotMeta, SnapshotBytes)>> {
        self.read(File::snapshot).await
    }

    /// Writes what waits, closes the file and ends the thread.
    pub(crate) async fn stop(&self) {
        let (done, stopped) = oneshot::channel();
        if self.send(Job::Stop(done)).await.is_ok() {
            // An error says as well that the thread has ended.
            let _ = stopped.await;
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&File) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let (done, answer) = oneshot::channel();
        let job = Job::Read(Box::new(move |file| {
            // The asker may have given up.
            let _ = done.send(read(file));
        }));
        self.send(job).await?;
        answer.await.map_err(|_| gone())?
    }

    async fn send(&self, job: Job) -> io::Result<()> {
        match &self.hand {
            Hand::Thread(jobs) => jobs.send(job).await.map_err(|_| gone()),
            #[cfg(feature = "simulation")]
            Hand::Caller(file) => {
                do_now(&mut lock(file), job);
                Ok(())
            }
        }
    }
}

/// Does a job as the thread would, without waiting for others to go along.
#[cfg(feature = "simulation")]
fn do_now(file: &mut File, job: Job) {
    match job {
        Job::Read(read) => read(file),
        Job::Lazy(change) => {
            // It costs nothing to lose.
            let _ = file.commit([change].iter());
        }
        Job::Write(change, done) => done.tell(file.commit([change].iter())),
        Job::Stop(stopped) => drop(stopped.send(())),
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the storage thread has ended")
}

struct Thread {
    file: File,
    queue: mpsc::Receiver<Job>,
    /// Changes that go with the next write: the newest of each kind.
    lazy: Vec<Change>,
}

impl Thread {
    fn run(mut self) {
        let mut waiting = VecDeque::new();
        while let Some(job) = waiting.pop_front().or_else(|| self.queue.blocking_recv()) {
            match job {
                Job::Read(read) => read(&self.file),
                Job::Lazy(change) => self.keep(change),
                Job::Write(change, done) => {
                    let mut batch = vec![(change, done)];
                    self.gather(&mut batch, &mut waiting);
                    self.write(batch);
                }
                Job::Stop(stopped) => {
                    self.write(Vec::new());
                    drop(self);
                    let _ = stopped.send(());
                    return;
                }
            }
        }
        self.write(Vec::new());
    }

    /// Takes the writes that wait behind the first, up to another kind of job.
    fn gather(&mut self, batch: &mut Vec<(Change, Done)>, waiting: &mut VecDeque<Job>) {
        while batch.len() < BATCH {
            match waiting.pop_front().map_or_else(|| self.queue.try_recv(), Ok) {
                Ok(Job::Write(change, done)) => batch.push((change, done)),
                Ok(Job::Lazy(change)) => self.keep(change),
                Ok(other) => return waiting.push_front(other),
                Err(_) => return,
            }
        }
    }

    fn keep(&mut self, change: Change) {
        self.lazy.retain(|c| std::mem::discriminant(c) != std::mem::discriminant(&change));
        self.lazy.push(change);
    }

    fn write(&mut self, batch: Vec<(Change, Done)>) {
        if batch.is_empty() && self.lazy.is_empty() {
            return;
        }
        let started = Instant::now();
        let mut told = false;
        let result = loop {
            let changes = batch.iter().map(|(change, _)| change).chain(&self.lazy);
            match self.file.commit(changes) {
                Err(e) if may_pass(&e) && !self.queue.is_closed() => {
                    metrics::commit_failed();
                    if !told {
                        tracing::error!(error = %e, "presence log cannot be written; waiting");
                        told = true;
                    }
                    std::thread::sleep(RETRY);
                }
                other => break other,
            }
        };
        if told && result.is_ok() {
            tracing::info!(waited = ?started.elapsed(), "presence log can be written again");
        }
        self.lazy.clear();
        metrics::committed(batch.len(), started.elapsed());
        for (_, done) in batch {
            done.tell(result.as_ref().copied().map_err(copy));
        }
    }
}

fn copy(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}
