//! Which request is answered with what: the table of the protocol, so that an
//! answer of another kind is found here and nowhere else.

use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{
    AcceptOffer, AddNote, AgentState, CloseConversation, ConversationList, ConversationState,
    DeclineOffer, Done, ForceRelease, GetHistory, History, InviteAgent, JoinConversation,
    LeaveContact, LeaveConversation, ListConversations, ListTeam, MarkRead, RateConversation,
    RefreshToken, ReopenConversation, SendMessage, Sent, SetPriority, SetStatus, SetTags,
    StartConversation, Subscribe, TakeOver, Team, TokenRefreshed, TransferConversation,
    Unsubscribe, WatchBoard, WhisperRequest,
};

/// A request that has an answer.
pub trait Verb {
    /// What it is answered with.
    type Answer;

    /// As it travels.
    fn into_request(self) -> Request;

    /// The answer; gives the frame back when it is of another kind.
    fn answer(frame: Frame) -> Result<Self::Answer, Box<Frame>>;
}

macro_rules! verbs {
    ($($verb:ident ($request:ident) => $answer:ident ($frame:ident),)*) => {$(
        impl Verb for $verb {
            type Answer = $answer;

            fn into_request(self) -> Request {
                Request::$request(self)
            }

            fn answer(frame: Frame) -> Result<$answer, Box<Frame>> {
                match frame {
                    Frame::$frame(answer) => Ok(answer),
                    other => Err(Box::new(other)),
                }
            }
        }
    )*};
}

verbs! {
    StartConversation(Start) => ConversationState(Conversation),
    SendMessage(Send) => Sent(Sent),
    MarkRead(MarkRead) => Done(Done),
    Subscribe(Subscribe) => ConversationState(Conversation),
    Unsubscribe(Unsubscribe) => Done(Done),
    GetHistory(GetHistory) => History(History),
    ListConversations(ListConversations) => ConversationList(ConversationList),
    CloseConversation(Close) => Done(Done),
    RateConversation(Rate) => Done(Done),
    ReopenConversation(Reopen) => Done(Done),
    LeaveContact(LeaveContact) => Done(Done),
    SetStatus(SetStatus) => AgentState(AgentState),
    AcceptOffer(AcceptOffer) => ConversationState(Conversation),
    DeclineOffer(DeclineOffer) => Done(Done),
    AddNote(AddNote) => Sent(Sent),
    TransferConversation(Transfer) => Done(Done),
    SetTags(SetTags) => Done(Done),
    ListTeam(ListTeam) => Team(Team),
    InviteAgent(Invite) => Done(Done),
    JoinConversation(Join) => ConversationState(Conversation),
    LeaveConversation(Leave) => Done(Done),
    WhisperRequest(Whisper) => Sent(Sent),
    TakeOver(TakeOver) => ConversationState(Conversation),
    ForceRelease(ForceRelease) => Done(Done),
    SetPriority(SetPriority) => Done(Done),
    WatchBoard(WatchBoard) => Done(Done),
    RefreshToken(RefreshToken) => TokenRefreshed(TokenRefreshed),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_another_kind_is_given_back() {
        let sent = Sent { seq: 3, ..Sent::default() };
        assert_eq!(SendMessage::answer(Frame::Sent(sent.clone())), Ok(sent.clone()));
        let other = Frame::Sent(sent);
        assert_eq!(GetHistory::answer(other.clone()), Err(Box::new(other)));
        let request = SetTags::default().into_request();
        assert_eq!(request, Request::SetTags(SetTags::default()));
    }
}
