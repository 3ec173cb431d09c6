//! The table of the client protocol.

use super::Cell::{Absent, Denied, May};
use super::{Cell, Rule};
use frontdesk_proto::v1::client_frame::Request;

const ALL: [Cell; 3] = [May, May, May];
const NONE: [Cell; 3] = [Denied, Denied, Denied];
/// Its own, and knows of no other.
const OWN: [Cell; 3] = [May, Absent, Absent];
/// What it has; of the site's others it may know.
const HAS: [Cell; 3] = [May, Denied, Absent];
/// All of its site.
const SITE: [Cell; 3] = [May, May, Absent];

/// Concerns nobody's conversation.
const ANYBODY: Rule = Rule { visitor: ALL, agent: ALL, supervisor: ALL };
const STAFF: Rule = Rule { visitor: NONE, agent: ALL, supervisor: ALL };
const BOARD: Rule = Rule { visitor: NONE, agent: NONE, supervisor: ALL };
/// Concerns a conversation.
const TAKE_PART: Rule = Rule { visitor: OWN, agent: OWN, supervisor: HAS };
const READ: Rule = Rule { visitor: OWN, agent: OWN, supervisor: SITE };
const VISITOR: Rule = Rule { visitor: OWN, agent: NONE, supervisor: NONE };
const HOLDER: Rule = Rule { visitor: NONE, agent: OWN, supervisor: HAS };
const STAFFS: Rule = Rule { visitor: NONE, agent: OWN, supervisor: SITE };
const SUPERVISE: Rule = Rule { visitor: NONE, agent: NONE, supervisor: SITE };

/// The name in the schema and the rule. No verb is left to a wildcard: a new one needs a
/// line here, and in `samples`.
pub(super) fn rule(request: &Request) -> (&'static str, Rule) {
    match request {
        Request::Hello(_) => ("hello", ANYBODY),
        Request::RefreshToken(_) => ("refresh_token", ANYBODY),
        Request::Pong(_) => ("pong", ANYBODY),
        Request::Start(_) => ("start", VISITOR),
        Request::Rate(_) => ("rate", VISITOR),
        Request::Reopen(_) => ("reopen", VISITOR),
        Request::LeaveContact(_) => ("leave_contact", VISITOR),
        Request::Send(_) => ("send", TAKE_PART),
        Request::Typing(_) => ("typing", TAKE_PART),
        Request::MarkRead(_) => ("mark_read", TAKE_PART),
        Request::Close(_) => ("close", READ),
        Request::Subscribe(_) => ("subscribe", READ),
        Request::Unsubscribe(_) => ("unsubscribe", ANYBODY),
        Request::GetHistory(_) => ("get_history", READ),
        Request::ListConversations(_) => ("list_conversations", ANYBODY),
        Request::SetStatus(_) => ("set_status", STAFF),
        Request::AcceptOffer(_) => ("accept_offer", STAFFS),
        Request::DeclineOffer(_) => ("decline_offer", STAFFS),
        Request::AddNote(_) => ("add_note", STAFFS),
        Request::Transfer(_) => ("transfer", HOLDER),
        Request::SetTags(_) => ("set_tags", STAFFS),
        Request::ListTeam(_) => ("list_team", STAFF),
        Request::Invite(_) => ("invite", STAFFS),
        Request::Join(_) => ("join", STAFFS),
        Request::Leave(_) => ("leave", STAFFS),
        Request::Whisper(_) => ("whisper", SUPERVISE),
        Request::TakeOver(_) => ("take_over", SUPERVISE),
        Request::ForceRelease(_) => ("force_release", SUPERVISE),
        Request::SetPriority(_) => ("set_priority", SUPERVISE),
        Request::WatchBoard(_) => ("watch_board", BOARD),
    }
}

/// Whether a conversation may have another holder, or none, once this is carried out.
pub(super) fn spends(request: &Request) -> bool {
    matches!(
        request,
        Request::Close(_)
            | Request::Reopen(_)
            | Request::Transfer(_)
            | Request::Leave(_)
            | Request::TakeOver(_)
            | Request::ForceRelease(_)
    )
}
