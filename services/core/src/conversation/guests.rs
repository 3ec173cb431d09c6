//! The staff besides the one who has a conversation: who may read it, and who takes
//! part. A guest takes no slot of its capacity, and is never the one who has it.

use super::check::check_text;
use super::command::Reject;
use super::event::{Body, Event};
use super::limits::{MAX_GUESTS, MAX_INVITATION_BYTES, MAX_MENTIONS, MAX_READERS};
use super::state::{Conversation, Phase};
use crate::ids::{AgentId, ClientMsgId, Seq};
use crate::party::Participant;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// What an agent is asked for by a colleague.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskedTo {
    /// Invited.
    Join,
    /// Mentioned in a note.
    Look,
}

/// An agent who is asked for something and has not answered yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Who.
    pub agent: AgentId,
    /// What for.
    pub to: AskedTo,
    /// The event that asks: what it says stands there only.
    pub seq: Seq,
}

/// An agent who was invited or mentioned, or takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Reader {
    agent: AgentId,
    /// Was invited, and has not answered yet.
    invited: bool,
    /// The invitation that is not answered. Absent in what earlier versions have stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invitation: Option<Seq>,
    /// The newest mention that is not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mention: Option<Seq>,
}

impl Reader {
    fn new(agent: AgentId) -> Self {
        Self { agent, invited: false, invitation: None, mention: None }
    }

    fn ask(&mut self, to: AskedTo, seq: Seq) {
        match to {
            AskedTo::Join => (self.invited, self.invitation) = (true, Some(seq)),
            AskedTo::Look => self.mention = Some(seq),
        }
    }

    fn has_answered(&mut self) {
        *self = Self::new(self.agent);
    }

    fn asked(&self) -> impl Iterator<Item = Asked> {
        let of = [(AskedTo::Join, self.invitation), (AskedTo::Look, self.mention)];
        let agent = self.agent;
        of.into_iter().filter_map(move |(to, seq)| Some(Asked { agent, to, seq: seq? }))
    }
}

/// Everybody of the staff but the one who has the conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Company {
    /// Who take part, in the order they came; at most `MAX_GUESTS`.
    guests: Vec<Participant>,
    /// Who may read, the longest ago first; at most `MAX_READERS`. All guests are in it.
    readers: Vec<Reader>,
    /// Handed it on, and joins whoever takes it.
    companion: Option<Participant>,
}

static NOBODY: Company = Company { guests: Vec::new(), readers: Vec::new(), companion: None };

impl Company {
    pub(super) fn guests(&self) -> &[Participant] {
        &self.guests
    }

    pub(super) fn is_guest(&self, id: Uuid) -> bool {
        self.guests.iter().any(|guest| guest.id == id)
    }

    pub(super) fn may_read(&self, id: Uuid) -> bool {
        self.readers.iter().any(|reader| reader.agent.as_uuid() == id)
    }

    pub(super) fn readers(&self) -> impl Iterator<Item = AgentId> {
        self.readers.iter().map(|reader| reader.agent)
    }

    /// Who joins whoever takes it.
    pub(super) fn companion(&self) -> Option<&Participant> {
        self.companion.as_ref()
    }

    fn is_invited(&self, id: Uuid) -> bool {
        self.readers.iter().any(|reader| reader.invited && reader.agent.as_uuid() == id)
    }

    fn is_empty(&self) -> bool {
        *self == NOBODY
    }

    /// Whoever is asked for something that they have not answered.
    fn asked(&self) -> impl Iterator<Item = Asked> {
        self.readers.iter().flat_map(Reader::asked)
    }

    fn ask(&mut self, who: &Participant, to: AskedTo, seq: Seq) {
        self.admit(who);
        if let Some(reader) = self.readers.last_mut().filter(|r| Some(r.agent) == who.agent_id()) {
            reader.ask(to, seq);
        }
    }

    /// May read from now on, as the newest of those who may.
    fn admit(&mut self, who: &Participant) {
        let Some(agent) = who.agent_id() else { return };
        if let Some(at) = self.readers.iter().position(|reader| reader.agent == agent) {
            let before = self.readers.remove(at);
            self.readers.push(before);
            return;
        }
        if self.readers.len() == MAX_READERS {
            let takes_part = |reader: &Reader| self.is_guest(reader.agent.as_uuid());
            // There are fewer guests than readers.
            if let Some(oldest) = self.readers.iter().position(|reader| !takes_part(reader)) {
                self.readers.remove(oldest);
            }
        }
        self.readers.push(Reader::new(agent));
    }

    /// What the agent was asked for has been answered.
    fn answered(&mut self, id: Uuid) {
        for reader in self.readers.iter_mut().filter(|reader| reader.agent.as_uuid() == id) {
            reader.has_answered();
        }
    }

    /// Whoever writes a note has read the one that mentions them.
    fn answered_by_note(&mut self, id: Uuid) {
        for reader in self.readers.iter_mut().filter(|reader| reader.agent.as_uuid() == id) {
            reader.mention = None;
        }
    }

    fn remove_guest(&mut self, id: Uuid) {
        self.guests.retain(|guest| guest.id != id);
    }

    fn note(&mut self, event: &Event) {
        match &event.body {
            Body::Note { mentions, .. } => {
                self.answered_by_note(event.by.id);
                mentions.iter().for_each(|who| self.ask(who, AskedTo::Look, event.seq));
            }
            Body::Invited { agent, .. } => self.ask(agent, AskedTo::Join, event.seq),
            Body::Joined { agent } => {
                self.remove_guest(agent.id);
                self.guests.push(agent.clone());
                self.admit(agent);
                self.answered(agent.id);
            }
            Body::Left { agent, by_other } => {
                self.remove_guest(agent.id);
                self.answered(agent.id);
                if *by_other {
                    self.readers.retain(|reader| reader.agent.as_uuid() != agent.id);
                }
            }
            Body::Transferred { warm, .. } => {
                let stays = *warm && event.by.agent_id().is_some();
                self.companion = stays.then(|| event.by.clone());
                if stays {
                    self.admit(&event.by);
                }
            }
            Body::Assigned { agent } => {
                self.remove_guest(agent.id);
                self.answered(agent.id);
                self.companion = None;
            }
            Body::Closed { .. } => {
                self.guests.clear();
                self.readers.iter_mut().for_each(Reader::has_answered);
                self.companion = None;
            }
            _ => {}
        }
    }
}

impl Conversation {
    pub(super) fn company(&self) -> &Company {
        self.company.as_deref().unwrap_or(&NOBODY)
    }

    /// Agents who go on reading when another one is assigned.
    pub fn readers(&self) -> Vec<AgentId> {
        self.company().readers().collect()
    }

    /// Agents who are asked for something that they have not answered yet.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.company().asked().collect()
    }

    /// Who is there after an event.
    pub(super) fn note_company(&mut self, event: &Event) {
        let concerned = match &event.body {
            Body::Note { mentions, .. } => !mentions.is_empty() || self.company.is_some(),
            Body::Transferred { warm, .. } => *warm || self.company.is_some(),
            Body::Assigned { .. } | Body::Closed { .. } | Body::Left { .. } => {
                self.company.is_some()
            }
            Body::Invited { .. } | Body::Joined { .. } => true,
            _ => false,
        };
        if !concerned {
            return;
        }
        let company = self.company.get_or_insert_default();
        company.note(event);
        if company.is_empty() {
            self.company = None;
        }
    }

    pub(super) fn note(
        &self,
        id: &ClientMsgId,
        text: &Arc<str>,
        mentions: &[Participant],
    ) -> Result<Vec<Body>, Reject> {
        check_text(text, &[])?;
        if mentions.len() > MAX_MENTIONS {
            return Err(Reject::Invalid("more than 16 mentions"));
        }
        if mentions.iter().any(|who| who.agent_id().is_none()) {
            return Err(Reject::Invalid("only agents are mentioned"));
        }
        let mut mentions = mentions.to_vec();
        mentions.sort_by_key(|who| who.id);
        mentions.dedup_by_key(|who| who.id);
        Ok(vec![Body::Note { client_msg_id: id.clone(), text: text.clone(), mentions }])
    }

    pub(super) fn invite(&self, who: &Participant, note: &Arc<str>) -> Result<Vec<Body>, Reject> {
        self.check_open()?;
        if who.agent_id().is_none() {
            return Err(Reject::Invalid("only agents are invited"));
        }
        if note.len() > MAX_INVITATION_BYTES {
            return Err(Reject::Invalid("the note is longer than 1,000 bytes"));
        }
        let is_there = self.is_with(who.id) || self.company().is_guest(who.id);
        if is_there || self.company().is_invited(who.id) {
            return Ok(vec![]);
        }
        Ok(vec![Body::Invited { agent: who.clone(), note: note.clone() }])
    }

    pub(super) fn join(&self, by: &Participant) -> Result<Vec<Body>, Reject> {
        self.check_open()?;
        if by.agent_id().is_none() {
            return Err(Reject::Invalid("only agents join"));
        }
        if self.is_with(by.id) || self.company().is_guest(by.id) {
            return Ok(vec![]);
        }
        if self.company().guests().len() >= MAX_GUESTS {
            return Err(Reject::State("8 guests take part already"));
        }
        Ok(vec![Body::Joined { agent: by.clone() }])
    }

    pub(super) fn leave(&self, by: &Participant, who: Option<AgentId>) -> Vec<Body> {
        let id = who.map_or(by.id, |agent| agent.as_uuid());
        let guests = self.company().guests().iter();
        let leaving = guests.filter(|guest| guest.id == id);
        leaving.map(|guest| Body::Left { agent: guest.clone(), by_other: id != by.id }).collect()
    }

    /// A guest who has gone away may come back, and read.
    pub(super) fn guest_lost(&self, agent: AgentId) -> Option<Body> {
        let mut guests = self.company().guests().iter();
        let lost = guests.find(|guest| guest.id == agent.as_uuid())?;
        Some(Body::Left { agent: lost.clone(), by_other: false })
    }

    pub(super) fn check_open(&self) -> Result<(), Reject> {
        if self.is_closed() { Err(Reject::State("the conversation is closed")) } else { Ok(()) }
    }

    fn is_with(&self, id: Uuid) -> bool {
        matches!(&self.phase, Phase::Assigned { agent, .. } if agent.id == id)
    }
}
