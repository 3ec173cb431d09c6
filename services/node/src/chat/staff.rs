//! What the staff may do in the conversation at hand: from words to requests.

use super::{fresh_id, screen};
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::transfer_conversation::Target;
use frontdesk_proto::v1::{
    AddNote, AgentState, CloseConversation, ForceRelease, InviteAgent, JoinConversation,
    LeaveConversation, SetPriority, SetTags, TakeOver, TransferConversation, WhisperRequest,
};

/// The commands that `request` knows.
pub(super) const COMMANDS: [&str; 12] = [
    "/note",
    "/tags",
    "/transfer",
    "/warm",
    "/close",
    "/invite",
    "/join",
    "/leave",
    "/whisper",
    "/takeover",
    "/release",
    "/priority",
];

/// What a command asks for, or why it cannot be understood.
pub(super) fn request(
    command: &str,
    words: &str,
    conversation: &str,
    team: &[AgentState],
) -> Result<Request, String> {
    let conversation_id = conversation.to_owned();
    let (first, rest) = words.split_once(' ').unwrap_or((words, ""));
    Ok(match command {
        "/note" => Request::AddNote(AddNote {
            conversation_id,
            client_msg_id: fresh_id(),
            text: words.to_owned(),
            mention_agent_ids: mentioned(words, team),
        }),
        "/tags" => {
            let tags = words.split(',').map(|tag| tag.trim().to_owned()).collect();
            Request::SetTags(SetTags { conversation_id, tags })
        }
        "/transfer" | "/warm" => Request::Transfer(TransferConversation {
            conversation_id,
            target: Some(Target::Queue(first.to_owned())),
            note: rest.to_owned(),
            warm: command == "/warm",
        }),
        "/close" => Request::Close(CloseConversation { conversation_id }),
        "/invite" => {
            let (agent_id, note) = (agent(first, team)?, rest.to_owned());
            Request::Invite(InviteAgent { conversation_id, agent_id, note })
        }
        "/join" => Request::Join(JoinConversation { conversation_id }),
        "/leave" => {
            let agent_id = if first.is_empty() { String::new() } else { agent(first, team)? };
            Request::Leave(LeaveConversation { conversation_id, agent_id })
        }
        "/whisper" => Request::Whisper(WhisperRequest {
            conversation_id,
            client_msg_id: fresh_id(),
            text: words.to_owned(),
        }),
        "/takeover" => Request::TakeOver(TakeOver { conversation_id }),
        "/release" => Request::ForceRelease(ForceRelease {
            conversation_id,
            reason: words.to_owned(),
            agent_id: String::new(),
        }),
        "/priority" => {
            let minutes = words.trim().parse();
            let extra_minutes = minutes.map_err(|_| "usage: /priority MINUTES".to_owned())?;
            Request::SetPriority(SetPriority { conversation_id, extra_minutes })
        }
        _ => return Err(format!("{command} is not known")),
    })
}

/// A colleague in one line.
pub(super) fn colleague(agent: &AgentState) -> String {
    let status = screen::word(agent.status().as_str_name());
    let who = agent.agent.clone().unwrap_or_default();
    format!("{} ({status}) {}", screen::name(&who), who.id)
}

/// The id of the one colleague whose name begins so; an id stands for itself.
fn agent(words: &str, team: &[AgentState]) -> Result<String, String> {
    if uuid::Uuid::try_parse(words).is_ok() {
        return Ok(words.to_owned());
    }
    let begins = |name: &str| name.to_lowercase().starts_with(&words.to_lowercase());
    let mut found = team.iter().filter_map(|agent| agent.agent.as_ref());
    let mut found = found.by_ref().filter(|who| !words.is_empty() && begins(&who.name));
    match (found.next(), found.next()) {
        (Some(who), None) => Ok(who.id.clone()),
        (Some(_), Some(_)) => Err(format!("more than one name begins with {words}")),
        (None, _) => Err(format!("no {words} there: /team shows who is")),
    }
}

/// Whom a note names with an `@`.
fn mentioned(text: &str, team: &[AgentState]) -> Vec<String> {
    let names = text.split_whitespace().filter_map(|word| word.strip_prefix('@'));
    let names = names.map(|name| name.trim_end_matches([',', '.', ':', ';', '!', '?']));
    names.filter_map(|name| agent(name, team).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_proto::v1::Participant;

    fn team() -> Vec<AgentState> {
        let one = |(id, name): (&str, &str)| AgentState {
            agent: Some(Participant { id: id.into(), name: name.into(), ..Default::default() }),
            ..AgentState::default()
        };
        [("1", "Alex"), ("2", "Bea"), ("3", "Ben")].map(one).to_vec()
    }

    #[test]
    fn colleagues_go_by_the_beginning_of_their_names() {
        assert_eq!(agent("al", &team()), Ok("1".into()));
        assert!(agent("be", &team()).is_err() && agent("", &team()).is_err());
        let id = fresh_id();
        assert_eq!(agent(&id, &team()), Ok(id.clone()));
        assert_eq!(mentioned("ask @bea, or @Nobody", &team()), ["2"]);
    }

    #[test]
    fn every_command_is_understood() {
        for command in COMMANDS {
            let words = match command {
                "/invite" => "alex please",
                "/priority" => "-15",
                _ => "",
            };
            request(command, words, "c", &team()).unwrap_or_else(|e| panic!("{command}: {e}"));
        }
        assert!(request("/priority", "soon", "c", &team()).is_err());
    }
}
