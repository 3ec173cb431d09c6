//! Hours as they are written down and stored.

use super::shift::{HoursError, Shift};
use super::{Hours, weekday_index};
use jiff::civil::Weekday;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// The form in which hours are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    zone: String,
    #[serde(default)]
    week: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    holidays: BTreeMap<String, Vec<String>>,
}

impl TryFrom<Written> for Hours {
    type Error = HoursError;

    fn try_from(written: Written) -> Result<Self, HoursError> {
        let mut hours = Self::new(&written.zone)?;
        for (days, shifts) in &written.week {
            hours.set_days(days, shifts)?;
        }
        for (date, shifts) in &written.holidays {
            hours.set_holiday(date, shifts)?;
        }
        Ok(hours)
    }
}

impl From<Hours> for Written {
    fn from(hours: Hours) -> Self {
        let texts = |shifts: &[Shift]| shifts.iter().map(ToString::to_string).collect();
        let of_day = |(name, day): &(&str, Weekday)| {
            let shifts = &hours.week[weekday_index(*day)];
            (!shifts.is_empty()).then(|| ((*name).to_owned(), texts(shifts)))
        };
        let of_date =
            |(date, shifts): (&jiff::civil::Date, &Vec<Shift>)| (date.to_string(), texts(shifts));
        Self {
            zone: hours.zone().to_owned(),
            week: DAYS.iter().filter_map(of_day).collect(),
            holidays: hours.holidays.iter().map(of_date).collect(),
        }
    }
}

/// `mon`, or `mon-fri`; a range may go past Sunday.
pub(super) fn days(text: &str) -> Result<Vec<Weekday>, HoursError> {
    let bad = || HoursError::Day(text.to_owned());
    let index = |name: &str| DAYS.iter().position(|(known, _)| *known == name).ok_or_else(bad);
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (index(first)?, index(last)?),
        None => (index(text)?, index(text)?),
    };
    let count = (last + 7 - first) % 7 + 1;
    Ok((first..first + count).map(|day| DAYS[day % 7].1).collect())
}

/// As it is written.
pub(super) fn name(day: Weekday) -> &'static str {
    DAYS[weekday_index(day)].0
}
