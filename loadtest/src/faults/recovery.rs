//! When messages were delivered again as before a fault, from what was delivered
//! in each second. Pure: the same figures give the same answer.

use std::fmt;

/// Seconds before the fault whose median is what "as before" means: what an earlier
/// fault held up may have come in a burst among them.
const BEFORE_S: f64 = 10.0;
/// With fewer seconds before it there is no such median.
const LEAST_BEFORE_S: f64 = 3.0;
/// Below so many a second the figures jump too much by themselves.
const LEAST_PER_S: f64 = 5.0;
/// Share of the median that is "as before".
const SHARE: f64 = 0.8;
/// For so many seconds on end.
const STAYS_S: f64 = 3.0;
/// Ends of intervals are measured, and so never quite whole seconds.
const SLACK_S: f64 = 0.25;

/// How long messages were not delivered as before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Recovery {
    /// So many seconds from the fault; 0 when nothing was to be seen of it.
    After(f64),
    /// Until the end of the run.
    Never,
    /// Cannot be said.
    Unmeasured(Unmeasured),
}

/// Why a recovery cannot be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmeasured {
    /// Less than 3 s of the run before the fault.
    TooEarly,
    /// Fewer than 5 messages a second before the fault.
    TooQuiet,
}

impl Recovery {
    /// Seconds from the fault, when there was a recovery.
    pub fn seconds(self) -> Option<f64> {
        match self {
            Self::After(seconds) => Some(seconds),
            Self::Never | Self::Unmeasured(_) => None,
        }
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(seconds) => write!(f, "delivered as before after {seconds:.1} s"),
            Self::Never => f.write_str("not delivered as before until the end"),
            Self::Unmeasured(Unmeasured::TooEarly) => {
                write!(f, "no recovery time: less than {LEAST_BEFORE_S} s of the run before it")
            }
            Self::Unmeasured(Unmeasured::TooQuiet) => {
                write!(f, "no recovery time: fewer than {LEAST_PER_S} messages/s before it")
            }
        }
    }
}

/// One interval of the series.
#[derive(Debug, Clone, Copy)]
struct Interval {
    begin_s: f64,
    end_s: f64,
    count: u64,
}

impl Interval {
    fn length_s(self) -> f64 {
        self.end_s - self.begin_s
    }

    fn per_s(self) -> f64 {
        self.count as f64 / self.length_s()
    }
}

/// When delivery was as before the fault: the begin of the first 3 s in each of
/// whose seconds at least 80 % of the median of the 10 s before the fault were
/// delivered. `delivered` has the end of each interval, in order, with what was
/// delivered in it; intervals are a second, as near as they were measured.
pub fn recovery(delivered: &[(f64, u64)], fault_s: f64) -> Recovery {
    let intervals = intervals(delivered);
    let before = intervals
        .iter()
        .filter(|i| i.end_s <= fault_s + SLACK_S && i.begin_s >= fault_s - BEFORE_S - SLACK_S);
    let (mut length_s, mut rates) = (0.0, Vec::new());
    for interval in before {
        length_s += interval.length_s();
        rates.push(interval.per_s());
    }
    if length_s < LEAST_BEFORE_S - SLACK_S {
        return Recovery::Unmeasured(Unmeasured::TooEarly);
    }
    rates.sort_unstable_by(f64::total_cmp);
    let median = rates[rates.len() / 2];
    if median < LEAST_PER_S {
        return Recovery::Unmeasured(Unmeasured::TooQuiet);
    }
    // Begin of the good seconds that reach to where we are.
    let mut good_since: Option<f64> = None;
    for interval in intervals.iter().filter(|i| i.end_s > fault_s + SLACK_S) {
        if interval.per_s() < SHARE * median {
            good_since = None;
            continue;
        }
        let since = *good_since.get_or_insert(interval.begin_s);
        if interval.end_s - since >= STAYS_S - SLACK_S {
            return Recovery::After((since - fault_s).max(0.0));
        }
    }
    Recovery::Never
}

/// The most in one interval, per second, from the fault until another time (the
/// next fault, or the end): the reconnects of everybody who was cut off, say.
pub fn peak_per_s(counts: &[(f64, u64)], fault_s: f64, until_s: f64) -> u64 {
    let after = intervals(counts).into_iter().filter(|i| i.end_s > fault_s && i.begin_s < until_s);
    after.map(|interval| interval.per_s().round() as u64).max().unwrap_or(0)
}

/// Intervals that are empty, or run backwards, are left out.
fn intervals(counts: &[(f64, u64)]) -> Vec<Interval> {
    // The first one's begin is not known, but that it is a second.
    let mut begin_s = counts.first().map_or(0.0, |(end_s, _)| (end_s - 1.0).max(0.0));
    let mut intervals = Vec::with_capacity(counts.len());
    for &(end_s, count) in counts {
        if end_s > begin_s {
            intervals.push(Interval { begin_s, end_s, count });
            begin_s = end_s;
        }
    }
    intervals
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whole seconds, the first of them from 0 to 1.
    fn seconds(counts: &[u64]) -> Vec<(f64, u64)> {
        (1..).map(f64::from).zip(counts.iter().copied()).collect()
    }

    #[test]
    fn a_dip_lasts_until_three_good_seconds_begin() {
        let series = seconds(&[100, 100, 100, 100, 0, 0, 90, 20, 300, 80, 80, 80]);
        assert_eq!(recovery(&series, 4.0), Recovery::After(4.0));
        // In the middle of a second that was already bad.
        assert_eq!(recovery(&series, 4.5), Recovery::After(3.5));
    }

    #[test]
    fn less_than_three_good_seconds_are_no_recovery() {
        let series = seconds(&[100, 100, 100, 0, 0, 100, 100]);
        assert_eq!(recovery(&series, 3.0), Recovery::Never);
        assert_eq!(recovery(&seconds(&[100, 100, 100]), 3.0), Recovery::Never);
    }

    #[test]
    fn without_a_before_there_is_no_as_before() {
        let series = seconds(&[100; 10]);
        assert_eq!(recovery(&series, 2.0), Recovery::Unmeasured(Unmeasured::TooEarly));
        assert_eq!(recovery(&[], 20.0), Recovery::Unmeasured(Unmeasured::TooEarly));
        let quiet = recovery(&seconds(&[4; 20]), 10.0);
        assert_eq!(quiet, Recovery::Unmeasured(Unmeasured::TooQuiet));
        assert_eq!(quiet.seconds(), None);
        assert!(quiet.to_string().contains("fewer than 5 messages/s"));
    }

    #[test]
    fn only_the_ten_seconds_before_count() {
        // A ramp that was long over: 1 of the median would do if it counted.
        let mut counts = vec![1; 50];
        counts.extend([100; 10]);
        counts.extend([70, 70, 70, 90, 90, 90]);
        assert_eq!(recovery(&seconds(&counts), 60.0), Recovery::After(3.0));
    }

    #[test]
    fn what_an_earlier_fault_held_up_does_not_count() {
        let series = seconds(&[80, 80, 80, 80, 0, 0, 300, 240, 80, 80, 0, 80, 80, 80]);
        assert_eq!(recovery(&series, 10.0), Recovery::After(1.0));
    }

    #[test]
    fn a_peak_is_of_its_own_fault() {
        let series = seconds(&[9, 0, 5, 7, 0, 30]);
        assert_eq!(peak_per_s(&series, 1.0, 5.0), 7);
        assert_eq!(peak_per_s(&series, 1.0, 6.0), 30);
        assert_eq!(peak_per_s(&series, 6.0, 9.0), 0);
        assert_eq!(peak_per_s(&[(0.5, 10), (1.0, 10)], 0.0, 1.0), 20, "per second");
    }

    proptest! {
        #[test]
        fn the_length_of_a_dip_is_found(
            rate in 5_u64..100_000,
            before in 3_usize..40,
            dip in 0_usize..60,
            // Clear of the 80 % by what the lateness below makes of a rate.
            depth in 0.0..0.65_f64,
            // Ends of intervals come a little late, each by itself.
            late in prop::collection::vec(0.0..0.1_f64, 103),
        ) {
            let bad = (rate as f64 * depth) as u64;
            let counts = [vec![rate; before], vec![bad; dip], vec![rate; 3]].concat();
            let series: Vec<_> = seconds(&counts)
                .into_iter()
                .zip(&late)
                .map(|((end, count), late)| (end + late, count))
                .collect();
            let found = recovery(&series, before as f64).seconds();
            prop_assert!(found.is_some_and(|s| (s - dip as f64).abs() < 0.11), "{found:?}");
        }

        #[test]
        fn any_series_has_an_answer_in_its_bounds(
            series in prop::collection::vec((0.0..100.0_f64, 0_u64..1_000), 0..100),
            fault in 0.0..100.0_f64,
        ) {
            let last = series.iter().map(|(end, _)| *end).fold(0.0, f64::max);
            if let Recovery::After(seconds) = recovery(&series, fault) {
                prop_assert!(seconds >= 0.0 && fault + seconds <= last);
            }
        }
    }
}
