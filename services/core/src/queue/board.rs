//! The queues of one site.

use super::entry::{Entry, OrderKey};
use super::estimate::{Estimate, Slots};
use super::line::Line;
use crate::conversation::{Phase, Summary};
use crate::ids::{ConversationId, QueueId, Seq};
use crate::time::{Millis, Timestamp};
use std::collections::{HashMap, VecDeque};

/// Closed conversations remembered by a board, so that late news does not put
/// them back: 10,000 × about 100 bytes is 1 MB. Past that the oldest is
/// forgotten; should such news come even later, a reconciler takes it out again.
pub const MAX_TOMBSTONES: usize = 10_000;

/// What a queue's configuration says of those who wait in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Head start in minutes of waiting.
    pub priority_minutes: u32,
    /// Slots of an agent that one chat takes.
    pub weight: u32,
}

/// Whether an agent is being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Free to be matched.
    Waiting,
    /// An agent is being asked; keeps its place.
    OnOffer,
}

/// One who waits, at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Who.
    pub entry: Entry,
    /// Whether an agent is being asked.
    pub standing: Standing,
}

/// How many are in a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Free to be matched.
    pub waiting: u32,
    /// On offer.
    pub offered: u32,
    /// Since when the one who waits longest does; it need not be the next.
    pub oldest_since: Option<Timestamp>,
}

/// What news did to the board.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Queues whose order or content is another now, at most two.
    pub queues: Vec<QueueId>,
    /// A wait that ended with an agent: in which queue, and how long it was.
    pub served: Option<(QueueId, Millis)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Whereabouts {
    InLine { queue: QueueId, key: OrderKey },
    WithAgent { queue: QueueId, since: Timestamp },
    Closed,
}

#[derive(Debug, Clone)]
struct Known {
    version: Seq,
    whereabouts: Whereabouts,
}

/// The queues of one site: the fold of what was heard of its conversations, in
/// whatever order it was heard.
#[derive(Debug, Clone, Default)]
pub struct Board {
    lines: HashMap<QueueId, Line>,
    known: HashMap<ConversationId, Known>,
    /// Closed ones, in the order they were heard of. One that was reopened and
    /// closed again is in here twice; the older mention is skipped.
    tombstones: VecDeque<(ConversationId, Seq)>,
}

impl Board {
    /// Takes note of a conversation. What is older than or the same as what is
    /// known changes nothing.
    pub fn observe(&mut self, summary: &Summary, terms: Terms) -> Change {
        let known = self.known.get(&summary.id);
        if known.is_some_and(|known| known.version >= summary.head) {
            return Change::default();
        }
        let before = known.map(|known| known.whereabouts.clone());
        let mut change = Change::default();
        let left = match &before {
            Some(Whereabouts::InLine { queue, key }) => {
                self.take_out(queue, key).map(|placed| (queue, placed))
            }
            _ => None,
        };
        self.end_of_assignment(before.as_ref(), summary);
        let entered = self.place(summary, terms);
        if let Some((queue, placed)) = &left {
            let same_place = entered.as_ref().is_some_and(|(to, now)| {
                to == *queue && now.standing == placed.standing && same_but_version(now, placed)
            });
            if same_place {
                return change;
            }
            change.queues.push((*queue).clone());
            if let Phase::Assigned { since, .. } = &summary.phase {
                change.served = Some(((*queue).clone(), since.since(placed.entry.waiting_since)));
            }
        }
        if let Some((queue, _)) = entered
            && !change.queues.contains(&queue)
        {
            change.queues.push(queue);
        }
        change
    }

    fn place(&mut self, summary: &Summary, terms: Terms) -> Option<(QueueId, Placed)> {
        let queue = summary.queue.clone();
        let entry = Entry::of(summary, terms);
        let key = entry.order_key();
        let (whereabouts, standing) = match &summary.phase {
            Phase::Waiting => {
                (Whereabouts::InLine { queue: queue.clone(), key }, Some(Standing::Waiting))
            }
            Phase::Offered(_) => {
                (Whereabouts::InLine { queue: queue.clone(), key }, Some(Standing::OnOffer))
            }
            Phase::Assigned { since, .. } => {
                (Whereabouts::WithAgent { queue: queue.clone(), since: *since }, None)
            }
            Phase::Closed { .. } => (Whereabouts::Closed, None),
        };
        if standing.is_none() && whereabouts != Whereabouts::Closed {
            self.lines.entry(queue.clone()).or_default().assigned += 1;
        }
        let closed = whereabouts == Whereabouts::Closed;
        self.known.insert(summary.id, Known { version: summary.head, whereabouts });
        if closed {
            self.bury(summary.id, summary.head);
        }
        let placed = Placed { entry, standing: standing? };
        let line = self.lines.entry(queue.clone()).or_default();
        line.insert(key, placed.clone());
        Some((queue, placed))
    }

    fn take_out(&mut self, queue: &QueueId, key: &OrderKey) -> Option<Placed> {
        self.lines.get_mut(queue)?.take_out(key)
    }

    /// One that an agent had is another now: counted no longer, and measured when it is
    /// closed.
    fn end_of_assignment(&mut self, before: Option<&Whereabouts>, summary: &Summary) {
        let Some(Whereabouts::WithAgent { queue, since }) = before else { return };
        let line = self.lines.entry(queue.clone()).or_default();
        line.assigned = line.assigned.saturating_sub(1);
        if let Phase::Closed { at } = &summary.phase {
            line.handling.measure(*at, at.since(*since));
        }
    }

    fn bury(&mut self, conversation: ConversationId, version: Seq) {
        self.tombstones.push_back((conversation, version));
        if self.tombstones.len() <= MAX_TOMBSTONES {
            return;
        }
        let Some((oldest, version)) = self.tombstones.pop_front() else {
            return;
        };
        let still =
            |known: &Known| known.version == version && known.whereabouts == Whereabouts::Closed;
        if self.known.get(&oldest).is_some_and(still) {
            self.known.remove(&oldest);
        }
    }

    /// Forgets a conversation that is known to be no more, unless something
    /// newer than `version` was heard of it meanwhile. Gives its queue.
    pub fn forget(&mut self, conversation: ConversationId, version: Seq) -> Option<QueueId> {
        if self.known.get(&conversation)?.version > version {
            return None;
        }
        match self.known.remove(&conversation)?.whereabouts {
            Whereabouts::InLine { queue, key } => self.take_out(&queue, &key).map(|_| queue),
            Whereabouts::WithAgent { queue, .. } => {
                let line = self.lines.entry(queue).or_default();
                line.assigned = line.assigned.saturating_sub(1);
                None
            }
            Whereabouts::Closed => None,
        }
    }

    /// A queue's configuration has changed: everyone in it gets its new place.
    /// Whether that moved anyone or changed a weight.
    pub fn set_terms(&mut self, queue: &QueueId, terms: Terms) -> bool {
        let Some(line) = self.lines.get_mut(queue) else {
            return false;
        };
        let as_before = |placed: &Placed| {
            placed.entry.priority_minutes == terms.priority_minutes
                && placed.entry.weight == terms.weight
        };
        if line.iter().all(as_before) {
            return false;
        }
        for mut placed in line.empty() {
            placed.entry.priority_minutes = terms.priority_minutes;
            placed.entry.weight = terms.weight;
            let key = placed.entry.order_key();
            if let Some(known) = self.known.get_mut(&placed.entry.conversation) {
                known.whereabouts = Whereabouts::InLine { queue: queue.clone(), key };
            }
            line.insert(key, placed);
        }
        true
    }

    /// Everyone in a queue in order, those on offer at their old places.
    pub fn line(&self, queue: &QueueId) -> impl Iterator<Item = &Placed> {
        self.lines.get(queue).into_iter().flat_map(Line::iter)
    }

    /// The head of a conversation when it was last heard of.
    pub fn version(&self, conversation: ConversationId) -> Option<Seq> {
        self.known.get(&conversation).map(|known| known.version)
    }

    /// Those free to be matched, in order.
    pub fn waiting(&self, queue: &QueueId) -> impl Iterator<Item = &Entry> {
        self.line(queue).filter(|p| p.standing == Standing::Waiting).map(|p| &p.entry)
    }

    /// Where a conversation waits: its queue, and 1 for the next.
    pub fn position(&self, conversation: ConversationId) -> Option<(&QueueId, u32)> {
        let Whereabouts::InLine { queue, key } = &self.known.get(&conversation)?.whereabouts else {
            return None;
        };
        let before = self.lines.get(queue)?.before(key);
        Some((queue, u32::try_from(before + 1).unwrap_or(u32::MAX)))
    }

    /// Whether it waits free to be matched or on offer; `None` when it does not.
    pub fn standing(&self, conversation: ConversationId) -> Option<Standing> {
        self.placed(conversation).map(|placed| placed.standing)
    }

    /// One who waits or is on offer, at its place.
    pub fn placed(&self, conversation: ConversationId) -> Option<&Placed> {
        let Whereabouts::InLine { queue, key } = &self.known.get(&conversation)?.whereabouts else {
            return None;
        };
        self.lines.get(queue)?.get(key)
    }

    /// How many are in a queue.
    pub fn counts(&self, queue: &QueueId) -> Counts {
        self.lines.get(queue).map(Line::counts).unwrap_or_default()
    }

    /// How many of a queue are with agents.
    pub fn assigned(&self, queue: &QueueId) -> u32 {
        self.lines.get(queue).map_or(0, |line| line.assigned)
    }

    /// How many are free to be matched in a queue and go before a place.
    pub fn ahead(&self, queue: &QueueId, place: &OrderKey) -> u32 {
        let count = self.lines.get(queue).map_or(0, |line| line.waiting_before(place));
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// The place of one that waits, or is on offer.
    pub fn place_of(&self, conversation: ConversationId) -> Option<OrderKey> {
        match &self.known.get(&conversation)?.whereabouts {
            Whereabouts::InLine { key, .. } => Some(*key),
            Whereabouts::WithAgent { .. } | Whereabouts::Closed => None,
        }
    }

    /// How long one of a queue will wait, if so many of its slots have to fall free.
    pub fn estimate(
        &self,
        queue: &QueueId,
        behind: f64,
        slots: Slots,
        now: Timestamp,
    ) -> Option<Estimate> {
        self.lines.get(queue)?.handling.estimate(behind, slots, now)
    }

    /// Learns how true an estimate was that somebody of a queue was told who has been
    /// served since.
    pub fn proved(&mut self, queue: &QueueId, told: Estimate, waited: Millis) {
        if let Some(line) = self.lines.get_mut(queue) {
            line.handling.proved(told, waited);
        }
    }

    /// Learns of a chat that was finished before the board knew of it.
    pub fn measured(&mut self, queue: &QueueId, at: Timestamp, handled: Millis) {
        self.lines.entry(queue.clone()).or_default().handling.measure(at, handled);
    }

    /// Queues with anyone waiting or on offer.
    pub fn active(&self) -> impl Iterator<Item = &QueueId> {
        self.lines.iter().filter(|(_, line)| !line.is_empty()).map(|(queue, _)| queue)
    }

    /// Conversations believed to be open, with what was last heard of each.
    pub fn open(&self) -> impl Iterator<Item = (ConversationId, Seq)> {
        self.known
            .iter()
            .filter(|(_, known)| known.whereabouts != Whereabouts::Closed)
            .map(|(conversation, known)| (*conversation, known.version))
    }
}

fn same_but_version(a: &Placed, b: &Placed) -> bool {
    let strip = |p: &Placed| Entry { version: Seq::ZERO, ..p.entry.clone() };
    strip(a) == strip(b)
}
