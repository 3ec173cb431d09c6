//! Days of a time zone.

use super::ZONES;
use crate::time::Timestamp;
use jiff::ToSpan as _;

/// From when to when the day lasts that a moment is in; 23 or 25 hours where clocks are
/// set. `None`: there is no zone of this name.
pub fn day_of(at: Timestamp, zone: &str) -> Option<(Timestamp, Timestamp)> {
    let zone = ZONES.get(zone).ok()?;
    let there = jiff::Timestamp::from_millisecond(i64::try_from(at.as_millis()).ok()?).ok()?;
    let begin = there.to_zoned(zone).start_of_day().ok()?;
    let end = begin.checked_add(1.day()).ok()?.start_of_day().ok()?;
    let millis = |at: jiff::Timestamp| u64::try_from(at.as_millisecond()).ok();
    let [begin, end] = [begin, end].map(|at| millis(at.timestamp()));
    Some((Timestamp::from_millis(begin?), Timestamp::from_millis(end?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        let at: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_millis(at.as_millisecond().unsigned_abs())
    }

    #[test]
    fn a_day_is_the_one_of_the_zone() {
        let day = |now: &str, zone: &str| day_of(at(now), zone);
        let utc = (at("2026-11-29T00:00:00Z"), at("2026-11-30T00:00:00Z"));
        assert_eq!(day("2026-11-29T00:00:00Z", "UTC"), Some(utc));
        assert_eq!(day("2026-11-29T23:59:59.999Z", "UTC"), Some(utc));
        let berlin = (at("2026-11-29T23:00:00Z"), at("2026-11-30T23:00:00Z"));
        assert_eq!(day("2026-11-29T23:30:00Z", "Europe/Berlin"), Some(berlin));
        let longest = (at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z"));
        assert_eq!(day("2026-10-25T12:00:00Z", "Europe/Berlin"), Some(longest));
        assert_eq!(day("2026-10-25T12:00:00Z", "Mars/Olympus"), None);
    }
}
