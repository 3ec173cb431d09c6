//! Whether it is open, until when, and for how long within a time.
//!
//! A shift begins and ends by the clock on the wall. Where that skips a time, both are
//! at the moment of the skip; where it shows one twice, it begins with the first and
//! ends with the second.

use super::Hours;
use crate::time::{Millis, Timestamp};
use jiff::civil::Date;
use jiff::tz::AmbiguousOffset;
use jiff::{SignedDuration, Span as JiffSpan};

/// How far ahead is looked for a change, in days.
const HORIZON: i64 = 400;

/// What holds at a moment, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// Somebody is there.
    Open {
        /// Closes then; `None` when not within 400 days.
        until: Option<Timestamp>,
    },
    /// Nobody is.
    Closed {
        /// Opens then; `None` when not within 400 days.
        until: Option<Timestamp>,
    },
}

/// A time in one piece.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: Timestamp,
    to: Timestamp,
}

impl Hours {
    /// Whether it is open at a moment.
    pub fn is_open(&self, at: Timestamp) -> bool {
        // A shift of a day may reach into what is the next one when clocks are set back.
        self.spans(at, 3).any(|span| span.from <= at && at < span.to)
    }

    /// What holds at a moment, and until when.
    pub fn opening(&self, at: Timestamp) -> Opening {
        let mut found: Option<Span> = None;
        for span in self.spans(at, HORIZON).filter(|span| span.to > at) {
            match &mut found {
                None => found = Some(span),
                Some(found) if span.from <= found.to => found.to = found.to.max(span.to),
                Some(found) => return found.seen_from(at),
            }
        }
        match found {
            // It goes on as far as was looked.
            Some(found) if found.from <= at => Opening::Open { until: None },
            Some(found) => Opening::Closed { until: Some(found.from) },
            None => Opening::Closed { until: None },
        }
    }

    /// How much of the time from one moment to another it is open.
    pub fn open_between(&self, from: Timestamp, to: Timestamp) -> Millis {
        let days = to.since(from).to_duration().as_secs() / 86_400 + 3;
        let days = i64::try_from(days).unwrap_or(i64::MAX);
        let (mut counted_to, mut sum) = (from, 0);
        for span in self.spans(from, days) {
            let begin = span.from.max(counted_to);
            let end = span.to.min(to);
            sum += end.since(begin).get();
            counted_to = counted_to.max(end);
        }
        Millis::new(sum)
    }

    /// The shifts of so many days in order, from the day before `at`.
    fn spans(&self, at: Timestamp, days: i64) -> impl Iterator<Item = Span> {
        let first = self.date(at).and_then(|date| date.yesterday().ok());
        let date = move |n: i64| first?.checked_add(JiffSpan::new().try_days(n).ok()?).ok();
        (0..days).map_while(date).flat_map(move |date| {
            self.shifts(date).iter().filter_map(move |shift| {
                let from = self.moment(date, shift.from, false)?;
                let to = self.moment(date, shift.to, true)?;
                (from < to).then_some(Span { from, to })
            })
        })
    }

    fn date(&self, at: Timestamp) -> Option<Date> {
        let millis = i64::try_from(at.as_millis()).ok()?;
        let at = jiff::Timestamp::from_millisecond(millis).ok()?;
        Some(self.zone.to_datetime(at).date())
    }

    /// `None` outside of the years 1970 to 9999.
    fn moment(&self, date: Date, minute: u16, is_end: bool) -> Option<Timestamp> {
        let midnight = date.at(0, 0, 0, 0);
        let local = midnight.checked_add(SignedDuration::from_mins(i64::from(minute))).ok()?;
        let there = self.zone.to_ambiguous_timestamp(local);
        let moment = match there.offset() {
            AmbiguousOffset::Gap { .. } => {
                self.zone.following(there.earlier().ok()?).next()?.timestamp()
            }
            _ if is_end => there.later().ok()?,
            _ => there.earlier().ok()?,
        };
        Some(Timestamp::from_millis(u64::try_from(moment.as_millisecond()).ok()?))
    }
}

impl Span {
    fn seen_from(self, at: Timestamp) -> Opening {
        if self.from <= at {
            Opening::Open { until: Some(self.to) }
        } else {
            Opening::Closed { until: Some(self.from) }
        }
    }
}
