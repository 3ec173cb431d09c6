//! When somebody is there: a week of shifts, and the days that are different, in one
//! time zone. Reads no clock and no file: the zones are part of the program.

mod day;
mod open;
mod shift;
#[cfg(test)]
mod tests;
mod text;

pub use day::day_of;
pub use open::Opening;
pub use shift::{HoursError, Shift};

use jiff::civil::{Date, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use text::Written;

/// Shifts of one day.
pub const MAX_SHIFTS: usize = 12;
/// Days that are different.
pub const MAX_HOLIDAYS: usize = 400;

pub(crate) static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Opening hours. Shifts of one day never overlap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Hours {
    zone: TimeZone,
    /// From Monday on.
    week: [Vec<Shift>; 7],
    holidays: BTreeMap<Date, Vec<Shift>>,
}

impl Hours {
    /// Never open, in UTC.
    pub fn never() -> Self {
        Self { zone: TimeZone::UTC, week: Default::default(), holidays: BTreeMap::new() }
    }

    /// Never open, until days are set.
    ///
    /// # Errors
    /// There is no zone of this name.
    pub fn new(zone: &str) -> Result<Self, HoursError> {
        let zone = ZONES.get(zone).map_err(|_| HoursError::Zone(zone.to_owned()))?;
        Ok(Self { zone, ..Self::never() })
    }

    /// Sets the shifts of a day of the week, such as `mon`, or of several, such as
    /// `mon-fri`.
    ///
    /// # Errors
    /// The days, or a shift, cannot be; two shifts overlap; a day has some already.
    pub fn set_days(&mut self, days: &str, shifts: &[impl AsRef<str>]) -> Result<(), HoursError> {
        let shifts = shift::parse_all(shifts)?;
        for day in text::days(days)? {
            let slot = &mut self.week[weekday_index(day)];
            if !slot.is_empty() {
                return Err(HoursError::Twice(text::name(day).to_owned()));
            }
            slot.clone_from(&shifts);
        }
        Ok(())
    }

    /// Sets the shifts of one day instead of those of its weekday; none: closed.
    ///
    /// # Errors
    /// It is no day, or a shift cannot be; two shifts overlap; there are too many days.
    pub fn set_holiday(
        &mut self,
        date: &str,
        shifts: &[impl AsRef<str>],
    ) -> Result<(), HoursError> {
        let day: Date = date.parse().map_err(|_| HoursError::Date(date.to_owned()))?;
        if self.holidays.len() >= MAX_HOLIDAYS {
            return Err(HoursError::TooManyHolidays);
        }
        match self.holidays.insert(day, shift::parse_all(shifts)?) {
            None => Ok(()),
            Some(_) => Err(HoursError::Twice(date.to_owned())),
        }
    }

    /// Whether there is no shift at all.
    pub fn is_never(&self) -> bool {
        self.week.iter().all(Vec::is_empty) && self.holidays.values().all(Vec::is_empty)
    }

    /// Name of the time zone, such as `Europe/Berlin`.
    pub fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    fn shifts(&self, date: Date) -> &[Shift] {
        let of_weekday = || &self.week[weekday_index(date.weekday())];
        self.holidays.get(&date).unwrap_or_else(of_weekday)
    }
}

fn weekday_index(day: Weekday) -> usize {
    usize::from(day.to_monday_zero_offset().unsigned_abs())
}
