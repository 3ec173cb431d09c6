//! What a record adds to which figure: the definitions, one line each.

use super::record::{Asked, End, Episode, Record};
use crate::conversation::Unserved;
use crate::ids::{AgentId, QueueId};
use crate::time::{Millis, Timestamp};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
#[expect(missing_docs, reason = "each is defined in the table of the module")]
pub enum Count {
    Arrivals,
    Served,
    Abandoned,
    Unserved,
    InTarget,
    OfTarget,
    Transfers,
    Lost,
    Offers,
    Declined,
    Missed,
    VisitorMessages,
    StaffMessages,
    Requeues,
    Resolved,
    ByBots,
    Rated,
    /// The sum of the ratings.
    Stars,
}

impl Count {
    /// How many there are.
    pub const ALL: usize = Self::Stars as usize + 1;

    /// Those that people are shown, by the names of the module's table.
    pub const NAMED: [(&str, Self); 17] = [
        ("arrivals", Self::Arrivals),
        ("served", Self::Served),
        ("abandoned", Self::Abandoned),
        ("unserved", Self::Unserved),
        ("in_target", Self::InTarget),
        ("of_target", Self::OfTarget),
        ("transfers", Self::Transfers),
        ("lost", Self::Lost),
        ("offers", Self::Offers),
        ("declined", Self::Declined),
        ("missed", Self::Missed),
        ("visitor_messages", Self::VisitorMessages),
        ("staff_messages", Self::StaffMessages),
        ("requeues", Self::Requeues),
        ("resolved", Self::Resolved),
        ("by_bots", Self::ByBots),
        ("rated", Self::Rated),
    ];
}

/// What is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
#[expect(missing_docs, reason = "each is defined in the table of the module")]
pub enum Span {
    Wait,
    AbandonedAfter,
    FirstResponse,
    Response,
    Handling,
    Resolution,
    Rewait,
}

impl Span {
    /// How many there are.
    pub const ALL: usize = Self::Rewait as usize + 1;

    /// By the names of the module's table.
    pub const NAMED: [(&str, Self); Self::ALL] = [
        ("wait", Self::Wait),
        ("abandoned_after", Self::AbandonedAfter),
        ("first_response", Self::FirstResponse),
        ("response", Self::Response),
        ("handling", Self::Handling),
        ("resolution", Self::Resolution),
        ("rewait", Self::Rewait),
    ];
}

/// How figures depend on the configuration.
pub trait Rule {
    /// How long it was from one moment to another, for a queue.
    fn elapsed(&self, queue: &QueueId, from: Timestamp, to: Timestamp) -> Millis;
    /// Within what one is to be served in a queue.
    fn target(&self, queue: &QueueId) -> Option<Millis>;
    /// Whether it is no person: what it does is not the staff's.
    fn is_bot(&self, _agent: AgentId) -> bool {
        false
    }
    /// Slots that one takes of an agent.
    fn weight(&self, _queue: &QueueId) -> u32 {
        1
    }
    /// Slots of an agent; `None` when that is not known.
    fn capacity(&self, _agent: AgentId) -> Option<u32> {
        None
    }
}

/// One contribution.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample<'r> {
    pub(super) queue: &'r QueueId,
    pub(super) agent: Option<AgentId>,
    pub(super) what: What,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    Count(Count, u64),
    Span(Span, Millis),
    Busy(Busy),
}

/// An agent had one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Busy {
    pub(super) agent: AgentId,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// Slots that it took.
    pub(super) weight: u32,
}

/// Goes through everything that an episode adds; `is_last` of its conversation.
pub(super) fn of_episode<'r>(
    episode: &'r Episode,
    is_last: bool,
    rule: &dyn Rule,
    each: &mut dyn FnMut(Sample<'r>),
) {
    coming(episode, is_last, rule, each);
    answering(episode, rule, each);
    serving(episode, rule, each);
    moving(episode, rule, each);
    asking(episode, rule, each);
}

/// How an episode came to a person, or did not.
struct Coming {
    /// Since when it waited for one: a bot may have had it before.
    since: Timestamp,
    served: Option<(Timestamp, AgentId)>,
    /// A bot had it to the end.
    by_bots: bool,
}

impl Coming {
    fn of(episode: &Episode, rule: &dyn Rule) -> Self {
        let person = episode.stints.iter().position(|stint| !rule.is_bot(stint.agent));
        let bots = &episode.stints[..person.unwrap_or(episode.stints.len())];
        let handed_on = bots.last().and_then(|stint| stint.to);
        let ended = episode.ended.map(|(at, _)| at);
        Self {
            since: handed_on.unwrap_or(episode.began_at),
            served: person.map(|i| (episode.stints[i].from, episode.stints[i].agent)),
            by_bots: person.is_none() && handed_on.is_some() && handed_on == ended,
        }
    }
}

/// What came of the first wait.
fn coming<'r>(
    episode: &'r Episode,
    is_last: bool,
    rule: &dyn Rule,
    each: &mut dyn FnMut(Sample<'r>),
) {
    let queue = &episode.queue;
    let coming = Coming::of(episode, rule);
    let elapsed = |to| rule.elapsed(queue, coming.since, to);
    let target = rule.target(queue);
    let agent = coming.served.map(|(_, agent)| agent);
    let mut add = |what| each(Sample { queue, agent, what });
    add(What::Count(Count::Arrivals, 1));
    let (mut of_target, mut in_target) = (false, false);
    match (coming.served, episode.ended) {
        (Some((at, _)), _) => {
            add(What::Count(Count::Served, 1));
            add(What::Span(Span::Wait, elapsed(at)));
            (of_target, in_target) = (true, target.is_some_and(|target| elapsed(at) <= target));
        }
        (None, Some(_)) if coming.by_bots => add(What::Count(Count::ByBots, 1)),
        (None, Some((at, End::Visitor | End::Staff | End::VisitorLost))) => {
            add(What::Count(Count::Abandoned, 1));
            add(What::Span(Span::AbandonedAfter, elapsed(at)));
            of_target = target.is_some_and(|target| elapsed(at) > target);
        }
        (None, Some((_, End::Unserved(why)))) => {
            add(What::Count(Count::Unserved, 1));
            of_target = why != Unserved::OutOfHours;
        }
        (None, None) => {}
    }
    if target.is_some() {
        add(What::Count(Count::OfTarget, u64::from(of_target)));
        add(What::Count(Count::InTarget, u64::from(in_target)));
    }
    if let (Some(_), Some((at, _))) = (coming.served, episode.ended) {
        let agent = episode.last_agent().filter(|agent| !rule.is_bot(*agent)).or(agent);
        let resolution = rule.elapsed(queue, episode.began_at, at);
        each(Sample { queue, agent, what: What::Span(Span::Resolution, resolution) });
        each(Sample { queue, agent, what: What::Count(Count::Resolved, u64::from(is_last)) });
    }
}

/// What the staff said. What a bot answers leaves the visitor waiting for a person.
fn answering<'r>(episode: &'r Episode, rule: &dyn Rule, each: &mut dyn FnMut(Sample<'r>)) {
    let queue = &episode.queue;
    let answers = episode.answers.iter().map(|a| (a.at, a.agent, Some(a.asked_at)));
    let follow_ups = episode.follow_ups.iter().map(|(at, agent)| (*at, *agent, None));
    let mut said: Vec<_> = answers.chain(follow_ups).collect();
    said.sort_by_key(|(at, ..)| *at);
    let first = episode.first_response.into_iter().chain(said.iter().map(|(at, by, _)| (*at, *by)));
    if let Some((at, agent)) = first.filter(|(_, agent)| !rule.is_bot(*agent)).min() {
        let since = Coming::of(episode, rule).since.min(at);
        let what = What::Span(Span::FirstResponse, rule.elapsed(queue, since, at));
        each(Sample { queue, agent: Some(agent), what });
    }
    let mut unanswered = None;
    for (at, agent, asked_at) in said {
        unanswered = unanswered.or(asked_at);
        if rule.is_bot(agent) {
            continue;
        }
        let Some(since) = unanswered.take() else { continue };
        let what = What::Span(Span::Response, rule.elapsed(queue, since, at));
        each(Sample { queue, agent: Some(agent), what });
    }
    let is_person = |agent: &AgentId| !rule.is_bot(*agent);
    let visitor = What::Count(Count::VisitorMessages, u64::from(episode.visitor_messages));
    each(Sample { queue, agent: episode.last_agent().filter(is_person), what: visitor });
    for (agent, messages) in episode.staff_messages.iter().filter(|(agent, _)| is_person(agent)) {
        let what = What::Count(Count::StaffMessages, u64::from(*messages));
        each(Sample { queue, agent: Some(*agent), what });
    }
}

/// What agents did who had it.
fn serving<'r>(episode: &'r Episode, rule: &dyn Rule, each: &mut dyn FnMut(Sample<'r>)) {
    for stint in episode.stints.iter().filter(|stint| !rule.is_bot(stint.agent)) {
        let Some(to) = stint.to else { continue };
        let (queue, agent) = (&stint.queue, Some(stint.agent));
        let handling = rule.elapsed(queue, stint.from, to);
        each(Sample { queue, agent, what: What::Span(Span::Handling, handling) });
        let (agent, from, weight) = (stint.agent, stint.from, rule.weight(queue));
        let busy = What::Busy(Busy { agent, from, to, weight });
        each(Sample { queue, agent: Some(agent), what: busy });
    }
    if let Some(stars) = episode.rating {
        let (queue, agent) = (&episode.queue, episode.last_agent());
        let agent = agent.filter(|agent| !rule.is_bot(*agent));
        each(Sample { queue, agent, what: What::Count(Count::Rated, 1) });
        each(Sample { queue, agent, what: What::Count(Count::Stars, u64::from(stars)) });
    }
}

/// How it went from one to another.
fn moving<'r>(episode: &'r Episode, rule: &dyn Rule, each: &mut dyn FnMut(Sample<'r>)) {
    for rewait in &episode.rewaits {
        let Some((at, agent)) = rewait.taken.filter(|(_, agent)| !rule.is_bot(*agent)) else {
            continue;
        };
        let what = What::Span(Span::Rewait, rule.elapsed(&rewait.queue, rewait.from, at));
        each(Sample { queue: &rewait.queue, agent: Some(agent), what });
    }
    for (count, moves) in [(Count::Transfers, &episode.transfers), (Count::Lost, &episode.losses)] {
        for (_, agent, queue) in moves.iter().filter(|(_, agent, _)| !rule.is_bot(*agent)) {
            each(Sample { queue, agent: Some(*agent), what: What::Count(count, 1) });
        }
    }
    for (_, queue) in &episode.requeues {
        each(Sample { queue, agent: None, what: What::Count(Count::Requeues, 1) });
    }
}

/// Whom it was offered to.
fn asking<'r>(episode: &'r Episode, rule: &dyn Rule, each: &mut dyn FnMut(Sample<'r>)) {
    for offer in episode.offers.iter().filter(|offer| !rule.is_bot(offer.agent)) {
        let (queue, agent) = (&offer.queue, Some(offer.agent));
        each(Sample { queue, agent, what: What::Count(Count::Offers, 1) });
        let refused = match offer.asked {
            Some(Asked::Declined) => Count::Declined,
            Some(Asked::Missed) => Count::Missed,
            Some(Asked::Accepted | Asked::Withdrawn) | None => continue,
        };
        each(Sample { queue, agent, what: What::Count(refused, 1) });
    }
}

/// The names of the agents in a record.
pub(super) fn names(record: &Record) -> impl Iterator<Item = (AgentId, &str)> {
    let stints = record.episodes.iter().flat_map(|episode| &episode.stints);
    stints.map(|stint| (stint.agent, &*stint.name))
}
