//! What is told of a history that is not linearizable.

use super::Operation;
use std::fmt::{self, Debug, Write as _};

/// Steps of the prefix that are printed: what went before is rarely of interest.
const LAST_STEPS: usize = 15;

/// Why a history did not pass.
#[derive(Debug, Clone)]
pub enum Failure {
    /// No order of its operations explains it.
    Violated(Box<Violation>),
    /// Too much would have to be tried; nothing is said of it.
    Undecided {
        /// The object.
        key: String,
        /// States that were tried.
        explored: usize,
    },
}

/// A part of a history that is not linearizable. Numbers are those of the
/// operations in the history as it was given.
#[derive(Debug, Clone)]
pub struct Violation {
    /// The object.
    pub key: String,
    /// The longest order that explains its beginning.
    pub prefix: Vec<usize>,
    /// Those of which one had to come next, and none could.
    pub stuck: Vec<usize>,
    /// Called before that, with an unknown outcome, and not in the prefix.
    pub pending: Vec<usize>,
    text: String,
}

impl Violation {
    /// `states` are those after each operation of the prefix, the first before it.
    pub(super) fn new<I: Debug, O: Debug, S: Debug>(
        key: String,
        history: &[Operation<I, O>],
        (prefix, states): (Vec<usize>, Vec<S>),
        stuck: Vec<usize>,
        pending: Vec<usize>,
    ) -> Self {
        let mut text = String::new();
        let skipped = prefix.len().saturating_sub(LAST_STEPS);
        let _ = writeln!(text, "object {key}: {} operations can be ordered", prefix.len());
        if skipped > 0 {
            let _ = writeln!(text, "  ({skipped} before these)");
        }
        let _ = writeln!(text, "  {:?}", states[skipped]);
        for (operation, state) in prefix.iter().zip(&states[1..]).skip(skipped) {
            let _ = writeln!(text, "  {}\n    = {state:?}", history[*operation]);
        }
        for (title, operations) in [
            ("one of these comes next, and none can:", &stuck),
            ("these may have happened, and it would not help:", &pending),
        ] {
            if !operations.is_empty() {
                let _ = writeln!(text, "{title}");
            }
            for operation in operations {
                let _ = writeln!(text, "  {}", history[*operation]);
            }
        }
        Self { key, prefix, stuck, pending, text }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violated(violation) => write!(f, "not linearizable\n{violation}"),
            Self::Undecided { key, explored } => {
                write!(f, "object {key}: nothing found after {explored} states")
            }
        }
    }
}

impl std::error::Error for Failure {}
