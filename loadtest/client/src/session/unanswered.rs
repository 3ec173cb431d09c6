//! Requests that have no final answer yet: kept in order with their ids, to be
//! repeated word for word. Bounded by [`Unanswered::new`]'s limit.

use crate::connection::HELLO_ID;
use crate::to_duration;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::{ClientFrame, Error, ErrorCode};
use std::collections::{BTreeMap, BTreeSet, HashMap};
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
    /// Messages among them, by conversation.
    messages: HashMap<String, BTreeSet<u32>>,
    /// Messages that were refused and follow one without an answer: repeated with
    /// that one, for before it they would only be refused again.
    parked: BTreeSet<u32>,
    due: BTreeSet<(Instant, u32)>,
    last_id: u32,
    limit: usize,
}

impl Unanswered {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            requests: BTreeMap::new(),
            messages: HashMap::new(),
            parked: BTreeSet::new(),
            due: BTreeSet::new(),
            last_id: HELLO_ID,
            limit,
        }
    }

    /// Keeps a request under a new id; `None` when there are too many.
    pub(super) fn add(&mut self, request: Request, asker: Asker) -> Option<u32> {
        if self.requests.len() >= self.limit {
            return None;
        }
        self.last_id += 1;
        if let Request::Send(send) = &request {
            let messages = self.messages.entry(send.conversation_id.clone()).or_default();
            messages.insert(self.last_id);
        }
        let frame = ClientFrame { id: self.last_id, request: Some(request) };
        self.requests.insert(self.last_id, Pending { frame, asker, repeated: false, refusals: 0 });
        Some(self.last_id)
    }

    pub(super) fn get(&self, id: u32) -> Option<&Pending> {
        self.requests.get(&id)
    }

    /// The frame to send now: a message names the one before it that has no answer
    /// yet, so that the server keeps their order whatever fails.
    pub(super) fn frame(&mut self, id: u32) -> Option<&ClientFrame> {
        let before = self.message_before(id);
        let pending = self.requests.get_mut(&id)?;
        if let Some(Request::Send(send)) = &mut pending.frame.request {
            send.after_client_msg_id = before.unwrap_or_default();
        }
        Some(&pending.frame)
    }

    fn message_before(&self, id: u32) -> Option<String> {
        let Some(Request::Send(send)) = &self.requests.get(&id)?.frame.request else { return None };
        let before = self.messages.get(&send.conversation_id)?.range(..id).next_back()?;
        match &self.requests.get(before)?.frame.request {
            Some(Request::Send(before)) => Some(before.client_msg_id.clone()),
            _ => None,
        }
    }

    fn remove(&mut self, id: u32) -> Option<Pending> {
        let pending = self.requests.remove(&id)?;
        if let Some(Request::Send(send)) = &pending.frame.request
            && let Some(messages) = self.messages.get_mut(&send.conversation_id)
        {
            messages.remove(&id);
            self.parked.remove(&id);
            // Those that waited for it go together: each names the one before it.
            if messages.range(..id).next().is_none() {
                let now = Instant::now();
                let next = messages.iter().filter(|next| self.parked.remove(next));
                self.due.extend(next.map(|next| (now, *next)));
            }
            if messages.is_empty() {
                self.messages.remove(&send.conversation_id);
            }
        }
        Some(pending)
    }

    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    /// The final answer has come.
    pub(super) fn answered(&mut self, id: u32) -> Option<Pending> {
        self.remove(id)
    }

    /// An error has come; `chance` in 0–1 spreads repeats.
    pub(super) fn refused(&mut self, id: u32, error: &Error, now: Instant, chance: f64) -> Refusal {
        let Some(pending) = self.requests.get_mut(&id) else { return Refusal::Unknown };
        let once_is_enough = error.code() == ErrorCode::Internal && pending.refusals > 0;
        if !error.retryable || once_is_enough {
            let asker = pending.asker;
            self.remove(id);
            return Refusal::Final(asker);
        }
        pending.refusals += 1;
        pending.repeated = true;
        if self.message_before(id).is_some() {
            self.parked.insert(id);
            return Refusal::Retried;
        }
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
        self.parked.clear();
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
    use frontdesk_proto::v1::{ListTeam, SendMessage};
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
    fn a_message_names_the_one_before_it_while_that_is_unanswered() {
        let say = |id: &str, conversation: &str| {
            Request::Send(SendMessage {
                client_msg_id: id.into(),
                conversation_id: conversation.into(),
                ..SendMessage::default()
            })
        };
        let mut unanswered = Unanswered::new(10);
        let mut add = |request| unanswered.add(request, Asker::User).unwrap();
        let (a1, b1, a2, a3) =
            (add(say("a1", "a")), add(say("b1", "b")), add(say("a2", "a")), add(say("a3", "a")));
        let mut after = |id| match &unanswered.frame(id).unwrap().request {
            Some(Request::Send(send)) => send.after_client_msg_id.clone(),
            _ => panic!("a message"),
        };
        assert_eq!([after(a1), after(b1), after(a2), after(a3)], ["", "", "a1", "a2"]);
        unanswered.answered(a1);
        unanswered.answered(a2);
        let frame = unanswered.frame(a3).unwrap().request.clone();
        assert_eq!(frame, Some(say("a3", "a")), "said again it names none that is answered");
    }

    #[test]
    fn a_refused_message_is_repeated_behind_the_one_before_it() {
        let say = |id: &str| {
            let client_msg_id = id.to_owned();
            Request::Send(SendMessage { client_msg_id, ..SendMessage::default() })
        };
        let mut unanswered = Unanswered::new(10);
        let ids = ["m1", "m2", "m3"].map(|id| unanswered.add(say(id), Asker::User).unwrap());
        let (now, away) = (Instant::now(), error(ErrorCode::Unavailable, true));
        for id in ids {
            assert_eq!(unanswered.refused(id, &away, now, 0.0), Refusal::Retried);
        }
        let later = now + Duration::from_secs(60);
        assert_eq!(unanswered.take_due(later), Some(ids[0]));
        assert_eq!(unanswered.take_due(later), None, "the others wait for its answer");
        unanswered.answered(ids[0]);
        assert_eq!(unanswered.take_due(later), Some(ids[1]));
        assert_eq!(unanswered.take_due(later), Some(ids[2]));
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
