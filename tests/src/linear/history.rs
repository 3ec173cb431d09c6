//! What was asked and answered, and when.

use std::fmt::{self, Debug};
use std::time::{Duration, Instant};

/// What became of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<O> {
    /// It was answered.
    Returned {
        /// When, since the beginning of the history; not before the call.
        at: Duration,
        /// What.
        output: O,
    },
    /// Nobody knows: it may have taken effect, may still do so, or never.
    Unknown,
}

/// One operation of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation<I, O> {
    /// Who asked; only for people who read the report.
    pub process: u32,
    /// What was asked.
    pub input: I,
    /// When, since the beginning of the history.
    pub invoked: Duration,
    /// What became of it.
    pub outcome: Outcome<O>,
}

impl<I: Debug, O: Debug> fmt::Display for Operation<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (process, input) = (self.process, &self.input);
        let from = self.invoked.as_secs_f64();
        match &self.outcome {
            Outcome::Returned { at, output } => {
                let to = at.as_secs_f64();
                write!(
                    f,
                    "process {process:<3} {from:>10.6} to {to:>10.6} s  {input:?} -> {output:?}"
                )
            }
            Outcome::Unknown => {
                write!(f, "process {process:<3} {from:>10.6} to          ? s  {input:?} -> unknown")
            }
        }
    }
}

/// Writes down what one process does. All recorders of a history are made of one
/// moment, on one machine, so their times can be compared.
#[derive(Debug, Clone)]
pub struct Recorder<I, O> {
    begun: Instant,
    process: u32,
    operations: Vec<Operation<I, O>>,
}

impl<I, O> Recorder<I, O> {
    /// For `process` in the history that began then.
    pub fn new(begun: Instant, process: u32) -> Self {
        Self { begun, process, operations: Vec::new() }
    }

    /// Runs an operation and writes down when it was asked and answered; `None` as
    /// its answer means that its outcome is not known.
    pub async fn record(&mut self, input: I, work: impl Future<Output = Option<O>>)
    where
        O: Clone,
    {
        let invoked = self.begun.elapsed();
        let output = work.await;
        let at = self.begun.elapsed();
        let outcome = output.map_or(Outcome::Unknown, |output| Outcome::Returned { at, output });
        let process = self.process;
        self.operations.push(Operation { process, input, invoked, outcome });
    }

    /// What was written down last.
    pub fn last(&self) -> Option<&Operation<I, O>> {
        self.operations.last()
    }

    /// All that was written down.
    pub fn finish(self) -> Vec<Operation<I, O>> {
        self.operations
    }
}
