//! Opening hours as people write them down, and how they differ from those in force.

use super::check::Check;
use super::diff;
use frontdesk_core::hours::Hours;
use frontdesk_core::ids::CalendarId;
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};
use std::collections::BTreeMap;

/// Calendars of one site.
const MAX_CALENDARS: usize = 64;

/// One calendar.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Calendar {
    name: CalendarId,
    /// A name of the IANA database.
    zone: Spanned<String>,
    /// Shifts by day or days of the week.
    #[serde(default)]
    week: BTreeMap<String, Spanned<Vec<String>>>,
    /// Shifts of single days instead; none: closed.
    #[serde(default)]
    holidays: BTreeMap<String, Spanned<Vec<String>>>,
}

/// The calendars as they are to be stored; what is wrong with them goes to `check`.
pub(super) fn check(
    check: &mut Check,
    written: &[Spanned<Calendar>],
) -> BTreeMap<CalendarId, Hours> {
    let mut calendars = BTreeMap::new();
    for (nth, Spanned { value, referenced, .. }) in written.iter().enumerate() {
        let name = &value.name;
        if nth == MAX_CALENDARS {
            check.refuse(*referenced, format!("there are more than {MAX_CALENDARS} calendars"));
        }
        let mut is_sound = true;
        let hours = hours(value, |at, why| {
            is_sound = false;
            check.refuse(at, format!("calendar {name}: {why}"));
        });
        if is_sound && hours.is_never() {
            check.refuse(*referenced, format!("calendar {name}: it never opens"));
        }
        if calendars.insert(name.clone(), hours).is_some() {
            check.refuse(*referenced, format!("calendar {name} is written twice"));
        }
    }
    calendars
}

/// With whatever is right in it, so that what names it is judged, too.
fn hours(calendar: &Calendar, mut refuse: impl FnMut(Location, String)) -> Hours {
    let mut hours = Hours::new(&calendar.zone.value).unwrap_or_else(|why| {
        refuse(calendar.zone.referenced, why.to_string());
        Hours::never()
    });
    let days = calendar.week.iter().map(|(days, shifts)| (false, days, shifts));
    let dates = calendar.holidays.iter().map(|(date, shifts)| (true, date, shifts));
    for (is_date, key, shifts) in days.chain(dates) {
        let set = match is_date {
            true => hours.set_holiday(key, &shifts.value),
            false => hours.set_days(key, &shifts.value),
        };
        if let Err(why) = set {
            refuse(shifts.referenced, format!("{key}: {why}"));
        }
    }
    hours
}

/// How the calendars differ, in lines for people.
pub(super) fn changes(
    before: &BTreeMap<CalendarId, Hours>,
    now: &BTreeMap<CalendarId, Hours>,
) -> Vec<String> {
    let names = before.keys().chain(now.keys().filter(|name| !before.contains_key(*name)));
    let of = |name| diff::changed(&format!("calendar {name}"), before.get(name), now.get(name));
    names.flat_map(of).collect()
}
