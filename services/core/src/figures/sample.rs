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
    Rated,
    /// The sum of the ratings.
    Stars,
}

impl Count {
    /// How many there are.
    pub const ALL: usize = Self::Stars as usize + 1;

    /// Those that people are shown, by the names of the module's table.
    pub const NAMED: [(&str, Self); 14] = [
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
    /// An agent had one from then to then.
    Busy(AgentId, Timestamp, Timestamp),
}

/// Goes through everything that an episode adds.
pub(super) fn of_episode<'r>(
    episode: &'r Episode,
    rule: &dyn Rule,
    each: &mut dyn FnMut(Sample<'r>),
) {
    coming(episode, rule, each);
    serving(episode, rule, each);
    asking(episode, each);
}

/// What came of the first wait.
fn coming<'r>(episode: &'r Episode, rule: &dyn Rule, each: &mut dyn FnMut(Sample<'r>)) {
    let (queue, began) = (&episode.queue, episode.began_at);
    let elapsed = |to| rule.elapsed(queue, began, to);
    let target = rule.target(queue);
    let agent = episode.served.map(|(_, agent)| agent);
    let mut add = |what| each(Sample { queue, agent, what });
    add(What::Count(Count::Arrivals, 1));
    let (mut of_target, mut in_target) = (false, false);
    match (episode.served, episode.ended) {
        (Some((at, _)), _) => {
            add(What::Count(Count::Served, 1));
            add(What::Span(Span::Wait, elapsed(at)));
            (of_target, in_target) = (true, target.is_some_and(|target| elapsed(at) <= target));
        }
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
    if let Some((at, agent)) = episode.first_response {
        let what = What::Span(Span::FirstResponse, elapsed(at));
        each(Sample { queue, agent: Some(agent), what });
    }
    if let (Some(_), Some((at, _))) = (episode.served, episode.ended) {
        let what = What::Span(Span::Resolution, elapsed(at));
        each(Sample { queue, agent: episode.last_agent(), what });
    }
}

/// What agents did who had it.
fn serving<'r>(episode: &'r Episode, rule: &dyn Rule, each: &mut dyn FnMut(Sample<'r>)) {
    for stint in &episode.stints {
        let Some(to) = stint.to else { continue };
        let (queue, agent) = (&stint.queue, Some(stint.agent));
        let handling = rule.elapsed(queue, stint.from, to);
        each(Sample { queue, agent, what: What::Span(Span::Handling, handling) });
        each(Sample { queue, agent, what: What::Busy(stint.agent, stint.from, to) });
    }
    for answer in &episode.answers {
        let what =
            What::Span(Span::Response, rule.elapsed(&episode.queue, answer.asked_at, answer.at));
        each(Sample { queue: &episode.queue, agent: Some(answer.agent), what });
    }
    for rewait in &episode.rewaits {
        let Some((at, agent)) = rewait.taken else { continue };
        let what = What::Span(Span::Rewait, rule.elapsed(&rewait.queue, rewait.from, at));
        each(Sample { queue: &rewait.queue, agent: Some(agent), what });
    }
    for (count, moves) in [(Count::Transfers, &episode.transfers), (Count::Lost, &episode.losses)] {
        for (_, agent, queue) in moves {
            each(Sample { queue, agent: Some(*agent), what: What::Count(count, 1) });
        }
    }
    let queue = &episode.queue;
    let visitor = What::Count(Count::VisitorMessages, u64::from(episode.visitor_messages));
    each(Sample { queue, agent: episode.last_agent(), what: visitor });
    for (agent, messages) in &episode.staff_messages {
        let what = What::Count(Count::StaffMessages, u64::from(*messages));
        each(Sample { queue, agent: Some(*agent), what });
    }
    if let Some(stars) = episode.rating {
        let agent = episode.last_agent();
        each(Sample { queue, agent, what: What::Count(Count::Rated, 1) });
        each(Sample { queue, agent, what: What::Count(Count::Stars, u64::from(stars)) });
    }
}

/// Whom it was offered to.
fn asking<'r>(episode: &'r Episode, each: &mut dyn FnMut(Sample<'r>)) {
    for offer in &episode.offers {
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
