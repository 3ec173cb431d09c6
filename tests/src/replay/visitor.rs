//! The visitor of one dialogue: says the even lines.

use super::{ATTRIBUTE, Script, Told, next};
use crate::wire::{fresh_id, text};
use frontdesk_client::{Heard, Session};
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{Audience, CloseConversation, SendMessage, StartConversation};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Plays the visitor to the end and closes the conversation.
pub(super) async fn talk(
    mut session: Session,
    script: Arc<Script>,
    dialogue: usize,
    token: String,
) -> Told {
    let lines = &script.dialogues[dialogue].lines;
    let conversation = fresh_id();
    let start = StartConversation {
        conversation_id: conversation.clone(),
        attributes: [(ATTRIBUTE.to_owned(), dialogue.to_string())].into_iter().collect(),
        first_message: Some(line(&conversation, 0, &lines[0])),
        ..StartConversation::default()
    };
    session.call(start).await.expect("a conversation can be opened");
    let (mut heard, mut said) = (0, 1);
    while heard < lines.len() {
        if let Some(words) = hear(&mut session).await {
            assert_eq!(words, lines[heard], "line {heard} of dialogue {dialogue}");
            heard += 1;
        }
        if heard % 2 == 0 && heard < lines.len() && said <= heard {
            let send = line(&conversation, heard, &lines[heard]);
            script.said(dialogue, heard, session.call(send).await.expect("a message can be sent"));
            said = heard + 1;
        }
    }
    let close = CloseConversation { conversation_id: conversation.clone() };
    session.call(close).await.expect("a conversation can be closed");
    let again = session.connections().saturating_sub(1) as usize;
    script.reconnects.fetch_add(again, Ordering::Relaxed);
    Told { dialogue, conversation, token }
}

/// The same words always under the same id, so that a repetition is one.
pub(super) fn line(conversation: &str, number: usize, words: &str) -> SendMessage {
    SendMessage {
        conversation_id: conversation.to_owned(),
        client_msg_id: format!("line-{number}"),
        text: words.to_owned(),
        attachment_ids: Vec::new(),
        after_client_msg_id: String::new(),
    }
}

/// The words of the next message, if that is what happens next.
async fn hear(session: &mut Session) -> Option<String> {
    match next(session).await {
        Heard::Event(push) => {
            let event = push.event.expect("a push carries an event");
            assert_eq!(event.audience(), Audience::Public, "a visitor received {event:?}");
            text(&event).map(str::to_owned)
        }
        Heard::Push(frame) => {
            let Frame::Error(error) = *frame else { return None };
            assert!(error.retryable, "an error for a visitor: {error:?}");
            let followed = session.follow(&error.conversation_id).await;
            followed.expect("a conversation of one's own can be followed");
            None
        }
        Heard::Unfollowed { error, .. } => panic!("an error for a visitor: {error:?}"),
        _ => None,
    }
}
