//! Who may know of a conversation, and who may do what with it. A visitor never
//! gets a right to anything internal.

use super::command::{Command, Reject, TransferTarget};
use super::state::{Conversation, Phase};
use crate::party::{Participant, Principal, Role};

impl Conversation {
    /// Whether the caller may know of this conversation at all. A supervisor
    /// sees the site's; an agent those it has, had last, or is offered.
    pub fn may_read(&self, who: &Principal) -> bool {
        if who.site != self.site {
            return false;
        }
        match who.role {
            Role::Supervisor => true,
            Role::Visitor => who.id == self.visitor.id,
            Role::Agent => {
                let is = |p: &Participant| p.id == who.id;
                self.last_agent.as_ref().is_some_and(is) || self.phase.holder().is_some_and(is)
            }
        }
    }

    pub(super) fn authorize(&self, who: &Principal, command: &Command) -> Result<(), Reject> {
        if !self.may_read(who) {
            return Err(Reject::NotFound);
        }
        let visitor = who.role == Role::Visitor;
        match command {
            Command::Start(_)
            | Command::Reopen
            | Command::Rate { .. }
            | Command::LeaveContact(_) => require(visitor, "only the visitor may do this"),
            Command::Send { .. } | Command::Typing { .. } | Command::MarkRead { .. } => {
                require(visitor || self.has(who), "only the assigned agent may do this")
            }
            Command::Close => require(
                visitor || self.has(who) || who.role == Role::Supervisor || self.is_closed(),
                "only the assigned agent may do this",
            ),
            Command::Note { .. } | Command::SetTags { .. } => {
                require(!visitor, "only the staff may do this")
            }
            Command::Transfer { target, note } => {
                require(!visitor, "only the staff may do this")?;
                require(
                    self.has(who) || self.waits_as_handed_on(who, target, note),
                    "only the assigned agent may do this",
                )
            }
            Command::Offer { .. }
            | Command::Accept { .. }
            | Command::EndOffer { .. }
            | Command::Unserved { .. }
            | Command::Alarm(_)
            | Command::ReturnTransfer { .. }
            | Command::AgentLost { .. } => Err(Reject::Forbidden("only routing may do this")),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed { .. })
    }

    fn has(&self, who: &Principal) -> bool {
        matches!(&self.phase, Phase::Assigned { agent, .. } if agent.id == who.id)
    }

    /// Whether it waits just as this agent's transfer left it.
    fn waits_as_handed_on(&self, who: &Principal, target: &TransferTarget, note: &str) -> bool {
        let waits = matches!(self.phase, Phase::Waiting | Phase::Offered(_));
        let was_theirs = self.last_agent.as_ref().is_some_and(|a| a.id == who.id);
        let there = match (target, &self.target) {
            (TransferTarget::Queue(queue), None) => *queue == self.queue,
            (TransferTarget::Agent(to), Some((meant, _))) => to.id == meant.id,
            _ => false,
        };
        let said = self.handover_note.as_deref().unwrap_or_default() == note;
        waits && was_theirs && there && said
    }
}

fn require(ok: bool, why: &'static str) -> Result<(), Reject> {
    if ok { Ok(()) } else { Err(Reject::Forbidden(why)) }
}
