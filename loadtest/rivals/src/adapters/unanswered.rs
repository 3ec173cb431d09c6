//! Which request id stands for which message, until it is answered.

use super::LinkError;
use std::collections::HashMap;

/// Ids of one connection, from 1.
#[derive(Debug, Default)]
pub(super) struct Unanswered {
    last: u32,
    waiting: HashMap<u32, (u32, u32)>,
}

impl Unanswered {
    /// The id for message `number` of a pair.
    pub(super) fn add(&mut self, pair: u32, number: u32) -> u32 {
        self.last += 1;
        self.waiting.insert(self.last, (pair, number));
        self.last
    }

    /// The message, once: a second answer is a breach of the protocol.
    pub(super) fn answered(&mut self, id: u32) -> Result<(u32, u32), LinkError> {
        let unknown = || LinkError::Protocol(format!("{id} was answered but not asked"));
        self.waiting.remove(&id).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_answered_once() {
        let mut unanswered = Unanswered::default();
        assert_eq!((unanswered.add(7, 1), unanswered.add(7, 2)), (1, 2));
        assert_eq!(unanswered.answered(2).unwrap(), (7, 2));
        assert!(unanswered.answered(2).is_err() && unanswered.answered(3).is_err());
    }
}
