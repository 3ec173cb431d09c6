//! One conversation counted by hand, and the laws of any.

use super::*;
use crate::conversation::{Body, ClosedReason, Event, OfferOutcome, QueuedReason, ReleasedReason};
use crate::ids::{AgentId, ConversationId, OfferId, QueueId, Seq, VisitorId};
use crate::party::Participant;
use crate::time::{Millis, Timestamp};
use std::sync::Arc;
use uuid::Uuid;

fn at(secs: u64) -> Timestamp {
    Timestamp::from_millis(secs * 1_000)
}

fn secs(secs: u64) -> Millis {
    Millis::from_secs(secs)
}

fn queue(name: &str) -> QueueId {
    name.parse().unwrap()
}

fn agent(id: u128) -> AgentId {
    AgentId::from_uuid(Uuid::from_u128(id))
}

fn named(id: u128) -> Participant {
    Participant::agent(agent(id), format!("agent {id}"))
}

fn visitor() -> Participant {
    Participant::visitor(VisitorId::from_uuid(Uuid::from_u128(1)), "")
}

/// Sixty seconds to serve, by the clock on the wall; `night` has no target.
struct Plain;

impl Rule for Plain {
    fn elapsed(&self, _: &QueueId, from: Timestamp, to: Timestamp) -> Millis {
        to.since(from)
    }
    fn target(&self, name: &QueueId) -> Option<Millis> {
        (*name != queue("night")).then_some(secs(60))
    }
}

fn started(language: &str) -> Body {
    let (site, none) = ("shop".parse().unwrap(), Arc::from(""));
    let (language, page, channel) = (Arc::from(language), Arc::clone(&none), none);
    Body::Started { site, attributes: [].into(), page, language, channel, consent: None }
}

fn queued(name: &str, reason: QueuedReason) -> Body {
    Body::Queued { queue: queue(name), reason }
}

fn message() -> Body {
    let (text, attachments) = (Arc::from("?"), vec![]);
    Body::Message { client_msg_id: "m".parse().unwrap(), text, attachments }
}

fn offered(id: u128) -> Body {
    let offer = OfferId::from_uuid(Uuid::from_u128(9));
    Body::Offered { offer, agent: named(id), expires_at: at(9_999) }
}

fn offer_ended(id: u128, outcome: OfferOutcome) -> Body {
    let offer = OfferId::from_uuid(Uuid::from_u128(9));
    Body::OfferEnded { offer, agent: named(id), outcome, reason: Arc::from("") }
}

fn released(id: u128, reason: ReleasedReason) -> Body {
    Body::Released { agent: named(id), reason }
}

fn fold(id: u128, events: Vec<(u64, Participant, Body)>) -> Record {
    let conversation = ConversationId::from_uuid(Uuid::from_u128(id));
    let mut fold = Fold::new(conversation);
    for (seq, (secs, by, body)) in (1..).zip(events) {
        let (seq, prev_public) = (Seq::new(seq), Seq::ZERO);
        fold.apply(&Event { conversation, seq, prev_public, at: at(secs), by, body });
    }
    fold.finish()
}

/// Ann misses the offer, Bob takes it and hands it on to Ann, who goes away; Bob ends
/// it. Taken up again, the visitor gives up.
fn eventful() -> Record {
    let (visitor, system) = (visitor, Participant::system);
    fold(
        1,
        vec![
            (0, visitor(), started("de")),
            (0, visitor(), message()),
            (0, visitor(), queued("sales", QueuedReason::Started)),
            (5, system(), offered(1)),
            (25, system(), offer_ended(1, OfferOutcome::Expired)),
            (26, system(), offered(2)),
            (30, system(), Body::Assigned { agent: named(2) }),
            (40, named(2), message()),
            (50, visitor(), message()),
            (55, visitor(), message()),
            (70, named(2), message()),
            (80, named(2), released(2, ReleasedReason::Transferred)),
            (80, named(2), queued("tax", QueuedReason::Transferred)),
            (90, system(), offered(1)),
            (95, system(), Body::Assigned { agent: named(1) }),
            (200, system(), released(1, ReleasedReason::AgentLost)),
            (200, system(), queued("tax", QueuedReason::AgentLost)),
            (210, system(), offered(2)),
            (215, system(), Body::Assigned { agent: named(2) }),
            (300, named(2), Body::TagsChanged { tags: vec!["a".into(), "b".into()] }),
            (300, named(2), Body::Closed { reason: ClosedReason::ByAgent }),
            (310, visitor(), Body::Rated { score: 4, comment: Arc::from("") }),
            (500, visitor(), Body::Reopened),
            (500, visitor(), queued("tax", QueuedReason::Reopened)),
            (600, visitor(), Body::Closed { reason: ClosedReason::ByVisitor }),
        ],
    )
}

fn table(by: &[Dimension], records: &[Record]) -> Table {
    let mut table = Table::new(at(0), at(10_000), by.to_vec(), "UTC").unwrap();
    for record in records {
        table.add(record, &Plain);
        table.add(record, &Plain);
    }
    table
}

fn only(table: &Table) -> &Row {
    let mut rows = table.rows();
    let row = rows.next().unwrap().1;
    assert!(rows.next().is_none());
    row
}

#[test]
fn each_figure_is_as_it_is_defined() {
    let table = table(&[], &[eventful()]);
    let row = only(&table);
    let counted = |counts: &[Count]| counts.iter().map(|c| row.count(*c)).collect::<Vec<_>>();
    use Count::{Abandoned, Arrivals, Served, Unserved};
    assert_eq!(counted(&[Arrivals, Served, Abandoned, Unserved]), [2, 1, 1, 0]);
    assert_eq!(counted(&[Count::InTarget, Count::OfTarget]), [1, 2]);
    assert_eq!(counted(&[Count::Offers, Count::Missed, Count::Declined]), [4, 1, 0]);
    assert_eq!(counted(&[Count::Transfers, Count::Lost]), [1, 1]);
    assert_eq!(counted(&[Count::VisitorMessages, Count::StaffMessages]), [3, 2]);
    let max = |span| (row.durations(span).count, row.durations(span).max);
    assert_eq!(max(Span::Wait), (1, secs(30)));
    assert_eq!(max(Span::AbandonedAfter), (1, secs(100)));
    assert_eq!(max(Span::FirstResponse), (1, secs(40)));
    // From its first message to 40 s, and from 50 s to 70 s.
    assert_eq!(max(Span::Response), (2, secs(40)));
    assert_eq!(max(Span::Handling), (3, secs(105)));
    assert_eq!(max(Span::Resolution), (1, secs(300)));
    assert_eq!(max(Span::Rewait), (2, secs(15)));
    assert_eq!((row.rating(), row.service_level()), (Some(4.0), Some(0.5)));
}

#[test]
fn what_is_done_counts_where_and_by_whom_it_was_done() {
    let by_queue = table(&[Dimension::Queue], &[eventful()]);
    let handled = by_queue.rows().map(|(key, row)| (&*key[0], row.durations(Span::Handling).count));
    assert_eq!(handled.collect::<Vec<_>>(), [("sales", 1), ("tax", 2)]);
    let by_agent = table(&[Dimension::Agent], &[eventful()]);
    let asked = by_agent.rows().map(|(key, row)| (key[0].len(), row.count(Count::Offers)));
    assert_eq!(asked.collect::<Vec<_>>(), [(0, 0), (36, 2), (36, 2)], "nobody, Ann, Bob");
    assert_eq!(by_agent.names()[&agent(2)], "agent 2");
    let by_tag = table(&[Dimension::Tag, Dimension::Language], &[eventful()]);
    let keys: Vec<_> = by_tag.rows().map(|(key, _)| key.join("/")).collect();
    assert_eq!(keys, ["a/de", "b/de"]);
}

#[test]
fn the_hour_is_that_of_the_zone_and_others_do_not_count() {
    let hour = |zone| {
        let mut table = Table::new(at(0), at(1), vec![Dimension::Hour, Dimension::Day], zone)?;
        table.add(&eventful(), &Plain);
        let (key, row) = table.rows().next().map(|(key, row)| (key.join(" "), row.clone()))?;
        Some((key, row.count(Count::Arrivals)))
    };
    assert_eq!(hour("UTC"), Some(("1970-01-01T00:00+00:00 1970-01-01".into(), 1)));
    assert_eq!(hour("America/New_York"), Some(("1969-12-31T19:00-05:00 1969-12-31".into(), 1)));
    assert_eq!(hour("Nowhere/Land"), None);
}

#[test]
fn two_at_once_are_a_concurrency_of_two() {
    let chat = |id, from, to| {
        fold(
            id,
            vec![
                (0, visitor(), started("")),
                (0, visitor(), queued("sales", QueuedReason::Started)),
                (from, Participant::system(), Body::Assigned { agent: named(1) }),
                (to, named(1), Body::Closed { reason: ClosedReason::ByAgent }),
            ],
        )
    };
    let both = table(&[], &[chat(1, 10, 110), chat(2, 10, 110)]);
    assert_eq!(only(&both).concurrency(), Some(2.0));
    // 100 s and 50 s within 125 s.
    let staggered = table(&[], &[chat(1, 10, 110), chat(2, 85, 135)]);
    assert_eq!(only(&staggered).concurrency(), Some(1.2));
    let apart = table(&[], &[chat(1, 10, 20), chat(2, 85, 135)]);
    assert_eq!(only(&apart).concurrency(), Some(1.0));
}

#[test]
fn every_figure_of_the_table_has_its_name() {
    let text = include_str!("mod.rs");
    let counts = Count::NAMED.iter().map(|(name, _)| *name);
    for name in counts.chain(Span::NAMED.iter().map(|(name, _)| *name)) {
        assert!(text.contains(&format!("`{name}`")), "{name} is not defined");
    }
}

#[test]
fn ranks_are_the_nearest() {
    let wait = |id: u128| {
        let taken = u64::try_from(id).unwrap();
        fold(
            id,
            vec![
                (0, visitor(), started("")),
                (0, visitor(), queued("night", QueuedReason::Started)),
                (taken, Participant::system(), Body::Assigned { agent: named(1) }),
            ],
        )
    };
    let all: Vec<Record> = (1..=20).map(wait).collect();
    let table = table(&[], &all);
    let waits = only(&table).durations(Span::Wait);
    let expected = Durations {
        count: 20,
        mean: Millis::new(10_500),
        p50: secs(10),
        p90: secs(18),
        p95: secs(19),
        max: secs(20),
    };
    assert_eq!(waits, expected);
    assert_eq!(only(&table).service_level(), None, "no target, no share of it");
}

/// Agent 7 is a bot; the others have two slots.
struct WithBot;

impl Rule for WithBot {
    fn elapsed(&self, _: &QueueId, from: Timestamp, to: Timestamp) -> Millis {
        to.since(from)
    }
    fn target(&self, _: &QueueId) -> Option<Millis> {
        Some(secs(60))
    }
    fn is_bot(&self, who: AgentId) -> bool {
        who == agent(7)
    }
    fn capacity(&self, _: AgentId) -> Option<u32> {
        Some(2)
    }
}

/// A bot answers at once and hands on to Ann, who is asked nothing more.
fn by_way_of_a_bot() -> Record {
    let (visitor, system) = (visitor, Participant::system);
    fold(
        2,
        vec![
            (0, visitor(), started("de")),
            (0, visitor(), message()),
            (0, visitor(), queued("sales", QueuedReason::Started)),
            (1, system(), Body::Assigned { agent: named(7) }),
            (2, named(7), message()),
            (100, named(7), released(7, ReleasedReason::Transferred)),
            (100, named(7), queued("tax", QueuedReason::Transferred)),
            (120, system(), Body::Assigned { agent: named(1) }),
            (150, named(1), message()),
            (200, named(1), Body::Closed { reason: ClosedReason::ByAgent }),
        ],
    )
}

fn told_by(rule: &dyn Rule, records: &[Record]) -> Table {
    let mut table = Table::new(at(0), at(10_000), vec![], "UTC").unwrap();
    records.iter().for_each(|record| table.add(record, rule));
    table
}

#[test]
fn what_a_bot_does_is_not_the_staffs() {
    let table = told_by(&WithBot, &[by_way_of_a_bot()]);
    let row = only(&table);
    assert_eq!(row.durations(Span::Wait).max, secs(20), "since the bot handed it on");
    assert_eq!(row.durations(Span::FirstResponse).max, secs(50));
    assert_eq!(row.durations(Span::Response).max, secs(150), "the question was asked at 0");
    assert_eq!(row.durations(Span::Handling).max, secs(80));
    let counts = [Count::Served, Count::StaffMessages, Count::Transfers, Count::Requeues];
    assert_eq!(counts.map(|count| row.count(count)), [1, 1, 0, 1]);
    let table = told_by(&Plain, &[by_way_of_a_bot()]);
    let row = only(&table);
    assert_eq!(row.durations(Span::Wait).max, secs(1));
    assert_eq!(row.durations(Span::Response).max, secs(2));
}

#[test]
fn what_only_a_bot_had_was_neither_served_nor_given_up() {
    let end = |by: Participant, reason| {
        let (visitor, system) = (visitor, Participant::system);
        fold(
            3,
            vec![
                (0, visitor(), started("de")),
                (0, visitor(), queued("sales", QueuedReason::Started)),
                (1, system(), Body::Assigned { agent: named(7) }),
                (90, by, Body::Closed { reason }),
            ],
        )
    };
    let by_visitor = end(visitor(), ClosedReason::ByVisitor);
    let table = told_by(&WithBot, &[by_visitor]);
    let counts = [Count::ByBots, Count::Served, Count::Abandoned, Count::Resolved];
    assert_eq!(counts.map(|count| only(&table).count(count)), [1, 0, 0, 0]);
}

#[test]
fn a_conversation_is_resolved_unless_it_is_taken_up_again() {
    let served = |reopens: bool| {
        let (visitor, system) = (visitor, Participant::system);
        let mut events = vec![
            (0, visitor(), started("de")),
            (0, visitor(), queued("sales", QueuedReason::Started)),
            (1, system(), Body::Assigned { agent: named(1) }),
            (90, named(1), Body::Closed { reason: ClosedReason::ByAgent }),
        ];
        if reopens {
            events.push((95, visitor(), Body::Reopened));
            events.push((95, visitor(), queued("sales", QueuedReason::Reopened)));
        }
        fold(if reopens { 4 } else { 5 }, events)
    };
    let table = told_by(&Plain, &[served(true), served(false)]);
    assert_eq!((only(&table).count(Count::Resolved), only(&table).count(Count::Served)), (1, 2));
}

/// Ann has one from 0 to 100, and another from 50 to 150, then none for hours.
#[test]
fn how_many_an_agent_had_at_once_says_how_long_they_took() {
    let one = |id: u128, from: u64, to: u64| {
        let (visitor, system) = (visitor, Participant::system);
        fold(
            id,
            vec![
                (from, visitor(), started("de")),
                (from, visitor(), queued("sales", QueuedReason::Started)),
                (from, system(), Body::Assigned { agent: named(1) }),
                (to, named(1), Body::Closed { reason: ClosedReason::ByAgent }),
            ],
        )
    };
    let table = told_by(&WithBot, &[one(6, 0, 100), one(7, 50, 150), one(8, 9_000, 9_300)]);
    let row = only(&table);
    assert_eq!(row.concurrency(), Some(500.0 / 450.0));
    let levels = row.levels(&table.crowd());
    // Each of the first two has company for half of its time: 1.5, rounded up.
    let expected = [(1, 1, secs(300)), (2, 2, secs(100))];
    let seen: Vec<_> = levels.iter().map(|l| (l.at_once, l.count, l.handling)).collect();
    assert_eq!(seen, expected);
    // 500 s of two slots in 150 s and, after hours, 300 s.
    assert_eq!(row.occupancy(&table.room()), Some(500.0 / 900.0));
    assert_eq!(table.crowd().most(agent(1)), 2);
}
