//! Order and position, case by case, and the laws that hold for any board.

use super::*;
use crate::conversation::{Arrival, Offer, Phase, QueuedReason, Reachable, Summary, Watch};
use crate::ids::{AgentId, ConversationId, OfferId, QueueId, Seq, VisitorId};
use crate::party::Participant;
use crate::time::{Millis, Timestamp};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

pub(super) const PLAIN: Terms = Terms { priority_minutes: 0, weight: 1 };

pub(super) fn at(secs: u64) -> Timestamp {
    Timestamp::from_millis(secs * 1_000)
}

pub(super) fn queue(name: &str) -> QueueId {
    name.parse().unwrap()
}

pub(super) fn conversation(id: u128) -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(id))
}

fn ann() -> Participant {
    Participant::agent(AgentId::from_uuid(Uuid::from_u128(1)), "Ann")
}

pub(super) fn on_offer() -> Phase {
    let id = OfferId::from_uuid(Uuid::from_u128(1));
    Phase::Offered(Offer { id, agent: ann(), expires_at: at(9_999) })
}

fn assigned(since: u64) -> Phase {
    Phase::Assigned { agent: ann(), since: at(since) }
}

pub(super) fn seen(id: u128, version: u32, in_queue: &str, since: u64, phase: Phase) -> Summary {
    Summary {
        id: conversation(id),
        site: "shop".parse().unwrap(),
        visitor: Participant::visitor(VisitorId::from_uuid(Uuid::from_u128(1)), ""),
        phase,
        queue: queue(in_queue),
        waiting_since: at(since),
        arrival: Some(Arrival { at: at(since), reason: QueuedReason::Started }),
        reachable: Reachable::Unknown,
        watch: Watch::default(),
        extra_minutes: 0,
        excluded: vec![],
        target: None,
        handover_note: None,
        asked_skills: Default::default(),
        guests: vec![],
        asked: vec![],
        consent: None,
        erased: false,
        last_agent: None,
        tags: vec![],
        attributes: BTreeMap::new(),
        language: Arc::from(""),
        channel: None,
        preview: Arc::from(""),
        started_at: at(since),
        last_at: at(since),
        head: Seq::new(version),
        public_head: Seq::new(version),
        visitor_read: Seq::ZERO,
        agent_read: Seq::ZERO,
    }
}

fn ids(board: &Board, name: &str) -> Vec<ConversationId> {
    board.line(&queue(name)).map(|p| p.entry.conversation).collect()
}

#[test]
fn who_waits_longest_is_next_and_an_offer_keeps_the_place() {
    let mut board = Board::default();
    board.observe(&seen(2, 1, "sales", 20, Phase::Waiting), PLAIN);
    board.observe(&seen(1, 1, "sales", 10, Phase::Waiting), PLAIN);
    let change = board.observe(&seen(1, 2, "sales", 10, on_offer()), PLAIN);
    assert_eq!(change.queues, [queue("sales")]);
    assert_eq!(ids(&board, "sales"), [conversation(1), conversation(2)]);
    assert_eq!(board.position(conversation(2)), Some((&queue("sales"), 2)));
    let waiting: Vec<_> = board.waiting(&queue("sales")).map(|e| e.conversation).collect();
    assert_eq!(waiting, [conversation(2)]);
    let counts = Counts { waiting: 1, offered: 1, oldest_since: Some(at(10)) };
    assert_eq!(board.counts(&queue("sales")), counts);
}

#[test]
fn priority_is_a_head_start_in_minutes() {
    let mut board = Board::default();
    let urgent = Terms { priority_minutes: 10, weight: 1 };
    board.observe(&seen(1, 1, "sales", 0, Phase::Waiting), PLAIN);
    board.observe(&seen(2, 1, "sales", 599, Phase::Waiting), urgent);
    board.observe(&seen(3, 1, "sales", 601, Phase::Waiting), urgent);
    assert_eq!(ids(&board, "sales"), [conversation(2), conversation(1), conversation(3)]);
}

#[test]
fn a_supervisor_moves_one_at_once_within_its_queue() {
    let mut board = Board::default();
    board.observe(&seen(1, 1, "sales", 10, Phase::Waiting), PLAIN);
    board.observe(&seen(2, 1, "sales", 20, Phase::Waiting), PLAIN);
    let urgent = Summary { extra_minutes: 1, ..seen(2, 2, "sales", 20, Phase::Waiting) };
    assert_eq!(board.observe(&urgent, PLAIN).queues, [queue("sales")]);
    assert_eq!(ids(&board, "sales"), [conversation(2), conversation(1)]);
    let idle = Summary { extra_minutes: -1, ..seen(2, 3, "sales", 20, Phase::Waiting) };
    assert_eq!(board.observe(&idle, PLAIN).queues, [queue("sales")]);
    assert_eq!(ids(&board, "sales"), [conversation(1), conversation(2)]);
    board.set_terms(&queue("sales"), Terms { priority_minutes: 5, weight: 1 });
    assert_eq!(ids(&board, "sales"), [conversation(1), conversation(2)], "it is added to both");
}

#[test]
fn what_an_earlier_version_says_has_no_extra() {
    let entry = Entry::of(&seen(1, 1, "sales", 10, Phase::Waiting), PLAIN);
    let mut told = serde_json::to_value(&entry).unwrap();
    let fields = told.as_object_mut().unwrap();
    assert!(fields.remove("extra_minutes").is_some() && fields.remove("asked_skills").is_some());
    assert_eq!(serde_json::from_value::<Entry>(told).unwrap(), entry);
}

#[test]
fn old_news_never_undoes_newer() {
    let mut board = Board::default();
    board.observe(&seen(1, 5, "sales", 10, Phase::Closed { at: at(50) }), PLAIN);
    let late = board.observe(&seen(1, 4, "sales", 10, Phase::Waiting), PLAIN);
    assert_eq!(late, Change::default());
    assert_eq!(board.position(conversation(1)), None);
    board.observe(&seen(1, 7, "sales", 60, Phase::Waiting), PLAIN);
    assert_eq!(board.position(conversation(1)), Some((&queue("sales"), 1)));
}

#[test]
fn a_transfer_moves_it_and_says_both_queues_changed() {
    let mut board = Board::default();
    board.observe(&seen(1, 1, "sales", 10, Phase::Waiting), PLAIN);
    let change = board.observe(&seen(1, 4, "support", 10, Phase::Waiting), PLAIN);
    assert_eq!(change.queues, [queue("sales"), queue("support")]);
    assert_eq!(ids(&board, "sales"), []);
}

#[test]
fn a_message_while_it_waits_changes_no_queue() {
    let mut board = Board::default();
    board.observe(&seen(1, 1, "sales", 10, Phase::Waiting), PLAIN);
    let change = board.observe(&seen(1, 2, "sales", 10, Phase::Waiting), PLAIN);
    assert_eq!(change, Change::default());
    assert_eq!(board.waiting(&queue("sales")).next().unwrap().version, Seq::new(2));
}

#[test]
fn the_estimate_comes_from_what_was_measured() {
    let mut board = Board::default();
    let sales = queue("sales");
    let two = Slots { online: 2, free: 0 };
    board.observe(&seen(1, 1, "sales", 0, Phase::Waiting), PLAIN);
    let served = board.observe(&seen(1, 2, "sales", 0, assigned(30)), PLAIN).served;
    assert_eq!(served, Some((sales.clone(), Millis::from_secs(30))));
    assert_eq!(board.estimate(&sales, 1.0, two, at(130)), None);
    board.observe(&seen(1, 3, "sales", 0, Phase::Closed { at: at(130) }), PLAIN);
    let mean = |behind, slots| board.estimate(&sales, behind, slots, at(130)).map(|e| e.mean);
    assert_eq!(mean(1.0, two), Some(Millis::from_secs(50)));
    assert_eq!(mean(3.0, two), Some(Millis::from_secs(150)));
    assert_eq!(mean(0.0, two), Some(Millis::ZERO));
    assert_eq!(mean(1.0, Slots::default()), None);
    // Of one chat little is known.
    let upper = board.estimate(&sales, 1.0, two, at(130)).unwrap().upper;
    assert!(upper > Millis::from_secs(100), "{upper:?}");
}

#[test]
fn the_hour_of_the_week_counts_as_far_as_it_is_known() {
    const WEEK: u64 = 7 * 24 * 3_600;
    let mut handling = Handling::default();
    for week in 0..10 {
        for n in 0..10 {
            handling.measure(at(week * WEEK + n * 60), Millis::from_secs(600));
            handling.measure(at(week * WEEK + 3_600 + n * 60), Millis::from_secs(200));
        }
    }
    let mean = |secs: u64| handling.mean(at(11 * WEEK + secs)).unwrap().get() / 1_000;
    // Sixty minutes, fifty of whose chats are remembered, against ten of the queue's mean.
    assert!((530..600).contains(&mean(0)), "{}", mean(0));
    assert!((200..280).contains(&mean(3_600)), "{}", mean(3_600));
    let unknown = mean(2 * 3_600);
    assert!((300..500).contains(&unknown), "that of the queue: {unknown}");
}

#[test]
fn an_interval_widens_with_what_is_not_known() {
    let after = |chats: u64| {
        let mut handling = Handling::default();
        (0..chats).for_each(|n| handling.measure(at(n), Millis::from_secs(100)));
        handling.estimate(4.0, Slots { online: 2, free: 0 }, at(0)).unwrap()
    };
    let (few, many) = (after(2), after(50));
    assert_eq!(few.mean, many.mean);
    assert!(few.upper > many.upper && many.upper > many.mean, "{few:?} {many:?}");
}

#[test]
fn new_terms_move_everyone() {
    let mut board = Board::default();
    let sales = queue("sales");
    board.observe(&seen(1, 1, "sales", 10, Phase::Waiting), PLAIN);
    let heavy = Terms { priority_minutes: 5, weight: 3 };
    assert!(board.set_terms(&sales, heavy));
    assert!(!board.set_terms(&sales, heavy));
    assert_eq!(board.waiting(&sales).next().unwrap().weight, 3);
    assert_eq!(board.position(conversation(1)), Some((&sales, 1)));
}

#[test]
fn what_is_no_more_is_forgotten_unless_it_was_heard_of_since() {
    let mut board = Board::default();
    board.observe(&seen(1, 5, "sales", 10, Phase::Waiting), PLAIN);
    assert_eq!(board.forget(conversation(1), Seq::new(4)), None);
    assert_eq!(board.forget(conversation(1), Seq::new(5)), Some(queue("sales")));
    assert_eq!(board.active().count(), 0);
}

#[test]
fn tombstones_are_bounded() {
    let mut board = Board::default();
    let closed = |id: u128| seen(id, 2, "sales", 10, Phase::Closed { at: at(20) });
    for id in 1..=MAX_TOMBSTONES as u128 + 1 {
        board.observe(&closed(id), PLAIN);
    }
    let late = |id: u128| seen(id, 1, "sales", 10, Phase::Waiting);
    assert_eq!(board.observe(&late(2), PLAIN), Change::default());
    assert_ne!(board.observe(&late(1), PLAIN), Change::default());
}

fn phases() -> impl Strategy<Value = Phase> {
    prop_oneof![
        3 => Just(Phase::Waiting),
        2 => Just(on_offer()),
        2 => (0..50u64).prop_map(assigned),
        1 => (50..90u64).prop_map(|s| Phase::Closed { at: at(s) }),
    ]
}

/// Per conversation a history of summaries with rising versions.
fn histories() -> impl Strategy<Value = Vec<Summary>> {
    let step = (prop_oneof![Just("sales"), Just("support")], 0..40u64, -2..3i32, phases());
    prop::collection::vec(prop::collection::vec(step, 1..6), 1..8).prop_map(|conversations| {
        let numbered = conversations.into_iter().enumerate();
        numbered
            .flat_map(|(id, steps)| {
                let steps = steps.into_iter().enumerate();
                steps.map(move |(i, (name, since, extra_minutes, phase))| {
                    let seen = seen(id as u128 + 1, i as u32 + 1, name, since, phase);
                    Summary { extra_minutes, ..seen }
                })
            })
            .collect()
    })
}

fn terms_of(summary: &Summary) -> Terms {
    let priority_minutes = if summary.queue == queue("support") { 1 } else { 0 };
    Terms { priority_minutes, weight: 1 }
}

fn board_of<'a>(news: impl IntoIterator<Item = &'a Summary>) -> Board {
    let mut board = Board::default();
    for summary in news {
        board.observe(summary, terms_of(summary));
    }
    board
}

fn lines(board: &Board) -> Vec<Vec<Placed>> {
    ["sales", "support"].iter().map(|q| board.line(&queue(q)).cloned().collect()).collect()
}

proptest! {
    #[test]
    fn news_out_of_order_and_twice_come_to_the_same(
        (told, shuffled) in histories().prop_flat_map(|told| {
            let twice: Vec<Summary> = told.iter().chain(&told).cloned().collect();
            (Just(told), Just(twice).prop_shuffle())
        })
    ) {
        prop_assert_eq!(lines(&board_of(&told)), lines(&board_of(&shuffled)));
    }

    #[test]
    fn positions_are_dense_and_in_order(told in histories()) {
        let board = board_of(&told);
        for line in lines(&board) {
            for (i, placed) in line.iter().enumerate() {
                let (_, position) = board.position(placed.entry.conversation).unwrap();
                prop_assert_eq!(position as usize, i + 1);
            }
            prop_assert!(line.is_sorted_by_key(|p| p.entry.order_key()));
        }
    }

    /// What is kept beside the order against walks through it.
    #[test]
    fn counts_are_those_of_a_walk(told in histories(), newcomer in 0..50u64) {
        let board = board_of(&told);
        let place = OrderKey::of_newcomer(at(newcomer), 0);
        for name in ["sales", "support"].map(queue) {
            let line: Vec<&Placed> = board.line(&name).collect();
            let is_free = |p: &&&Placed| p.standing == Standing::Waiting;
            let waiting = line.iter().filter(is_free).count() as u32;
            let oldest_since = line.iter().map(|p| p.entry.waiting_since).min();
            let offered = line.len() as u32 - waiting;
            prop_assert_eq!(board.counts(&name), Counts { waiting, offered, oldest_since });
            let before = |p: &&&Placed| is_free(p) && p.entry.order_key() < place;
            let ahead = line.iter().filter(before).count() as u32;
            prop_assert_eq!(board.ahead(&name, &place), ahead);
            let latest: BTreeMap<_, _> = told.iter().map(|s| (s.id, s)).collect();
            let has = |s: &&&Summary| s.queue == name && matches!(s.phase, Phase::Assigned { .. });
            prop_assert_eq!(board.assigned(&name), latest.values().filter(has).count() as u32);
        }
    }

    #[test]
    fn nobody_waits_twice_or_is_forgotten(told in histories()) {
        let board = board_of(&told);
        let mut latest = BTreeMap::new();
        for summary in &told {
            latest.insert(summary.id, summary);
        }
        let expected: Vec<ConversationId> = latest
            .values()
            .filter(|s| matches!(s.phase, Phase::Waiting | Phase::Offered(_)))
            .map(|s| s.id)
            .collect();
        let mut there: Vec<_> =
            lines(&board).into_iter().flatten().map(|p| p.entry.conversation).collect();
        there.sort();
        prop_assert_eq!(there, expected);
    }

    #[test]
    fn the_order_is_that_of_the_score_at_any_time(
        waits in prop::collection::vec((0..10_000u64, 0..200u32, -1_440..1_440i32), 2..20),
        now in 10_000..1_000_000u64,
    ) {
        let entry = |(id, (since, priority_minutes, extra)): (usize, &(u64, u32, i32))| {
            let seen = seen(id as u128 + 1, 1, "sales", *since, Phase::Waiting);
            let summary = Summary { extra_minutes: *extra, ..seen };
            Entry::of(&summary, Terms { priority_minutes: *priority_minutes, weight: 1 })
        };
        let mut entries: Vec<Entry> = waits.iter().enumerate().map(entry).collect();
        entries.sort_by_key(Entry::order_key);
        let score = |e: &Entry| e.order_key().score_millis(at(now));
        prop_assert!(entries.windows(2).all(|w| score(&w[0]) >= score(&w[1])));
        let by_hand = |e: &Entry| {
            let minutes = i64::from(e.priority_minutes) + i64::from(e.extra_minutes);
            i128::from(at(now).since(e.waiting_since).get()) + i128::from(minutes * 60_000)
        };
        prop_assert!(entries.iter().all(|e| by_hand(e) == score(e)));
    }

    /// Ageing: however many urgent ones come later, only those of a bounded time
    /// get ahead.
    #[test]
    fn nothing_starves(
        priority_minutes in 0..120u32,
        extra in 0..1_440i32,
        put_back in 0..1_440i32,
        late_secs in 1..10_000u64,
    ) {
        let waiting = |id, since| seen(id, 1, "sales", since, Phase::Waiting);
        let plain = Summary { extra_minutes: -put_back, ..waiting(1, 0) };
        let plain = Entry::of(&plain, PLAIN);
        let minutes = u64::from(priority_minutes) + u64::from((extra + put_back).unsigned_abs());
        let late = Summary { extra_minutes: extra, ..waiting(2, minutes * 60 + late_secs) };
        let urgent = Entry::of(&late, Terms { priority_minutes, weight: 1 });
        prop_assert!(plain.order_key() < urgent.order_key());
    }
}
