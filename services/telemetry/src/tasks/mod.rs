//! Every task of the process by its name: how many live, for how long, how often and how
//! long they ran, so that one that is stuck, or never rests, is seen. Tasks of the product
//! begin here and nowhere else; a lint refuses `tokio::spawn`.
//!
//! Never decides anything by what it measures, and holds no lock while a task runs.

mod panics;
mod record;
#[cfg(test)]
mod tests;

pub use panics::log_panics;
pub use record::TaskGroup;

use pin_project_lite::pin_project;
use record::{Kind, Record};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio_util::task::TaskTracker;

/// All kinds of tasks that there have been, by their names; a few dozen.
static KINDS: Mutex<BTreeMap<&'static str, Arc<Kind>>> = Mutex::new(BTreeMap::new());

thread_local! {
    /// The task that this thread runs.
    static RUNNING: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Starts a task under a name that all tasks of its kind share, such as
/// `gateway.connection`. To be called within a runtime.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "the one place where tasks begin")]
pub fn spawn<F>(name: &'static str, task: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(watched(name, task))
}

/// The same, in a set that owns it.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "the one place where tasks begin")]
pub fn spawn_in<T, F>(set: &mut JoinSet<T>, name: &'static str, task: F) -> AbortHandle
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    set.spawn(watched(name, task))
}

/// The same, counted by a tracker that waits for it.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "the one place where tasks begin")]
pub fn spawn_tracked<F>(tracker: &TaskTracker, name: &'static str, task: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tracker.spawn(watched(name, task))
}

/// All tasks now, one group for each name, in the order of the names.
pub fn all() -> Vec<TaskGroup> {
    let kinds: Vec<Arc<Kind>> = kinds().values().cloned().collect();
    let now = Instant::now();
    kinds.iter().map(|kind| kind.group(now)).collect()
}

/// The name of the task that runs on this thread, if it is one.
fn running() -> Option<&'static str> {
    RUNNING.get()
}

fn kinds() -> MutexGuard<'static, BTreeMap<&'static str, Arc<Kind>>> {
    // A map of whole values is as good after a panic as before.
    KINDS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watched<F: Future>(name: &'static str, task: F) -> Watched<F> {
    let kind = kinds().entry(name).or_insert_with(|| Arc::new(Kind::new(name))).clone();
    Watched { task, entry: Entry { record: kind.begin(Instant::now()), kind } }
}

pin_project! {
    /// A task that is measured whenever it runs.
    struct Watched<F> {
        #[pin]
        task: F,
        // Behind the task: what that does when it is dropped is within its life.
        entry: Entry,
    }
}

/// A task's place among the live ones; given back when dropped, however it ends.
struct Entry {
    kind: Arc<Kind>,
    record: Arc<Record>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.kind.end(&self.record);
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _run = Run::begin(this.entry);
        this.task.poll(context)
    }
}

/// One run of a task, from being polled to giving the thread back.
struct Run<'a> {
    entry: &'a Entry,
    begun: Instant,
    /// Tasks do not run within tasks, but a runtime may be entered within one in tests.
    outer: Option<&'static str>,
}

impl<'a> Run<'a> {
    fn begin(entry: &'a Entry) -> Self {
        let begun = Instant::now();
        entry.record.begins(begun);
        Self { entry, begun, outer: RUNNING.replace(Some(entry.kind.name())) }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.entry.record.rests(self.begun.elapsed());
        RUNNING.set(self.outer);
        if std::thread::panicking() {
            self.entry.kind.panicked();
        }
    }
}
