//! A part of a day, and what cannot be one.

use std::fmt;
use std::str::FromStr;

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// Why hours were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// Not in the IANA database.
    #[error("there is no time zone {0:?}")]
    Zone(String),
    /// No day of the week, nor a range of them.
    #[error("{0:?} is no day such as mon, nor several such as mon-fri")]
    Day(String),
    /// No day of the calendar.
    #[error("{0:?} is no date such as 2026-12-24")]
    Date(String),
    /// Not two times of a day.
    #[error("{0:?} is no shift such as 09:00-17:30")]
    Shift(String),
    /// It ends before it begins.
    #[error("{0} ends before it begins: write one that goes past midnight as two")]
    Backwards(String),
    /// Two of a day.
    #[error("{0} and {1} overlap")]
    Overlap(Shift, Shift),
    /// The day has its shifts already.
    #[error("{0} is there twice")]
    Twice(String),
    /// Too many of one day.
    #[error("a day has at most {} shifts", super::MAX_SHIFTS)]
    TooManyShifts,
    /// Too many days that are different.
    #[error("there are at most {} holidays", super::MAX_HOLIDAYS)]
    TooManyHolidays,
}

/// From one minute of a local day to before another, which may be its last midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shift {
    /// In minutes from midnight.
    pub(super) from: u16,
    /// In minutes from midnight, after `from`; 1,440 for the end of the day.
    pub(super) to: u16,
}

impl FromStr for Shift {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let bad = || HoursError::Shift(text.to_owned());
        let (from, to) = text.split_once('-').ok_or_else(bad)?;
        let (from, to) = (minute(from).ok_or_else(bad)?, minute(to).ok_or_else(bad)?);
        if from == DAY {
            return Err(bad());
        }
        if from >= to {
            return Err(HoursError::Backwards(text.to_owned()));
        }
        Ok(Self { from, to })
    }
}

impl fmt::Display for Shift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from, self.to);
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

/// `09:30` or `24:00`.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let two_digits = |s: &str| s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit());
    if !two_digits(hours) || !two_digits(minutes) {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= DAY).then_some(minute)
}

/// The shifts of one day, in order.
pub(super) fn parse_all(texts: &[impl AsRef<str>]) -> Result<Vec<Shift>, HoursError> {
    if texts.len() > super::MAX_SHIFTS {
        return Err(HoursError::TooManyShifts);
    }
    let shifts: Result<Vec<Shift>, _> = texts.iter().map(|text| text.as_ref().parse()).collect();
    let mut shifts = shifts?;
    shifts.sort();
    let overlap = shifts.windows(2).find(|pair| pair[1].from < pair[0].to);
    match overlap {
        Some(pair) => Err(HoursError::Overlap(pair[0], pair[1])),
        None => Ok(shifts),
    }
}
