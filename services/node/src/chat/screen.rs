//! How a conversation looks in a terminal. Plain lines: no control sequences,
//! and none of those that a message may carry.

use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::{ClosedReason, Event, Participant, Party};

/// Says something about the connection or the conversation.
pub(crate) fn remark(text: &str) {
    println!("· {}", plain(text));
}

/// Shows an event; `own` is the id of who looks.
pub(crate) fn event(event: &Event, own: &str) {
    println!("{}", line(event, own));
}

/// An event in one line.
pub(crate) fn line(event: &Event, own: &str) -> String {
    let by = event.by.as_ref();
    let who = match by {
        Some(p) if p.id == own && !own.is_empty() => "you".to_owned(),
        Some(p) => name(p),
        None => "frontdesk".to_owned(),
    };
    let Some(body) = &event.body else { return format!("· {:>4} (unknown event)", event.seq) };
    let text = match body {
        Body::Message(m) => {
            let files: String =
                m.attachments.iter().map(|a| format!(" [{} {} B]", a.name, a.size)).collect();
            // Nobody says nothing at all: what is empty was erased.
            let is_erased = m.text.is_empty() && files.is_empty();
            let said = if is_erased { "(erased)" } else { &m.text };
            return format!("  {:>4} {who}: {}", event.seq, plain(&(said.to_owned() + &files)));
        }
        Body::Note(n) if n.mentions.is_empty() => format!("{who} noted: {}", n.text),
        Body::Note(n) => {
            let names: Vec<String> = n.mentions.iter().map(name).collect();
            format!("{who} noted for {}: {}", names.join(", "), n.text)
        }
        Body::Whisper(w) => format!("{who} whispers: {}", w.text),
        Body::Invited(i) => format!("{who} invited {}: {}", opt_name(i.agent.as_ref()), i.note),
        Body::Joined(j) => format!("{} has joined as a guest", opt_name(j.agent.as_ref())),
        Body::Left(l) => format!("{} has left", opt_name(l.agent.as_ref())),
        Body::PriorityChanged(p) => format!("{who} moved it by {:+} minutes", p.extra_minutes),
        Body::Started(_) => format!("{who} started the chat"),
        Body::Queued(q) => format!("waiting in {}", q.queue),
        Body::Offered(o) => format!("offered to {}", opt_name(o.agent.as_ref())),
        Body::OfferEnded(o) => {
            format!(
                "{} did not take it ({})",
                opt_name(o.agent.as_ref()),
                word(o.outcome().as_str_name())
            )
        }
        Body::Assigned(a) => format!("{} has joined", opt_name(a.agent.as_ref())),
        Body::Released(r) => format!("{} has left", opt_name(r.agent.as_ref())),
        Body::Transferred(t) => {
            let to = if t.to_agent.is_some() {
                opt_name(t.to_agent.as_ref())
            } else {
                t.to_queue.clone()
            };
            let mut skills: Vec<String> =
                t.to_skills.iter().map(|(skill, level)| format!(" {skill} {level}")).collect();
            skills.sort();
            format!("{who} handed over to {to}{}: {}", skills.concat(), t.note)
        }
        Body::TagsChanged(t) => format!("tags: {}", t.tags.join(", ")),
        Body::Closed(c) => match c.reason() {
            ClosedReason::OutOfHours | ClosedReason::QueueFull | ClosedReason::WaitedTooLong => {
                format!(
                    "closed ({}): /contact EMAIL [message] to be reached",
                    c.reason().as_str_name().trim_start_matches("CLOSED_REASON_").to_lowercase()
                )
            }
            ClosedReason::VisitorLost => "closed: the visitor was gone".to_owned(),
            _ => format!("{who} closed the chat"),
        },
        Body::Erased(_) => "what was said is erased".to_owned(),
        Body::Reopened(_) => format!("{who} reopened the chat"),
        Body::ContactAsked(_) => "no agent yet: /contact EMAIL [message] to be reached".to_owned(),
        Body::ContactLeft(c) => {
            format!("{who} may be reached at {} {}: {}", c.email, c.phone, c.text)
        }
        Body::AlarmRaised(a) => {
            let kind = a.kind().as_str_name().trim_start_matches("ALARM_KIND_").to_lowercase();
            format!("alarm: {} ({})", kind.replace('_', " "), a.actions.join(", "))
        }
        Body::TransferReturned(t) => {
            format!("nobody took it: back to {}", opt_name(t.to_agent.as_ref()))
        }
        Body::Rated(r) => format!("{who} rated it {}/5 {}", r.score, r.comment),
    };
    format!("· {:>4} {}", event.seq, plain(&text))
}

/// A participant's name, or what it is.
pub(crate) fn name(p: &Participant) -> String {
    if !p.name.is_empty() {
        return plain(&p.name);
    }
    match p.party() {
        Party::Visitor => "visitor",
        Party::Agent => "agent",
        Party::Supervisor => "supervisor",
        Party::System | Party::Unspecified => "frontdesk",
    }
    .to_owned()
}

fn opt_name(p: Option<&Participant>) -> String {
    p.map(name).unwrap_or_default()
}

/// The last word of an enum's value: `OFFER_OUTCOME_EXPIRED` → `expired`.
pub(crate) fn word(value: &str) -> String {
    value.rsplit('_').next().unwrap_or_default().to_lowercase()
}

/// Without control characters, which could move the cursor or worse.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_proto::v1::Message;

    #[test]
    fn messages_cannot_steer_the_terminal() {
        let body = Message { text: "a\u{1b}[2Jb\nc".into(), ..Default::default() };
        let event = Event { seq: 3, body: Some(Body::Message(body)), ..Default::default() };
        assert_eq!(line(&event, ""), "     3 frontdesk: a [2Jb c");
    }
}
