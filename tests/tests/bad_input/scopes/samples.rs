//! One request of each kind.

use super::{fresh_id, message};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::transfer_conversation::Target;
use frontdesk_proto::v1::{
    AcceptOffer, AddNote, AgentStatus, CloseConversation, Cursor, DeclineOffer, ForceRelease,
    GetHistory, Hello, InviteAgent, JoinConversation, LeaveContact, LeaveConversation,
    ListConversations, ListTeam, MarkRead, Pong, RateConversation, RefreshToken,
    ReopenConversation, SetPriority, SetStatus, SetTags, StartConversation, Subscribe, TakeOver,
    TransferConversation, Typing, Unsubscribe, WatchBoard, WhisperRequest,
};

/// About this conversation, where they are about one.
pub(crate) fn samples(id: &str, colleague: &str) -> Vec<Request> {
    [connections(), visitors(id), everybodys(id), agents(id, colleague), supervisors(id)].concat()
}

fn connections() -> Vec<Request> {
    vec![
        Request::Hello(Hello::default()),
        Request::RefreshToken(RefreshToken::default()),
        Request::Pong(Pong {}),
    ]
}

fn visitors(id: &str) -> Vec<Request> {
    let conversation_id = id.to_owned();
    vec![
        Request::Start(StartConversation {
            conversation_id: conversation_id.clone(),
            ..StartConversation::default()
        }),
        Request::Rate(RateConversation {
            conversation_id: conversation_id.clone(),
            score: 1,
            comment: String::new(),
        }),
        Request::LeaveContact(LeaveContact {
            conversation_id: conversation_id.clone(),
            email: "somebody@example.com".into(),
            ..LeaveContact::default()
        }),
        Request::Reopen(ReopenConversation { conversation_id }),
    ]
}

fn everybodys(id: &str) -> Vec<Request> {
    let conversation_id = id.to_owned();
    vec![
        Request::Send(message(id, "hello")),
        Request::Typing(Typing { conversation_id: conversation_id.clone(), typing: true }),
        Request::MarkRead(MarkRead { conversation_id: conversation_id.clone(), seq: 1 }),
        Request::Subscribe(Subscribe {
            cursor: Some(Cursor { conversation_id: conversation_id.clone(), seq: 0 }),
        }),
        Request::Unsubscribe(Unsubscribe { conversation_id: conversation_id.clone() }),
        Request::GetHistory(GetHistory {
            conversation_id: conversation_id.clone(),
            ..GetHistory::default()
        }),
        Request::ListConversations(ListConversations::default()),
        Request::Close(CloseConversation { conversation_id }),
    ]
}

fn agents(id: &str, colleague: &str) -> Vec<Request> {
    let conversation_id = id.to_owned();
    vec![
        Request::SetStatus(SetStatus { status: AgentStatus::Online.into(), reason: String::new() }),
        Request::AcceptOffer(AcceptOffer {
            conversation_id: conversation_id.clone(),
            offer_id: fresh_id(),
        }),
        Request::DeclineOffer(DeclineOffer {
            conversation_id: conversation_id.clone(),
            offer_id: fresh_id(),
            reason: String::new(),
        }),
        Request::AddNote(AddNote {
            conversation_id: conversation_id.clone(),
            client_msg_id: fresh_id(),
            text: "psst".into(),
            ..AddNote::default()
        }),
        Request::SetTags(SetTags {
            conversation_id: conversation_id.clone(),
            tags: vec!["billing".into()],
        }),
        Request::ListTeam(ListTeam {}),
        Request::Invite(InviteAgent {
            conversation_id: conversation_id.clone(),
            agent_id: colleague.to_owned(),
            note: String::new(),
        }),
        Request::Join(JoinConversation { conversation_id: conversation_id.clone() }),
        Request::Leave(LeaveConversation {
            conversation_id: conversation_id.clone(),
            agent_id: String::new(),
        }),
        Request::Transfer(TransferConversation {
            conversation_id,
            target: Some(Target::Queue("sales".into())),
            note: String::new(),
            warm: false,
        }),
    ]
}

fn supervisors(id: &str) -> Vec<Request> {
    let conversation_id = id.to_owned();
    vec![
        Request::Whisper(WhisperRequest {
            conversation_id: conversation_id.clone(),
            client_msg_id: fresh_id(),
            text: "psst".into(),
        }),
        Request::SetPriority(SetPriority {
            conversation_id: conversation_id.clone(),
            extra_minutes: 60,
        }),
        Request::TakeOver(TakeOver { conversation_id: conversation_id.clone() }),
        Request::ForceRelease(ForceRelease { conversation_id, ..ForceRelease::default() }),
        Request::WatchBoard(WatchBoard { on: true }),
    ]
}
