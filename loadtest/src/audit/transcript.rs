//! One conversation as it is read back whole, as the staff see it.

use super::{Case, Digest, Findings, Heard};
use crate::payload::{Payload, Speaker};
use frontdesk_proto::v1::event::Body;
use frontdesk_proto::v1::{Audience, Event, EventPush};
use frontdesk_results::{Offence, Violation};
use std::collections::BTreeMap;

/// Reads events one after the other.
#[derive(Debug)]
pub struct Transcript<'a> {
    run: u32,
    number: u32,
    case: &'a Case,
    stored: BTreeMap<Speaker, (Heard, Digest)>,
    /// The last event read.
    last: u32,
    /// The agent who has the conversation.
    assigned: Option<String>,
    messages: u64,
    findings: Findings,
}

impl<'a> Transcript<'a> {
    /// Of the conversation with this number.
    pub fn new(run: u32, number: u32, case: &'a Case) -> Self {
        Self {
            run,
            number,
            case,
            stored: BTreeMap::new(),
            last: 0,
            assigned: None,
            messages: 0,
            findings: Findings::default(),
        }
    }

    /// The last event read, for the next page.
    pub fn last(&self) -> u32 {
        self.last
    }

    /// The next event.
    pub fn event(&mut self, push: EventPush) {
        let Some(event) = push.event else { return };
        // The staff see everything: each event follows the one before.
        if push.prev != self.last || event.seq != self.last + 1 {
            let detail =
                format!("read back: {} follows {}, had {}", event.seq, push.prev, self.last);
            self.note(Violation::Gap, None, event.seq, detail);
        }
        self.last = event.seq;
        match &event.body {
            Some(Body::Message(message)) => self.message(&event, &message.text),
            Some(Body::Assigned(now)) => {
                let agent = now.agent.as_ref().map(|agent| agent.id.clone()).unwrap_or_default();
                if let Some(before) = self.assigned.replace(agent.clone()) {
                    let detail = format!("assigned to {agent} while {before} had it");
                    self.note(Violation::TwoAgents, None, event.seq, detail);
                }
            }
            Some(Body::Released(_) | Body::Closed(_)) => self.assigned = None,
            _ => {}
        }
    }

    fn message(&mut self, event: &Event, text: &str) {
        self.messages += 1;
        let seq = event.seq;
        let decoded = Payload::decode(text).filter(|payload| payload.run == self.run);
        let Some(payload) = decoded else {
            return self.note(Violation::Phantom, None, seq, "read back, nobody sent it".into());
        };
        if payload.conversation != self.number {
            let detail = format!("read back, belongs to number {}", payload.conversation);
            return self.note(Violation::Misrouted, Some(payload), seq, detail);
        }
        if event.audience() != Audience::Public {
            self.note(Violation::Leaked, Some(payload), seq, "stored as internal".into());
        }
        let (heard, digest) = self.stored.entry(payload.speaker).or_default();
        let late = payload.number < heard.numbers.largest();
        if !heard.numbers.insert(payload.number) {
            return self.note(Violation::Duplicated, Some(payload), seq, "stored twice".into());
        }
        if late {
            heard.late.push(payload.number);
        }
        // The first message goes with the start, whose answer tells no seq.
        let first = payload.speaker == Speaker::VISITOR && payload.number == 1;
        if !first && self.case.told(payload.speaker, payload.number) {
            digest.add(payload.number, seq);
        }
    }

    fn note(&mut self, violation: Violation, payload: Option<Payload>, seq: u32, detail: String) {
        self.findings.note(Offence {
            violation,
            conversation: self.case.conversation().to_owned(),
            sender: payload.map(|payload| payload.speaker.side.name().to_owned()),
            number: payload.map(|payload| payload.number),
            seq: Some(seq),
            detail,
        });
    }

    /// What was wrong, and how many messages there were.
    pub fn finish(mut self) -> (Findings, u64) {
        self.case.reconcile_stored(&self.stored, &mut self.findings);
        (self.findings, self.messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Account, Dossier};
    use frontdesk_proto::v1::{Assigned, Message, Participant, Released};
    use std::time::Duration;

    fn case() -> Case {
        let mut account = Account { sent: 3, ..Account::default() };
        account.acknowledge(1, None);
        account.acknowledge(2, Some(2));
        account.acknowledge(3, Some(3));
        let mut case = Case::default();
        case.add(Dossier {
            number: 4,
            conversation: "id".into(),
            listener: "visitor".into(),
            complete: true,
            spoken: [(Speaker::VISITOR, account)].into(),
            heard: BTreeMap::new(),
        });
        case
    }

    fn said(number: u32) -> Body {
        let speaker = Speaker::VISITOR;
        let payload =
            Payload { run: 9, conversation: 4, speaker, number, intended: Duration::ZERO };
        Body::Message(Message { text: payload.encode(64), ..Message::default() })
    }

    fn assigned(id: &str) -> Body {
        let agent = Some(Participant { id: id.into(), ..Participant::default() });
        Body::Assigned(Assigned { agent })
    }

    fn read(bodies: Vec<Body>) -> Findings {
        let case = case();
        let mut transcript = Transcript::new(9, 4, &case);
        for (n, body) in bodies.into_iter().enumerate() {
            let audience = Audience::Public.into();
            let seq = n as u32 + 1;
            let event = Event { seq, audience, body: Some(body), ..Event::default() };
            transcript.event(EventPush { event: Some(event), prev: n as u32 });
        }
        transcript.finish().0
    }

    #[test]
    fn a_sound_conversation_has_no_findings() {
        let bodies = vec![said(1), said(2), said(3), assigned("a")];
        assert_eq!(read(bodies), Findings::default());
        let released = Body::Released(Released::default());
        let bodies = vec![said(1), said(2), said(3), assigned("a"), released, assigned("b")];
        assert_eq!(read(bodies), Findings::default());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (bodies, violation) in [
            (vec![said(1), said(2)], Violation::Lost),
            (vec![said(1), said(2), said(3), said(2)], Violation::Duplicated),
            (vec![said(1), said(3), said(2)], Violation::Reordered),
            (vec![said(2), said(1), said(3)], Violation::Contradicted),
            (vec![said(1), said(2), said(3), said(4)], Violation::Phantom),
            (vec![said(1), said(2), said(3), assigned("a"), assigned("b")], Violation::TwoAgents),
        ] {
            assert!(read(bodies).count(violation) > 0, "{violation:?}");
        }
    }
}
