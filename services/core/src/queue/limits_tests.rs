//! Whom a queue does not serve, case by case, and against a plain count.

use super::tests::{PLAIN, at, conversation, on_offer, queue, seen};
use super::*;
use crate::conversation::{Arrival, Instead, Phase, QueuedReason, Reachable, Summary, Unserved};
use crate::hours::Hours;
use crate::time::Millis;
use proptest::prelude::*;

/// 1 January 1970 was a Thursday; open from 1:00 to 2:00, in seconds 3,600 to 7,200.
fn hours() -> Hours {
    let mut hours = Hours::new("UTC").unwrap();
    hours.set_days("thu", &["01:00-02:00"]).unwrap();
    hours
}

fn board(all: &[Summary]) -> Board {
    let mut board = Board::default();
    for summary in all {
        board.observe(summary, PLAIN);
    }
    board
}

fn waiting(id: u128, since: u64) -> Summary {
    seen(id, 1, "sales", since, Phase::Waiting)
}

fn came(id: u128, since: u64, reason: QueuedReason) -> Summary {
    Summary { arrival: Some(Arrival { at: at(since), reason }), ..waiting(id, since) }
}

fn away(board: &Board, limits: &Limits, hours: Option<&Hours>, now: u64) -> TurnedAway {
    board.turned_away(&queue("sales"), limits, hours, at(now))
}

#[test]
fn who_comes_too_late_finds_it_full() {
    let limits = Limits { max_waiting: Some(2), ..Limits::default() };
    let offered = seen(1, 1, "sales", 10, on_offer());
    let lost = came(4, 40, QueuedReason::AgentLost);
    let board = board(&[offered, waiting(2, 20), waiting(3, 30), lost]);
    let entries = [(conversation(3), Unserved::QueueFull, Instead::Form)];
    assert_eq!(away(&board, &limits, None, 50).entries, entries);
}

#[test]
fn who_comes_out_of_hours_is_told_and_who_came_before_stays() {
    let elsewhere = Instead::Queue(queue("night"));
    let limits = Limits { when_closed: Answer::Queue(queue("night")), ..Limits::default() };
    let handed_on = came(3, 8_000, QueuedReason::Transferred);
    let board = board(&[waiting(1, 4_000), waiting(2, 7_300), handed_on.clone()]);
    let reason = Unserved::OutOfHours;
    let both = [(conversation(2), reason, elsewhere.clone()), (conversation(3), reason, elsewhere)];
    assert_eq!(away(&board, &limits, Some(&hours()), 8_000).entries, both);
    let form = Limits::default();
    let one = [(conversation(2), reason, Instead::Form)];
    assert_eq!(away(&board, &form, Some(&hours()), 8_000).entries, one);
    let patient = Limits { when_closed: Answer::Wait, ..Limits::default() };
    assert_eq!(away(&board, &patient, Some(&hours()), 8_000).entries, []);
    let week = 7 * 86_400;
    assert_eq!(away(&board, &form, Some(&hours()), week + 3_600).entries, [], "open again");
}

#[test]
fn a_wait_counts_while_it_is_open_and_its_end_is_known() {
    let limits = Limits {
        max_wait: Some(Millis::from_mins(10)),
        when_too_long: Answer::Callback,
        ..Limits::default()
    };
    let one = board(&[waiting(1, 7_000)]);
    assert_eq!(away(&one, &limits, None, 7_100).due, Some(at(7_600)));
    let callback = [(conversation(1), Unserved::WaitedTooLong, Instead::Callback)];
    assert_eq!(away(&one, &limits, None, 7_600).entries, callback);
    // 200 of the 600 seconds before it closes; the others a week later.
    let patient = Limits { when_closed: Answer::Wait, ..limits.clone() };
    let due = away(&one, &patient, Some(&hours()), 8_000).due;
    assert_eq!(due, Some(at(7 * 86_400 + 3_600 + 400)));
    let asked = board(&[Summary { reachable: Reachable::Asked, ..waiting(1, 7_000) }]);
    assert_eq!(away(&asked, &limits, None, 9_000), TurnedAway::default());
}

#[test]
fn who_left_word_keeps_its_place() {
    let limits = Limits { max_wait: Some(Millis::from_mins(1)), ..Limits::default() };
    let left = board(&[Summary { reachable: Reachable::Left, ..waiting(1, 10) }]);
    assert_eq!(away(&left, &limits, None, 10_000).entries, []);
}

proptest! {
    #[test]
    fn never_more_than_may_wait_and_never_one_too_many(
        since in prop::collection::vec(0_u64..50, 0..30),
        max in 1_u32..20,
        now in 0_u64..100,
    ) {
        let all: Vec<Summary> = (1..).zip(&since).map(|(id, s)| waiting(id, *s)).collect();
        let limits = Limits { max_waiting: Some(max), ..Limits::default() };
        let away = away(&board(&all), &limits, None, now);
        let stay = all.len() - away.entries.len();
        prop_assert_eq!(stay, all.len().min(max as usize));
        let is_away = |s: &Summary| away.entries.iter().any(|(id, _, _)| *id == s.id);
        let last_in = all.iter().filter(|s| !is_away(s)).map(|s| s.waiting_since).max();
        let first_out = all.iter().filter(|s| is_away(s)).map(|s| s.waiting_since).min();
        prop_assert!(first_out.is_none() || last_in <= first_out);
    }

    #[test]
    fn nobody_waits_longer_than_may_be_and_due_says_when(
        since in prop::collection::vec(0_u64..50, 1..30),
        max_secs in 1_u64..60,
        now in 50_u64..120,
    ) {
        let all: Vec<Summary> = (1..).zip(&since).map(|(id, s)| waiting(id, *s)).collect();
        let max_wait = Some(Millis::from_secs(max_secs));
        let limits = Limits { max_wait, ..Limits::default() };
        let board = board(&all);
        let found = away(&board, &limits, None, now);
        let expected = since.iter().filter(|s| now - **s >= max_secs).count();
        prop_assert_eq!(found.entries.len(), expected);
        match found.due {
            None => prop_assert_eq!(expected, all.len()),
            Some(due) => {
                let due = due.as_millis() / 1_000;
                let later = away(&board, &limits, None, due);
                let before = away(&board, &limits, None, due - 1);
                prop_assert!(later.entries.len() > expected);
                prop_assert_eq!(before.entries.len(), expected);
            }
        }
    }
}
