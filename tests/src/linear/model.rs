//! What a checked object is, said sequentially.

use std::fmt::Debug;
use std::hash::Hash;

/// A family of independent, deterministic objects, each named by a key.
///
/// A history is linearizable when the part of every object is, so each object is
/// checked alone.
pub trait Model {
    /// Names one object; `()` when there is only one.
    type Key: Clone + Ord + Debug;
    /// What an object remembers.
    type State: Clone + Eq + Hash + Debug;
    /// What is asked.
    type Input: Clone + Debug;
    /// What is answered.
    type Output: Clone + Debug;

    /// Which object is asked.
    fn key(&self, input: &Self::Input) -> Self::Key;

    /// An object at the beginning.
    fn initial(&self, key: &Self::Key) -> Self::State;

    /// The state after `input` was answered with `output`; `None` when it cannot
    /// have been. Without an output the answer is not known: then the state after
    /// the operation took effect, or `None` when it could only have been refused.
    fn step(
        &self,
        state: &Self::State,
        input: &Self::Input,
        output: Option<&Self::Output>,
    ) -> Option<Self::State>;
}
