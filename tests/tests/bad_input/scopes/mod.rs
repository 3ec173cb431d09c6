//! Every verb × every role × own, somebody else's and another site's conversation, as
//! one table; every call of every public service and every route of HTTP beside it.
//! What may be asked is taken from the schema and from the API's description: a verb
//! without a rule does not compile, a call or route without one fails here.

mod audited;
mod calls;
mod routes;
mod rules;
mod samples;
mod verbs;
mod world;

use samples::samples;

use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::{Error, ErrorCode};
use frontdesk_tests::wire::{fresh_id, message};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    Visitor,
    Agent,
    Supervisor,
}

/// About whose conversation: one the caller has, one of its site, one of another site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Own,
    Other,
    Elsewhere,
}

const CALLERS: [(Who, Place); 9] = [
    (Who::Visitor, Place::Own),
    (Who::Visitor, Place::Other),
    (Who::Visitor, Place::Elsewhere),
    (Who::Agent, Place::Own),
    (Who::Agent, Place::Other),
    (Who::Agent, Place::Elsewhere),
    (Who::Supervisor, Place::Own),
    (Who::Supervisor, Place::Other),
    (Who::Supervisor, Place::Elsewhere),
];

/// What becomes of a request, as far as rights go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Carried out, or refused for another reason than who asks.
    May,
    /// The role may not.
    Denied,
    /// As if there were no such conversation.
    Absent,
}

impl Cell {
    fn of(error: Option<&Error>) -> Self {
        match error.map(Error::code) {
            None | Some(ErrorCode::InvalidArgument | ErrorCode::FailedPrecondition) => Self::May,
            Some(ErrorCode::PermissionDenied) => Self::Denied,
            Some(ErrorCode::NotFound) => Self::Absent,
            Some(_) => panic!("neither carried out nor refused: {error:?}"),
        }
    }
}

/// The answers to one verb.
#[derive(Debug, Clone, Copy)]
struct Rule {
    visitor: [Cell; 3],
    agent: [Cell; 3],
    supervisor: [Cell; 3],
}

impl Rule {
    fn cell(&self, who: Who, place: Place) -> Cell {
        let row = match who {
            Who::Visitor => self.visitor,
            Who::Agent => self.agent,
            Who::Supervisor => self.supervisor,
        };
        row[place as usize]
    }
}

/// The requests about a conversation that the table answers so.
pub(crate) fn those(cell: Cell, who: Who, place: Place, id: &str) -> Vec<Request> {
    let answered_so = |request: &Request| rules::rule(request).1.cell(who, place) == cell;
    let found: Vec<Request> = samples(id, &fresh_id()).into_iter().filter(answered_so).collect();
    assert!(!found.is_empty(), "the table has none");
    found
}
