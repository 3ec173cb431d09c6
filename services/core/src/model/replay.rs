//! What came, as conversations' events tell it, made into arrivals for another run.
//!
//! What is known is used: when each came, how long each agent had it, when it gave up.
//! What would have been, had it gone otherwise, is not, and is concluded:
//!
//! - one that was served would have given up later than it was: by the time that an
//!   exponential patience leaves, whose mean is all waiting by all who gave up;
//! - one that nobody had would have taken as long as one of the same queue that somebody
//!   had, and as one of any queue when there was none;
//! - agents are there when `figures::Acts` says so.
//!
//! The draws are given by the conversations' ids: the same comes out each time.

use super::centre::{Arrival, Leg};
use super::draw::Draw;
use super::outcome::{Fate, Ran, Served};
use crate::figures::{End, Episode};
use crate::ids::{AgentId, ConversationId, QueueId};
use crate::time::{Millis, Timestamp};
use std::collections::{BTreeMap, HashMap};

/// How long one takes when nobody had any.
const ANY_HANDLING: Millis = Millis::from_mins(10);

/// An episode, and where it is to go.
#[derive(Debug, Clone, Copy)]
pub struct Came<'r> {
    /// Of which conversation.
    pub conversation: ConversationId,
    /// What happened.
    pub episode: &'r Episode,
    /// The queue it comes to by the rules that are tried.
    pub queue: &'r QueueId,
}

/// What came, and what became of it in truth.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    /// For a run.
    pub arrivals: Vec<Arrival>,
    /// Where each came to in truth.
    pub came_to: Vec<QueueId>,
    /// What became of each; agents are those of `staff`, in its order.
    pub real: Ran,
}

/// From what came. What is open still is taken to end at `until`. `home` says where
/// those go who were handed on to a queue, and `weight` how many slots one takes.
pub fn recorded(
    came: &[Came<'_>],
    until: Timestamp,
    staff: &[AgentId],
    home: impl Fn(&QueueId) -> QueueId,
    weight: impl Fn(&QueueId) -> u32,
) -> Recorded {
    let agents: HashMap<AgentId, usize> = staff.iter().copied().zip(0..).collect();
    let patience = patience(came.iter().map(|came| came.episode));
    let handled = Handled::of(came, until);
    let mut all = Recorded { real: Ran::nothing(0, staff.len()), ..Recorded::default() };
    for one in came {
        let mut draw = Draw::new(seed(one));
        let episode = one.episode;
        let length = |i: usize| length(episode, i, until);
        let fate = fate(episode, &agents);
        let waited = match fate {
            Fate::Served(served) => served.wait,
            Fate::GaveUp { after } | Fate::TurnedAway { after, .. } => after,
            Fate::Waits => until.since(episode.began_at),
        };
        let spare = patience.map(|mean| draw.after(mean));
        let handling = match episode.stints.len() {
            0 => handled.draw(&episode.queue, &mut draw),
            _ => length(0),
        };
        let leg = |(i, stint): (usize, &crate::figures::Stint)| Leg {
            queue: home(&stint.queue),
            handling: length(i),
        };
        all.arrivals.push(Arrival {
            at: episode.began_at,
            queue: one.queue.clone(),
            handling,
            patience: match fate {
                Fate::GaveUp { .. } => Some(waited),
                _ => spare.map(|spare| Millis::new(waited.get() + spare.get().max(1))),
            },
            then: episode.stints.iter().enumerate().skip(1).map(leg).collect(),
        });
        all.came_to.push(episode.queue.clone());
        all.real.fates.push(fate);
        all.real.handed_on += episode.stints.len().saturating_sub(1) as u64;
        for (i, stint) in episode.stints.iter().enumerate() {
            let agent = agents.get(&stint.agent).copied().unwrap_or(usize::MAX);
            all.real.took(agent, &stint.queue, length(i), weight(&stint.queue));
        }
    }
    all
}

fn seed(came: &Came<'_>) -> u64 {
    let (high, low) = came.conversation.as_uuid().as_u64_pair();
    high ^ low ^ came.episode.began_at.as_millis()
}

fn length(episode: &Episode, stint: usize, until: Timestamp) -> Millis {
    let stint = &episode.stints[stint];
    stint.to.unwrap_or(until).since(stint.from)
}

fn fate(episode: &Episode, agents: &HashMap<AgentId, usize>) -> Fate {
    match (episode.served, episode.ended) {
        (Some((at, agent)), _) => Fate::Served(Served {
            wait: at.since(episode.began_at),
            agent: agents.get(&agent).copied().unwrap_or(usize::MAX),
            skilled: true,
        }),
        (None, None) => Fate::Waits,
        (None, Some((at, end))) => {
            let after = at.since(episode.began_at);
            match end {
                End::Unserved(why) => Fate::TurnedAway { why, after },
                _ => Fate::GaveUp { after },
            }
        }
    }
}

/// The likeliest mean of an exponential patience, in seconds: all waiting by all who gave
/// up; `None` when nobody did.
pub(super) fn patience<'e>(episodes: impl Iterator<Item = &'e Episode>) -> Option<f64> {
    let (mut waited, mut gave_up) = (0, 0);
    for episode in episodes {
        match fate(episode, &HashMap::new()) {
            Fate::Served(served) => waited += served.wait.get(),
            Fate::GaveUp { after } => (waited, gave_up) = (waited + after.get(), gave_up + 1),
            Fate::TurnedAway { after, .. } => waited += after.get(),
            Fate::Waits => {}
        }
    }
    (gave_up > 0 && waited > 0).then(|| waited as f64 / 1_000.0 / f64::from(gave_up))
}

/// How long conversations took.
#[derive(Default)]
struct Handled {
    by_queue: BTreeMap<QueueId, Vec<Millis>>,
    all: Vec<Millis>,
}

impl Handled {
    fn of(came: &[Came<'_>], until: Timestamp) -> Self {
        let mut handled = Self::default();
        for one in came {
            for (i, stint) in one.episode.stints.iter().enumerate() {
                let took = length(one.episode, i, until);
                handled.by_queue.entry(stint.queue.clone()).or_default().push(took);
                handled.all.push(took);
            }
        }
        handled
    }

    fn draw(&self, queue: &QueueId, draw: &mut Draw) -> Millis {
        let of_queue = self.by_queue.get(queue).filter(|all| !all.is_empty());
        match of_queue.unwrap_or(&self.all).as_slice() {
            [] => ANY_HANDLING,
            all => all[draw.below(all.len())],
        }
    }
}
