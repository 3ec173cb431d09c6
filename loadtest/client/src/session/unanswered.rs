//! Requests that have no final answer yet: kept in order with their ids, to be
//! repeated word for word. Bounded by [`Unanswered::new`]'s limit.

use crate::connection::HELLO_ID;
use crate::to_duration;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::{ClientFrame, Error, ErrorCode};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// Who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// The session's user, who is told the answer.
    User,
    /// The session itself, to heal a conversation.
    Healing,
    /// The session itself, to stay signed in.
    Token,
}

#[derive(Debug)]
pub(super) struct Pending {
    pub(super) frame: ClientFrame,
    pub(super) asker: Asker,
    /// It was sent more than once, on this connection or an earlier one.
    pub(super) repeated: bool,
    refusals: u32,
}

/// What an error means for a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It will be repeated by itself.
    Retried,
    /// It is over.
    Final(Asker),
    /// Nothing of this id is under way.
    Unknown,
}

#[derive(Debug)]
pub(super) struct Unanswered {
    requests: BTreeMap<u32, Pending>,
    due: BTreeSet<(Instant, u32)>,
    last_id: u32,
    limit: usize,
}

impl Unanswered {
    pub(super) fn new(limit: usize) -> Self {
        Self { requests: BTreeMap::new(), due: BTreeSet::new(), last_id: HELLO_ID, limit }
    }

    /// Keeps a request under a new id; `None` when there are too many.
    pub(super) fn add(&mut self, request: Request, asker: Asker) -> Option<u32> {
        if self.requests.len() >= self.limit {
            return None;
        }
        self.last_id += 1;
        let frame = ClientFrame { id: self.last_id, request: Some(request) };
        self.requests.insert(self.last_id, Pending { frame, asker, repeated: false, refusals: 0 });
        Some(self.last_id)
    }

    pub(super) fn get(&self, id: u32) -> Option<&Pending> {
        self.requests.get(&id)
    }

    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    /// The final answer has come.
    pub(super) fn answered(&mut self, id: u32) -> Option<Pending> {
        self.requests.remove(&id)
    }

    /// An error has come; `chance` in 0–1 spreads repeats.
    pub(super) fn refused(&mut self, id: u32, error: &Error, now: Instant, chance: f64) -> Refusal {
        let Some(pending) = self.requests.get_mut(&id) else { return Refusal::Unknown };
        let once_is_enough = error.code() == ErrorCode::Internal && pending.refusals > 0;
        if !error.retryable || once_is_enough {
            let asker = pending.asker;
            self.requests.remove(&id);
            return Refusal::Final(asker);
        }
        pending.refusals += 1;
        pending.repeated = true;
        let spread = Duration::from_millis(50).mul_f64(chance);
        self.due.insert((now + to_duration(error.retry_after.as_ref()) + spread, id));
        Refusal::Retried
    }

    /// When the next repeat is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes a repeat that is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<u32> {
        let (at, id) = *self.due.first()?;
        if at > now {
            return None;
        }
        self.due.pop_first();
        Some(id)
    }

    /// All that is to be repeated on a new connection, in order. What the
    /// session had asked for the old one is dropped.
    pub(super) fn repeat_all(&mut self) -> Vec<u32> {
        self.due.clear();
        self.requests.retain(|_, pending| pending.asker == Asker::User);
        for pending in self.requests.values_mut() {
            pending.refusals = 0;
            pending.repeated = true;
        }
        self.requests.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_proto::v1::ListTeam;
    use frontdesk_proto::wkt;

    fn error(code: ErrorCode, retryable: bool) -> Error {
        let retry_after = Some(wkt::Duration { seconds: 2, nanos: 0 });
        Error { code: code.into(), retryable, retry_after, ..Error::default() }
    }

    fn add(unanswered: &mut Unanswered) -> u32 {
        unanswered.add(Request::ListTeam(ListTeam {}), Asker::User).unwrap()
    }

    #[test]
    fn retryable_errors_come_back_after_their_pause() {
        let now = Instant::now();
        let mut unanswered = Unanswered::new(10);
        let id = add(&mut unanswered);
        let away = error(ErrorCode::Unavailable, true);
        assert_eq!(unanswered.refused(id, &away, now, 0.0), Refusal::Retried);
        assert_eq!(unanswered.take_due(now + Duration::from_millis(1_999)), None);
        assert_eq!(unanswered.take_due(now + Duration::from_secs(2)), Some(id));
        assert_eq!(unanswered.next_due(), None);
        assert!(unanswered.answered(id).is_some() && unanswered.answered(id).is_none());
    }

    #[test]
    fn final_errors_and_a_second_internal_one_end_a_request() {
        let now = Instant::now();
        let mut unanswered = Unanswered::new(10);
        let id = add(&mut unanswered);
        let defect = error(ErrorCode::Internal, true);
        assert_eq!(unanswered.refused(id, &defect, now, 0.0), Refusal::Retried);
        assert_eq!(unanswered.refused(id, &defect, now, 0.0), Refusal::Final(Asker::User));
        let id = add(&mut unanswered);
        let refused = error(ErrorCode::NotFound, false);
        assert_eq!(unanswered.refused(id, &refused, now, 0.0), Refusal::Final(Asker::User));
        assert_eq!(unanswered.refused(id, &refused, now, 0.0), Refusal::Unknown);
    }

    #[test]
    fn repeats_keep_order_and_ids_and_the_limit_holds() {
        let mut unanswered = Unanswered::new(3);
        let ids = [add(&mut unanswered), add(&mut unanswered)];
        unanswered.add(Request::ListTeam(ListTeam {}), Asker::Healing).unwrap();
        assert_eq!(unanswered.add(Request::ListTeam(ListTeam {}), Asker::User), None);
        assert_eq!(unanswered.repeat_all(), ids);
        assert_eq!(unanswered.len(), 2);
    }
}
