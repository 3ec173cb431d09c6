//! Who may know of a conversation, and who may do what with it. A visitor never
//! gets a right to anything internal.

use super::command::{Command, Reject};
use super::state::{Conversation, Phase};
use crate::party::{Participant, Principal, Role};

impl Conversation {
    /// Whether the caller may know of this conversation at all. A supervisor
    /// sees the site's; an agent those it has, had last, is offered, takes part in, or
    /// was invited to or mentioned in.
    pub fn may_read(&self, who: &Principal) -> bool {
        if who.site != self.site {
            return false;
        }
        match who.role {
            Role::Supervisor => true,
            Role::Visitor => who.id == self.visitor.id,
            Role::Agent => {
                let is = |p: &Participant| p.id == who.id;
                self.last_agent.as_ref().is_some_and(is)
                    || self.phase.holder().is_some_and(is)
                    || self.company().may_read(who.id)
            }
        }
    }

    pub(super) fn authorize(&self, who: &Principal, command: &Command) -> Result<(), Reject> {
        if !self.may_read(who) {
            return Err(Reject::NotFound);
        }
        let visitor = who.role == Role::Visitor;
        let supervisor = who.role == Role::Supervisor;
        match command {
            Command::Start(_)
            | Command::Reopen
            | Command::Rate { .. }
            | Command::LeaveContact(_) => require(visitor, "only the visitor may do this"),
            Command::Send { .. } | Command::Typing { .. } | Command::MarkRead { .. } => {
                let takes_part = visitor || self.has(who) || self.is_guest(who);
                require(takes_part, "only the assigned agent or a guest may do this")
            }
            Command::Close => require(
                visitor || self.has(who) || supervisor || self.is_closed(),
                "only the assigned agent may do this",
            ),
            Command::Note { .. } | Command::SetTags { .. } => {
                require(!visitor, "only the staff may do this")
            }
            Command::Transfer { target, note, warm } => {
                require(!visitor, "only the staff may do this")?;
                require(
                    self.has(who) || self.waits_as_handed_on(who, target, note, *warm),
                    "only the assigned agent may do this",
                )
            }
            Command::Invite { .. } => {
                require(self.has(who) || supervisor, "only the assigned agent may do this")
            }
            Command::Join => {
                require(!visitor, "only the staff may do this")?;
                let asked = self.has(who) || self.company().may_read(who.id);
                require(supervisor || asked, "only who was invited or mentioned may join")
            }
            Command::Leave { agent } => {
                require(!visitor, "only the staff may do this")?;
                let own = agent.is_none_or(|agent| agent.as_uuid() == who.id);
                let may_dismiss = self.has(who) || supervisor;
                require(own || may_dismiss, "only the assigned agent may send others away")
            }
            Command::Whisper { .. }
            | Command::ForceRelease { .. }
            | Command::SetPriority { .. } => require(supervisor, "only a supervisor may do this"),
            Command::Offer { .. }
            | Command::Accept { .. }
            | Command::TakeOver { .. }
            | Command::EndOffer { .. }
            | Command::Unserved { .. }
            | Command::Alarm(_)
            | Command::ReturnTransfer { .. }
            | Command::Erase { .. }
            | Command::AgentLost { .. } => Err(Reject::Forbidden("only routing may do this")),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed { .. })
    }

    fn has(&self, who: &Principal) -> bool {
        matches!(&self.phase, Phase::Assigned { agent, .. } if agent.id == who.id)
    }

    fn is_guest(&self, who: &Principal) -> bool {
        who.role != Role::Visitor && self.company().is_guest(who.id)
    }
}

fn require(ok: bool, why: &'static str) -> Result<(), Reject> {
    if ok { Ok(()) } else { Err(Reject::Forbidden(why)) }
}
