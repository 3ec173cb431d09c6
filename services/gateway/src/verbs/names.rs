//! What requests are called and are about, for their errors and traces.

use frontdesk_proto::v1::client_frame::Request;

/// The request's name, as the schema has it.
pub(crate) const fn name_of(request: &Request) -> &'static str {
    match request {
        Request::Start(_) => "start",
        Request::Rate(_) => "rate",
        Request::Reopen(_) => "reopen",
        Request::LeaveContact(_) => "leave_contact",
        Request::Send(_) => "send",
        Request::Typing(_) => "typing",
        Request::MarkRead(_) => "mark_read",
        Request::Close(_) => "close",
        Request::Subscribe(_) => "subscribe",
        Request::Unsubscribe(_) => "unsubscribe",
        Request::GetHistory(_) => "get_history",
        Request::ListConversations(_) => "list_conversations",
        Request::SetStatus(_) => "set_status",
        Request::AcceptOffer(_) => "accept_offer",
        Request::DeclineOffer(_) => "decline_offer",
        Request::AddNote(_) => "add_note",
        Request::Transfer(_) => "transfer",
        Request::SetTags(_) => "set_tags",
        Request::ListTeam(_) => "list_team",
        Request::Invite(_) => "invite",
        Request::Join(_) => "join",
        Request::Leave(_) => "leave",
        Request::Whisper(_) => "whisper",
        Request::TakeOver(_) => "take_over",
        Request::ForceRelease(_) => "force_release",
        Request::SetPriority(_) => "set_priority",
        Request::WatchBoard(_) => "watch_board",
        Request::Hello(_) => "hello",
        Request::RefreshToken(_) => "refresh_token",
        Request::Pong(_) => "pong",
    }
}

/// The conversation that a request names, for its error.
pub(crate) fn conversation_of(request: &Request) -> Option<&str> {
    let id = match request {
        Request::Start(r) => &r.conversation_id,
        Request::Rate(r) => &r.conversation_id,
        Request::Reopen(r) => &r.conversation_id,
        Request::LeaveContact(r) => &r.conversation_id,
        Request::Send(r) => &r.conversation_id,
        Request::Typing(r) => &r.conversation_id,
        Request::MarkRead(r) => &r.conversation_id,
        Request::Close(r) => &r.conversation_id,
        Request::Subscribe(r) => &r.cursor.as_ref()?.conversation_id,
        Request::Unsubscribe(r) => &r.conversation_id,
        Request::GetHistory(r) => &r.conversation_id,
        Request::AcceptOffer(r) => &r.conversation_id,
        Request::DeclineOffer(r) => &r.conversation_id,
        Request::AddNote(r) => &r.conversation_id,
        Request::Transfer(r) => &r.conversation_id,
        Request::SetTags(r) => &r.conversation_id,
        Request::Invite(r) => &r.conversation_id,
        Request::Join(r) => &r.conversation_id,
        Request::Leave(r) => &r.conversation_id,
        Request::Whisper(r) => &r.conversation_id,
        Request::TakeOver(r) => &r.conversation_id,
        Request::ForceRelease(r) => &r.conversation_id,
        Request::SetPriority(r) => &r.conversation_id,
        Request::Hello(_)
        | Request::RefreshToken(_)
        | Request::Pong(_)
        | Request::ListConversations(_)
        | Request::SetStatus(_)
        | Request::ListTeam(_)
        | Request::WatchBoard(_) => return None,
    };
    (!id.is_empty()).then_some(id)
}
