//! The checker on histories whose verdict is known.

use crate::registers::{Access, Registers, Seen, Step, at};
use frontdesk_tests::linear::{
    Ask, Failure, Holds, Operation, Outcome, Rooms, Told, Violation, check, check_within,
};

const ROOMS: Rooms = Rooms { capacity: 3 };

type Event = Operation<Ask, Told>;

fn done<I, O>(process: u32, (from, to): (u64, u64), input: I, output: O) -> Operation<I, O> {
    let outcome = Outcome::Returned { at: at(to), output };
    Operation { process, input, invoked: at(from), outcome }
}

fn unknown<I, O>(process: u32, from: u64, input: I) -> Operation<I, O> {
    Operation { process, input, invoked: at(from), outcome: Outcome::Unknown }
}

fn write(value: u8) -> Access {
    Access::Write { register: 0, value }
}

const READ: Access = Access::Read { register: 0 };
const WRITTEN: Seen = None;

fn reserve(conversation: u32, weight: u32) -> Ask {
    Ask::Reserve { agent: 7, conversation, weight }
}

fn release(conversation: u32) -> Ask {
    Ask::Release { agent: 7, conversation }
}

const LOOK: Ask = Ask::Read { agent: 7 };

fn holds<const N: usize>(holds: [(u32, u32); N]) -> Told {
    Told::Holds(Holds::from(holds))
}

#[track_caller]
fn violation<T>(checked: Result<T, Failure>) -> Violation {
    match checked {
        Err(Failure::Violated(violation)) => *violation,
        Err(undecided) => panic!("{undecided}"),
        Ok(_) => panic!("it was found linearizable"),
    }
}

#[test]
fn reads_during_a_write_may_see_either() {
    let history: [Step; 4] = [
        done(1, (0, 100), write(1), WRITTEN),
        done(2, (10, 20), READ, Some(0)),
        done(3, (30, 40), READ, Some(1)),
        done(2, (110, 120), READ, Some(1)),
    ];
    assert!(check(&Registers, &history).is_ok());
}

#[test]
fn a_read_may_not_go_back() {
    let history: [Step; 3] = [
        done(1, (0, 100), write(1), WRITTEN),
        done(2, (10, 20), READ, Some(1)),
        done(3, (30, 40), READ, Some(0)),
    ];
    let violation = violation(check(&Registers, &history));
    assert_eq!(violation.prefix, [0, 1], "the write has happened once it was seen");
    assert_eq!(violation.stuck, [2]);
}

#[test]
fn a_stale_read_is_found() {
    let history: [Step; 2] =
        [done(1, (0, 10), write(1), WRITTEN), done(2, (20, 30), READ, Some(0))];
    violation(check(&Registers, &history));
}

#[test]
fn what_touches_in_time_may_have_either_order() {
    let history: [Step; 2] =
        [done(1, (0, 10), write(1), WRITTEN), done(2, (10, 20), READ, Some(0))];
    assert!(check(&Registers, &history).is_ok());
}

#[test]
fn an_unknown_write_may_take_effect_late_or_never() {
    let late: [Step; 3] = [
        unknown(1, 0, write(1)),
        done(2, (100, 110), READ, Some(0)),
        done(2, (900, 910), READ, Some(1)),
    ];
    assert!(check(&Registers, &late).is_ok());
    assert!(check(&Registers, &late[..2]).is_ok());
}

#[test]
fn an_unknown_write_takes_effect_once_and_not_before_its_call() {
    let twice: [Step; 5] = [
        unknown(1, 0, write(1)),
        done(2, (10, 20), READ, Some(1)),
        done(2, (30, 40), write(2), WRITTEN),
        done(2, (50, 60), READ, Some(2)),
        done(2, (70, 80), READ, Some(1)),
    ];
    assert_eq!(violation(check(&Registers, &twice)).stuck, [4]);
    let early: [Step; 2] = [unknown(1, 50, write(1)), done(2, (10, 20), READ, Some(1))];
    assert!(violation(check(&Registers, &early)).pending.is_empty());
}

#[test]
fn registers_are_checked_one_by_one() {
    let other = Access::Read { register: 1 };
    let history: [Step; 2] =
        [done(1, (0, 10), write(1), WRITTEN), done(2, (20, 30), other, Some(0))];
    assert_eq!(check(&Registers, &history).map(|checked| checked.objects).ok(), Some(2));
}

#[test]
fn room_is_taken_refused_and_given_back() {
    let history: [Event; 6] = [
        done(1, (0, 50), reserve(1, 2), Told::Granted),
        done(2, (10, 60), reserve(2, 2), Told::NoRoom),
        done(3, (20, 70), LOOK, holds([])),
        done(1, (80, 90), release(1), Told::Released),
        done(2, (85, 95), reserve(2, 2), Told::Granted),
        done(3, (100, 110), LOOK, holds([(2, 2)])),
    ];
    assert!(check(&ROOMS, &history).is_ok());
}

#[test]
fn more_room_than_there_is_is_found() {
    let history: [Event; 2] = [
        done(1, (0, 50), reserve(1, 2), Told::Granted),
        done(2, (10, 60), reserve(2, 2), Told::Granted),
    ];
    let violation = violation(check(&ROOMS, &history));
    assert_eq!((violation.prefix.len(), violation.stuck.len()), (1, 1));
    let report = violation.to_string();
    assert!(report.contains("Reserve { agent: 7, conversation: 2, weight: 2 }"), "{report}");
}

#[test]
fn renewing_gives_back_what_it_had() {
    let history: [Event; 3] = [
        done(1, (0, 10), reserve(1, 2), Told::Granted),
        done(1, (20, 30), reserve(1, 3), Told::Granted),
        done(1, (40, 50), LOOK, holds([(1, 3)])),
    ];
    assert!(check(&ROOMS, &history).is_ok());
}

/// Done first it would change nothing, and what the read saw could not be explained.
#[test]
fn renewing_may_have_to_come_after_a_release() {
    let history: [Event; 4] = [
        done(1, (0, 10), reserve(1, 1), Told::Granted),
        done(2, (20, 50), reserve(1, 1), Told::Granted),
        done(3, (20, 50), release(1), Told::Released),
        done(1, (60, 70), LOOK, holds([(1, 1)])),
    ];
    assert!(check(&ROOMS, &history).is_ok());
}

#[test]
fn a_refusal_needs_a_reason() {
    let refused = done(2, (10, 60), reserve(2, 2), Told::NoRoom);
    violation(check(&ROOMS, std::slice::from_ref(&refused)));
    let history: [Event; 2] = [unknown(1, 0, reserve(1, 2)), refused];
    assert!(check(&ROOMS, &history).is_ok(), "the unknown reservation may be the reason");
}

#[test]
fn an_answer_that_is_never_right_is_found() {
    let never = Told::Otherwise("the agent is not known".into());
    violation(check(&ROOMS, &[done(1, (0, 10), LOOK, never)]));
}

#[test]
fn many_unknown_operations_are_no_burden() {
    let mut history: Vec<Event> = Vec::new();
    for n in 0..40 {
        history.push(unknown(1, u64::from(n), reserve(n, 1)));
        history.push(unknown(1, u64::from(n), release(n)));
    }
    history.push(done(2, (100, 110), LOOK, holds([(31, 1), (38, 1)])));
    history.push(done(2, (120, 130), LOOK, holds([(38, 1)])));
    assert!(check(&ROOMS, &history).is_ok());
}

#[test]
fn a_search_that_takes_too_long_says_so() {
    let history: Vec<Event> =
        (0..6).map(|n| done(n, (0, 10), reserve(n, 1), Told::Granted)).collect();
    let checked = check_within(4, &ROOMS, &history);
    assert!(matches!(checked, Err(Failure::Undecided { explored: 5.., .. })), "{checked:?}");
}
