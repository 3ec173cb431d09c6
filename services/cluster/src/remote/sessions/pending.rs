//! One ask on its way to an owner, and whoever waits for the answer.

use bytes::Bytes;
use frontdesk_core::conversation::Outcome;
use frontdesk_core::ids::Seq;
use frontdesk_core::time::Timestamp;
use frontdesk_core::trace::TraceContext;
use frontdesk_proto::api::ApiError;
use frontdesk_proto::convert::error_from_failure;
use frontdesk_proto::internal::link_answer::Answer;
use frontdesk_proto::internal::link_ask::Ask;
use frontdesk_proto::internal::{LinkDetach, LinkHint};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Encoded once, however often it is sent.
pub(super) enum Asked {
    Command(Bytes, oneshot::Sender<Result<Outcome, ApiError>>),
    Attach(Bytes, oneshot::Sender<Result<Bytes, ApiError>>),
    Detach(LinkDetach),
    VisitorLeft(LinkDetach),
    Hint(LinkHint),
}

pub(super) struct Pending {
    pub(super) asked: Asked,
    /// Set when it is recorded.
    pub(super) trace: Option<Box<TraceContext>>,
    /// Not sent again after this.
    pub(super) give_up: Instant,
}

impl Pending {
    /// Not part of a trace that is recorded.
    pub(super) fn new(asked: Asked, give_up: Instant) -> Self {
        Self { asked, trace: None, give_up }
    }

    /// As it goes on the wire.
    pub(super) fn ask(&self) -> Ask {
        match &self.asked {
            Asked::Command(command, _) => Ask::Command(command.clone()),
            Asked::Attach(request, _) => Ask::Attach(request.clone()),
            Asked::Detach(detach) => Ask::Detach(detach.clone()),
            Asked::VisitorLeft(left) => Ask::VisitorLeft(left.clone()),
            Asked::Hint(hint) => Ask::Hint(hint.clone()),
        }
    }

    /// Whether somebody waits for an answer; others are sent once.
    pub(super) fn is_awaited(&self) -> bool {
        match &self.asked {
            Asked::Command(_, answer) => !answer.is_closed(),
            Asked::Attach(_, answer) => !answer.is_closed(),
            Asked::Detach(_) | Asked::VisitorLeft(_) | Asked::Hint(_) => false,
        }
    }

    /// Gives the owner's answer on. An ask that another node must answer comes
    /// back. Who asked may have gone.
    pub(super) fn settle(self, answer: Option<Answer>) -> Option<Self> {
        match (self.asked, answer) {
            (asked, Some(Answer::Failure(failure))) => match error_from_failure(failure) {
                ApiError::Moved => {
                    return Some(Self { asked, trace: self.trace, give_up: self.give_up });
                }
                error => refuse(asked, error),
            },
            (Asked::Command(_, to), Some(Answer::Done(_))) => drop(to.send(Ok(Outcome::Done))),
            (Asked::Command(_, to), Some(Answer::Sent(sent))) => drop(to.send(Ok(Outcome::Sent {
                seq: Seq::new(sent.seq),
                at: Timestamp::from_millis(sent.at_ms),
                duplicate: sent.duplicate,
            }))),
            (Asked::Attach(_, to), Some(Answer::Attached(bytes))) => drop(to.send(Ok(bytes))),
            (Asked::Detach(_) | Asked::VisitorLeft(_) | Asked::Hint(_), _) => {}
            (asked @ (Asked::Command(..) | Asked::Attach(..)), _) => {
                let error = ApiError::Internal("an answer of another kind".into());
                refuse(asked, error);
            }
        }
        None
    }

    /// Answers that it was not done, or that nobody knows.
    pub(super) fn refuse(self, error: ApiError) {
        refuse(self.asked, error);
    }
}

fn refuse(asked: Asked, error: ApiError) {
    match asked {
        Asked::Command(_, answer) => drop(answer.send(Err(error))),
        Asked::Attach(_, answer) => drop(answer.send(Err(error))),
        Asked::Detach(_) | Asked::VisitorLeft(_) | Asked::Hint(_) => {}
    }
}
