//! Hours against the clock on the wall, read minute by minute, through every kind of
//! clock change.

use super::*;
use crate::time::{Millis, Timestamp};
use jiff::civil::DateTime;
use proptest::prelude::*;

const MINUTE: u64 = 60_000;

fn at(zone: &str, local: &str) -> Timestamp {
    let local: DateTime = local.parse().unwrap();
    let moment = local.to_zoned(ZONES.get(zone).unwrap()).unwrap().timestamp();
    Timestamp::from_millis(moment.as_millisecond().unsigned_abs())
}

fn office(zone: &str) -> Hours {
    let mut hours = Hours::new(zone).unwrap();
    hours.set_days("mon-fri", &["09:00-12:30", "13:30-18:00"]).unwrap();
    hours.set_days("sat", &["10:00-14:00"]).unwrap();
    hours.set_holiday("2026-12-24", &["09:00-12:00"]).unwrap();
    hours.set_holiday("2026-12-25", &[] as &[&str]).unwrap();
    hours
}

#[test]
fn a_closed_moment_knows_when_somebody_is_back() {
    let (zone, hours) = ("Europe/Berlin", office("Europe/Berlin"));
    let closed = |local: &str, until: &str| {
        let until = Some(at(zone, until));
        assert_eq!(hours.opening(at(zone, local)), Opening::Closed { until }, "{local}");
    };
    closed("2026-11-23T12:30", "2026-11-23T13:30");
    closed("2026-11-28T14:00", "2026-11-30T09:00");
    closed("2026-12-24T12:00", "2026-12-26T10:00");
    let until = Some(at(zone, "2026-11-23T12:30"));
    assert_eq!(hours.opening(at(zone, "2026-11-23T09:00")), Opening::Open { until });
}

#[test]
fn shifts_up_to_midnight_are_one_with_those_after() {
    let mut hours = Hours::new("UTC").unwrap();
    hours.set_days("mon", &["20:00-24:00"]).unwrap();
    hours.set_days("tue", &["00:00-04:00"]).unwrap();
    let until = Some(at("UTC", "2026-11-24T04:00"));
    assert_eq!(hours.opening(at("UTC", "2026-11-23T21:00")), Opening::Open { until });
    let mut always = Hours::new("America/New_York").unwrap();
    always.set_days("mon-sun", &["00:00-24:00"]).unwrap();
    assert_eq!(always.opening(at("UTC", "2026-11-23T21:00")), Opening::Open { until: None });
    let never = Hours::new("UTC").unwrap();
    assert!(never.is_never());
    assert_eq!(never.opening(at("UTC", "2026-11-23T21:00")), Opening::Closed { until: None });
}

#[test]
fn a_time_that_the_clock_skips_is_the_moment_of_the_skip() {
    let mut hours = Hours::new("Europe/Berlin").unwrap();
    hours.set_days("sun", &["02:30-04:00"]).unwrap();
    let night = at("Europe/Berlin", "2026-03-29T00:00");
    let opens = at("Europe/Berlin", "2026-03-29T03:00");
    assert_eq!(hours.opening(night), Opening::Closed { until: Some(opens) });
    let day = at("Europe/Berlin", "2026-03-30T00:00");
    assert_eq!(hours.open_between(night, day), Millis::from_mins(60));
}

#[test]
fn what_cannot_be_is_refused() {
    let mut hours = Hours::new("UTC").unwrap();
    let mut refused = |days: &str, shifts: &[&str]| hours.set_days(days, shifts).unwrap_err();
    assert_eq!(refused("mo", &["09:00-10:00"]), HoursError::Day("mo".into()));
    for bad in
        ["9-17", "09:00", "25:00-26:00", "09:60-10:00", "24:00-24:00", "09:00–10:00", "+9:00-10:00"]
    {
        assert_eq!(refused("mon", &[bad]), HoursError::Shift(bad.into()));
    }
    assert_eq!(refused("mon", &["22:00-06:00"]), HoursError::Backwards("22:00-06:00".into()));
    assert_eq!(refused("mon", &["09:00-09:00"]), HoursError::Backwards("09:00-09:00".into()));
    let overlap = refused("mon", &["12:00-14:00", "09:00-12:01"]);
    assert_eq!(overlap.to_string(), "09:00-12:01 and 12:00-14:00 overlap");
    assert_eq!(refused("mon", &["09:00-10:00"; 13]), HoursError::TooManyShifts);
    hours.set_days("fri-mon", &["09:00-10:00"]).unwrap();
    let again = hours.set_days("sun", &["11:00-12:00"]).unwrap_err();
    assert_eq!(again, HoursError::Twice("sun".into()));
    let none: &[&str] = &[];
    assert!(hours.set_holiday("2026-02-30", none).is_err());
    hours.set_holiday("2026-02-28", none).unwrap();
    assert_eq!(hours.set_holiday("2026-02-28", none), Err(HoursError::Twice("2026-02-28".into())));
    assert_eq!(Hours::new("Mars/Olympus").unwrap_err(), HoursError::Zone("Mars/Olympus".into()));
}

/// Zones and moments near which their clocks are changed in every known manner.
fn changes() -> impl Strategy<Value = (&'static str, &'static str)> {
    prop_oneof![
        Just(("Europe/Berlin", "2026-03-29T00:00")),
        Just(("Europe/Berlin", "2026-10-25T00:00")),
        Just(("America/St_Johns", "2011-11-06T00:00")),
        Just(("America/Sao_Paulo", "2018-11-04T00:00")),
        Just(("Australia/Lord_Howe", "2026-04-05T00:00")),
        Just(("Pacific/Apia", "2011-12-29T00:00")),
        Just(("Asia/Kolkata", "2026-06-01T00:00")),
    ]
}

fn shifts() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::btree_set(0_u16..=96, 0..6).prop_map(|marks| {
        let marks: Vec<u16> = marks.into_iter().map(|quarter| quarter * 15).collect();
        let pairs = marks.chunks_exact(2);
        pairs.map(|pair| Shift { from: pair[0], to: pair[1] }.to_string()).collect()
    })
}

fn any_hours(zone: &str, days: &[Vec<String>]) -> Hours {
    let mut hours = Hours::new(zone).unwrap();
    for (day, shifts) in ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].iter().zip(days) {
        hours.set_days(day, shifts).unwrap();
    }
    hours
}

/// Whether the wall clock shows a time within a shift; `None` for one that it shows
/// twice.
fn by_the_wall(hours: &Hours, moment: Timestamp) -> Option<bool> {
    let there = jiff::Timestamp::from_millisecond(moment.as_millis() as i64).unwrap();
    let local = hours.zone.to_datetime(there);
    if hours.zone.to_ambiguous_timestamp(local).is_ambiguous() {
        return None;
    }
    let minute = i16::from(local.hour()) * 60 + i16::from(local.minute());
    let minute = minute.unsigned_abs();
    Some(hours.shifts(local.date()).iter().any(|s| s.from <= minute && minute < s.to))
}

proptest! {
    #[test]
    fn open_is_what_the_clock_on_the_wall_says(
        (zone, begin) in changes(),
        days in proptest::collection::vec(shifts(), 7),
    ) {
        let hours = any_hours(zone, &days);
        let begin = at(zone, begin);
        let mut open = 0;
        for minute in 0..3 * 1_440 {
            let now = begin + Millis::from_mins(minute);
            let is_open = hours.is_open(now);
            open += u64::from(is_open);
            if let Some(expected) = by_the_wall(&hours, now) {
                prop_assert_eq!(is_open, expected, "minute {}", minute);
            }
        }
        let end = begin + Millis::from_mins(3 * 1_440);
        prop_assert_eq!(hours.open_between(begin, end), Millis::new(open * MINUTE));
    }

    #[test]
    fn a_change_is_where_it_is_said_to_be(
        (zone, begin) in changes(),
        days in proptest::collection::vec(shifts(), 7),
        minute in 0_u64..4_320,
    ) {
        let hours = any_hours(zone, &days);
        let now = at(zone, begin) + Millis::from_mins(minute);
        let (is_open, until) = match hours.opening(now) {
            Opening::Open { until } => (true, until),
            Opening::Closed { until } => (false, until),
        };
        prop_assert_eq!(hours.is_open(now), is_open);
        if let Some(until) = until {
            let span = hours.open_between(now, until);
            prop_assert_eq!(span, if is_open { until.since(now) } else { Millis::ZERO });
            prop_assert_eq!(hours.is_open(until), !is_open);
        }
    }

    #[test]
    fn what_is_written_is_read_again(days in proptest::collection::vec(shifts(), 7)) {
        let mut hours = any_hours("Asia/Kolkata", &days);
        hours.set_holiday("2026-01-26", &days[0]).unwrap();
        let text = serde_json::to_string(&hours).unwrap();
        prop_assert_eq!(serde_json::from_str::<Hours>(&text).unwrap(), hours);
    }
}
