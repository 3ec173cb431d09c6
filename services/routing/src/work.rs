//! The open conversations as routing knows them, and when each needs a look.

use crate::notice::{self, Notice};
use frontdesk_core::conversation::{Phase, Summary};
use frontdesk_core::ids::{AgentId, ConversationId, QueueId, Seq, SiteId};
use frontdesk_core::party::Participant;
use frontdesk_core::time::{Millis, Timestamp};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// When only agents are left who have refused, they are asked again, but not at
/// once: an offer must not bounce.
const ASK_AGAIN_AFTER: Millis = Millis::from_secs(5);

/// Room an agent is believed to hold for a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) agent: AgentId,
    /// Slots; 0 when not known, as for room that presence has shown all along.
    pub(crate) weight: u32,
}

#[derive(Debug)]
pub(crate) struct Known {
    version: Seq,
    pub(crate) site: SiteId,
    pub(crate) queue: QueueId,
    phase: Phase,
    /// Who is believed to hold room for it.
    pub(crate) held: Option<Held>,
    /// Who take part beside the one who has it.
    pub(crate) guests: Vec<AgentId>,
    /// Who are asked for something by a colleague.
    asked: Vec<AgentId>,
    excluded: Vec<AgentId>,
    /// Not before this are agents asked again who have refused.
    pub(crate) ask_again_at: Option<Timestamp>,
    /// Not before this is it matched again.
    pub(crate) paused_until: Option<Timestamp>,
    due: Option<Timestamp>,
}

impl Known {
    pub(crate) fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Agents who have to do with it: who has it or is asked, holds room, or takes part.
    fn agents(&self) -> impl Iterator<Item = AgentId> {
        let held = self.held.map(|held| held.agent);
        self.holder().into_iter().chain(held).chain(self.guests.iter().copied())
    }

    /// Whom the conversation names: who has it or is being asked.
    pub(crate) fn holder(&self) -> Option<AgentId> {
        self.phase.holder().and_then(Participant::agent_id)
    }

    /// Whether it may be offered, when a queue has it at `version`.
    pub(crate) fn may_be_offered(&self, version: Seq) -> bool {
        self.held.is_none() && (self.phase == Phase::Waiting || version > self.version)
    }

    fn first(summary: &Summary) -> Self {
        Self {
            version: summary.head,
            site: summary.site.clone(),
            queue: summary.queue.clone(),
            phase: summary.phase.clone(),
            held: None,
            guests: guests(summary),
            asked: asked(summary),
            excluded: summary.excluded.clone(),
            ask_again_at: None,
            paused_until: None,
            due: None,
        }
    }

    /// The room held and the conversation disagree.
    fn is_half_done(&self) -> bool {
        self.held.is_some_and(|held| Some(held.agent) != self.holder())
    }
}

fn guests(summary: &Summary) -> Vec<AgentId> {
    summary.guests.iter().filter_map(Participant::agent_id).collect()
}

fn asked(summary: &Summary) -> Vec<AgentId> {
    summary.asked.iter().map(|asked| asked.agent).collect()
}

#[derive(Default)]
pub(crate) struct Work {
    known: HashMap<ConversationId, Known>,
    /// Those with guests, or with agents who are asked for something: few among many.
    with_company: BTreeSet<ConversationId>,
    /// Each agent's: `Known::agents` the other way round.
    of_agent: BTreeSet<(AgentId, ConversationId)>,
    due: BTreeSet<(Timestamp, ConversationId)>,
}

impl Work {
    /// Takes note of a conversation; what is not newer changes nothing. Whoever
    /// it names when first heard of is believed to hold room. Gives what the
    /// agents concerned are to be told.
    pub(crate) fn observe(&mut self, summary: &Summary, now: Timestamp) -> Vec<Notice> {
        self.unlist(summary.id);
        let notices = self.take(summary, now);
        self.enlist(summary.id);
        notices
    }

    fn unlist(&mut self, conversation: ConversationId) {
        if let Some(known) = self.known.get(&conversation) {
            for agent in known.agents() {
                self.of_agent.remove(&(agent, conversation));
            }
        }
    }

    fn enlist(&mut self, conversation: ConversationId) {
        if let Some(known) = self.known.get(&conversation) {
            self.of_agent.extend(known.agents().map(|agent| (agent, conversation)));
        }
    }

    fn take(&mut self, summary: &Summary, now: Timestamp) -> Vec<Notice> {
        let notices = match self.known.get_mut(&summary.id) {
            Some(known) if known.version >= summary.head => return vec![],
            Some(known) => {
                let notices = notice::of(Some(&known.phase), summary, now);
                known.version = summary.head;
                known.queue.clone_from(&summary.queue);
                known.phase = summary.phase.clone();
                known.guests = guests(summary);
                known.asked = asked(summary);
                if known.excluded != summary.excluded {
                    known.excluded.clone_from(&summary.excluded);
                    known.ask_again_at = Some(now + ASK_AGAIN_AFTER);
                }
                notices
            }
            None => {
                self.known.insert(summary.id, Known::first(summary));
                notice::of(None, summary, now)
            }
        };
        if summary.guests.is_empty() && summary.asked.is_empty() {
            self.with_company.remove(&summary.id);
        } else {
            self.with_company.insert(summary.id);
        }
        let holder = summary.holder();
        if let Some(known) = self.known.get_mut(&summary.id)
            && known.held.is_none()
        {
            known.held = holder.map(|agent| Held { agent, weight: 0 });
        }
        let due = match &summary.phase {
            Phase::Offered(offer) => Some(offer.expires_at),
            _ => None,
        };
        self.set_due(summary.id, due);
        notices
    }

    /// What is now believed of the room held for a conversation.
    pub(crate) fn set_held(&mut self, conversation: ConversationId, held: Option<Held>) {
        self.unlist(conversation);
        if let Some(known) = self.known.get_mut(&conversation) {
            let before = known.held.filter(|before| before.weight > 0);
            known.held = held.map(|now| match before {
                Some(before) if before.agent == now.agent && now.weight == 0 => before,
                _ => now,
            });
        }
        self.enlist(conversation);
    }

    /// Keeps a conversation from being matched until then.
    pub(crate) fn pause(&mut self, conversation: ConversationId, until: Timestamp) {
        if let Some(known) = self.known.get_mut(&conversation) {
            known.paused_until = Some(until);
        }
    }

    /// Looks at a conversation again at `at`, unless it is due before.
    pub(crate) fn look_again(&mut self, conversation: ConversationId, at: Timestamp) {
        let Some(known) = self.known.get(&conversation) else {
            return;
        };
        let due = known.due.map_or(at, |due| due.min(at));
        self.set_due(conversation, Some(due));
    }

    fn set_due(&mut self, conversation: ConversationId, due: Option<Timestamp>) {
        let Some(known) = self.known.get_mut(&conversation) else {
            return;
        };
        if let Some(before) = known.due.take() {
            self.due.remove(&(before, conversation));
        }
        known.due = due;
        self.due.extend(due.map(|at| (at, conversation)));
    }

    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes out those that are due.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<ConversationId> {
        let mut taken = Vec::new();
        while let Some((at, conversation)) = self.due.first().copied().filter(|(at, _)| *at <= now)
        {
            self.due.remove(&(at, conversation));
            if let Some(known) = self.known.get_mut(&conversation) {
                known.due = None;
            }
            taken.push(conversation);
        }
        taken
    }

    /// Drops a conversation that is closed and holds nobody's room; otherwise
    /// says whether the two disagree.
    pub(crate) fn tidy(&mut self, conversation: ConversationId) -> bool {
        let Some(known) = self.known.get(&conversation) else {
            return false;
        };
        if matches!(known.phase, Phase::Closed { .. }) && known.held.is_none() {
            self.forget(conversation);
            return false;
        }
        known.is_half_done()
    }

    /// Drops a conversation that is no more.
    pub(crate) fn forget(&mut self, conversation: ConversationId) {
        self.set_due(conversation, None);
        self.unlist(conversation);
        self.with_company.remove(&conversation);
        self.known.remove(&conversation);
    }

    /// Where an agent takes part as a guest.
    pub(crate) fn guest_in(&self, site: &SiteId, agent: AgentId) -> Vec<ConversationId> {
        self.in_company(site, |known| known.guests.contains(&agent))
    }

    /// Where an agent is asked for something by a colleague.
    pub(crate) fn asked_in(&self, site: &SiteId, agent: AgentId) -> Vec<ConversationId> {
        self.in_company(site, |known| known.asked.contains(&agent))
    }

    fn in_company(&self, site: &SiteId, is: impl Fn(&Known) -> bool) -> Vec<ConversationId> {
        let wanted = |conversation: &&ConversationId| {
            let known = self.known.get(conversation);
            known.is_some_and(|known| known.site == *site && is(known))
        };
        self.with_company.iter().filter(wanted).copied().collect()
    }

    pub(crate) fn get(&self, conversation: ConversationId) -> Option<&Known> {
        self.known.get(&conversation)
    }

    /// Those an agent has, is asked for, holds room for or takes part in.
    pub(crate) fn of_agent(
        &self,
        agent: AgentId,
    ) -> impl Iterator<Item = (ConversationId, &Known)> {
        let first = (agent, ConversationId::from_uuid(Uuid::nil()));
        let theirs = self.of_agent.range(first..).take_while(move |(of, _)| *of == agent);
        theirs.filter_map(|(_, conversation)| Some((*conversation, self.known.get(conversation)?)))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (ConversationId, &Known)> {
        self.known.iter().map(|(conversation, known)| (*conversation, known))
    }
}
