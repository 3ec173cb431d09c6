//! A few threads, each with a connection of its own, for work that may block.
//! Bounded: when all that may wait waits, more is refused at once.

use rusqlite::Connection;
use std::future::Future;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

type Task = Box<dyn FnOnce(&mut Connection) + Send>;

/// Why work was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkError {
    /// As much waits as may wait; nothing was done.
    #[error("too many requests wait for the database")]
    Full,
    /// The threads have been stopped.
    #[error("the database is closed")]
    Stopped,
    /// SQLite refused.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

/// The threads.
#[derive(Debug)]
pub(super) struct Workers {
    /// `None` once stopped.
    tasks: Mutex<Option<SyncSender<Task>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Workers {
    /// Starts one thread per connection; at most `max_waiting` tasks wait.
    pub(super) fn start(
        name: &'static str,
        connections: Vec<Connection>,
        max_waiting: usize,
    ) -> std::io::Result<Self> {
        let (tasks, receiver) = sync_channel(max_waiting);
        let receiver = Arc::new(Mutex::new(receiver));
        let threads = connections
            .into_iter()
            .enumerate()
            .map(|(n, connection)| {
                let receiver = receiver.clone();
                std::thread::Builder::new()
                    .name(format!("{name}-{n}"))
                    .spawn(move || work(connection, &receiver))
            })
            .collect::<std::io::Result<Vec<_>>>()?;
        Ok(Self { tasks: Mutex::new(Some(tasks)), threads: Mutex::new(threads) })
    }

    /// Queues work before this returns; the future resolves when it is done.
    pub(super) fn run<T, F>(
        &self,
        work: F,
    ) -> impl Future<Output = Result<T, WorkError>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let task: Task = Box::new(move |connection| {
            // Whoever asked may have gone away.
            let _ = reply.send(work(connection));
        });
        let queued = match &*self.tasks.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Err(WorkError::Stopped),
            Some(tasks) => tasks.try_send(task).map_err(|e| match e {
                TrySendError::Full(_) => WorkError::Full,
                TrySendError::Disconnected(_) => WorkError::Stopped,
            }),
        };
        async move {
            queued?;
            Ok(answer.await.map_err(|_| WorkError::Stopped)??)
        }
    }

    /// Does what waits, then ends the threads. Blocks until they have ended.
    pub(super) fn stop(&self) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).take();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a database thread had panicked");
            }
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop();
    }
}

fn work(mut connection: Connection, tasks: &Mutex<Receiver<Task>>) {
    loop {
        // The lock is held while waiting: the other threads then wait for the
        // lock instead, which comes to the same.
        let next = tasks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(task) = next else { return };
        task(&mut connection);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[tokio::test]
    async fn more_than_may_wait_is_refused_and_stop_finishes_what_waits() {
        let connection = Connection::open_in_memory().unwrap();
        let workers = Workers::start("test", vec![connection], 1).unwrap();
        let (started, has_started) = channel();
        let (release, released) = channel::<()>();
        let running = workers.run(move |_| {
            started.send(()).unwrap();
            released.recv().unwrap();
            Ok(1)
        });
        has_started.recv().unwrap();
        let waiting = workers.run(|_| Ok(2));
        assert!(matches!(workers.run(|_| Ok(3)).await, Err(WorkError::Full)));
        release.send(()).unwrap();
        workers.stop();
        assert_eq!((running.await.unwrap(), waiting.await.unwrap()), (1, 2));
        assert!(matches!(workers.run(|_| Ok(4)).await, Err(WorkError::Stopped)));
    }
}
