//! Thresholds: `METRIC OP VALUE[UNIT]`, as `receipt.p99 < 50ms`. They are read
//! when a scenario is loaded, so that a mistyped one never costs a run, and what
//! was not measured never holds.

use crate::metric::{Metric, MetricError};
use crate::unit::Unit;
use crate::{RunResult, ThresholdResult, words};
use std::fmt;
use std::str::FromStr;

/// Why a text is not a threshold.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ThresholdError {
    /// No operator in it.
    #[error("\"{0}\" compares nothing: write METRIC OP VALUE[UNIT], OP one of < <= > >= == !=")]
    Operator(String),
    /// The metric.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// The value.
    #[error("\"{0}\" is not a number of at least 0")]
    Value(String),
    /// The unit.
    #[error("{metric} is not compared in \"{unit}\": its unit is {known}")]
    Unit {
        /// The metric.
        metric: Metric,
        /// What was written; may be empty.
        unit: String,
        /// What there is.
        known: &'static str,
    },
}

/// How a measured value is compared with the threshold's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

/// What a run must keep to pass.
///
/// Metrics: the latencies (`ack`, `receipt`, `service`, `late`, `start`,
/// `assign`, `connect`, and `lag`, the generator's) with `.pNN[.NNN]`, `.mean`,
/// `.max`, `.min`; the counters with `.count`, `.rate` (per second of the counted
/// part) and `.share` (of the messages sent, or of the conversations started);
/// `recovery` (the worst fault's) or `recovery.NAME`; `reconnects.peak`;
/// `server.cpu_per_message`, `.bytes_per_connection`, `.resident_mib`, `.cores`;
/// `generator.stolen`, `.idle`, `.cores`.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    metric: Metric,
    operator: Operator,
    value: f64,
    unit: Unit,
}

impl Threshold {
    /// What it is about.
    pub fn metric(&self) -> &Metric {
        &self.metric
    }

    /// The fault it names, which the scenario must have.
    pub fn fault(&self) -> Option<&str> {
        match &self.metric {
            Metric::Recovery(fault) => fault.as_deref(),
            _ => None,
        }
    }

    /// Whether `result` keeps it.
    pub fn evaluate(&self, result: &RunResult) -> ThresholdResult {
        let quantity = self.metric.quantity();
        let measured = self.metric.measure(result).filter(|value| value.is_finite());
        let measured = measured.map(|value| self.unit.convert(value, quantity));
        let held = measured.is_some_and(|value| self.operator.holds(value, self.value));
        ThresholdResult { threshold: self.to_string(), measured, held }
    }
}

impl Operator {
    /// Longer ones first: `<=` also begins with `<`.
    const WRITTEN: [(&str, Self); 6] = [
        ("<=", Self::AtMost),
        (">=", Self::AtLeast),
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<", Self::Less),
        (">", Self::Greater),
    ];

    fn holds(self, measured: f64, value: f64) -> bool {
        match self {
            Self::Less => measured < value,
            Self::AtMost => measured <= value,
            Self::Greater => measured > value,
            Self::AtLeast => measured >= value,
            Self::Equal => measured == value,
            Self::NotEqual => measured != value,
        }
    }
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        let missing = || ThresholdError::Operator(text.to_owned());
        let at = text.find(['<', '>', '=', '!']).ok_or_else(missing)?;
        let (metric, rest) = text.split_at(at);
        let (operator, value) = Operator::WRITTEN
            .into_iter()
            .find_map(|(written, operator)| Some((operator, rest.strip_prefix(written)?)))
            .ok_or_else(missing)?;
        let metric: Metric = metric.trim().parse()?;
        let (value, unit) = number_and_unit(value.trim())?;
        let unit = Unit::of(unit, metric.quantity()).map_err(|known| ThresholdError::Unit {
            metric: metric.clone(),
            unit: unit.to_owned(),
            known,
        })?;
        Ok(Self { metric, operator, value, unit })
    }
}

/// `50ms` → 50 and `ms`. Digits may be grouped by underscores.
fn number_and_unit(text: &str) -> Result<(f64, &str), ThresholdError> {
    let digit = |c: char| c.is_ascii_digit() || matches!(c, '.' | '_');
    let end = text.find(|c| !digit(c)).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let value = number.replace('_', "").parse::<f64>();
    match value {
        Ok(value) if value.is_finite() => Ok((value, unit.trim_start())),
        _ => Err(ThresholdError::Value(text.to_owned())),
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}{}", self.metric, self.operator, self.value, self.unit)
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        })
    }
}

/// A threshold that is not evaluated yet: [`crate::judge`] does.
impl From<&Threshold> for ThresholdResult {
    fn from(threshold: &Threshold) -> Self {
        Self { threshold: threshold.to_string(), measured: None, held: false }
    }
}

impl ThresholdResult {
    /// What was measured, with the threshold's unit, in words.
    pub fn measured_in_words(&self) -> String {
        let unit = self.threshold.parse::<Threshold>().map_or(Unit::Bare, |read| read.unit);
        match (self.measured, unit) {
            (None, _) => "not measured".to_owned(),
            (Some(value), Unit::Bare | Unit::Percent | Unit::PerSecond) => {
                format!("{}{unit}", words::number(value))
            }
            (Some(value), unit) => format!("{} {unit}", words::number(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use proptest::prelude::*;

    fn threshold(text: &str) -> Threshold {
        text.parse().unwrap()
    }

    #[test]
    fn read_with_or_without_spaces_and_written_alike() {
        for (text, written) in [
            ("receipt.p99<50ms", "receipt.p99 < 50ms"),
            ("  ack.p99.9   <=  20 ms ", "ack.p99.9 <= 20ms"),
            ("delivered.rate>=1_000/s", "delivered.rate >= 1000/s"),
            ("server.cpu_per_message <= 26µs", "server.cpu_per_message <= 26us"),
            ("server.resident_mib <= 900", "server.resident_mib <= 900MiB"),
            ("deferred.share < 0.001", "deferred.share < 0.001"),
            ("recovery.kill node-1 < 5s", "recovery.kill node-1 < 5s"),
            ("refused.count == 0", "refused.count == 0"),
        ] {
            assert_eq!(threshold(text).to_string(), written);
        }
        assert_eq!(threshold("recovery.kill node-1 < 5s").fault(), Some("kill node-1"));
        assert_eq!(threshold("recovery < 5s").fault(), None);
    }

    #[test]
    fn refusals_say_what_is_wrong_and_what_is_known() {
        for (text, part) in [
            ("receipt.p99", "compares nothing"),
            ("receipt.p99 = 5ms", "compares nothing"),
            ("recipt.p99 < 5ms", "unknown metric \"recipt\"; latencies are ack, receipt"),
            ("receipt.p99 < fast", "\"fast\" is not a number"),
            ("receipt.p99 < -1ms", "\"-1ms\" is not a number"),
            ("receipt.p99 < 1.2.3ms", "not a number"),
            ("receipt.p99 <", "not a number"),
            ("receipt.p99 < 50", "not compared in \"\": its unit is us, ms, s or min"),
            ("refused.count == 0ms", "its unit is none"),
            ("server.bytes_per_connection < 8KB", "B, KiB, MiB or GiB"),
        ] {
            let error = text.parse::<Threshold>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn evaluated_in_the_unit_that_was_written() {
        let mut result = sample::support_day();
        result.latencies.insert("ack".into(), sample::latency(&[10_000; 100]));
        result.counters.insert("sent".into(), 1_000);
        result.counters.insert("deferred".into(), 1);
        let server = result.server.as_mut().unwrap();
        (server.bytes_per_connection, server.resident_mib) = (Some(8_192.0), 512.0);
        for (text, measured, held) in [
            ("ack.max <= 10.1ms", 10.007, true),
            ("ack.max < 0.010s", 0.010_007, false),
            ("deferred.share <= 0.1%", 0.1, true),
            ("deferred.share < 0.1%", 0.1, false),
            ("server.bytes_per_connection <= 8KiB", 8.0, true),
            ("server.bytes_per_connection < 8KiB", 8.0, false),
            ("server.resident_mib > 0.5GiB", 0.5, false),
            ("sent.count != 1000", 1_000.0, false),
        ] {
            let evaluated = threshold(text).evaluate(&result);
            assert_eq!((evaluated.measured, evaluated.held), (Some(measured), held), "{text}");
        }
    }

    #[test]
    fn what_was_not_measured_does_not_hold() {
        let result = sample::empty();
        for text in ["ack.p99 < 1s", "refused.count == 0", "recovery < 5s", "reconnects.peak < 9/s"]
        {
            let evaluated = threshold(text).evaluate(&result);
            assert_eq!((evaluated.measured, evaluated.held), (None, false), "{text}");
            assert_eq!(evaluated.measured_in_words(), "not measured");
        }
        let mut broken = sample::support_day();
        broken.server.as_mut().unwrap().cpu_us_per_message = Some(f64::NAN);
        assert!(!threshold("server.cpu_per_message != 1us").evaluate(&broken).held);
    }

    #[test]
    fn shown_with_the_unit() {
        let mut result = sample::empty();
        result.latencies.insert("ack".into(), sample::latency(&[48_127]));
        let shown = threshold("ack.p50 < 50ms").evaluate(&result).measured_in_words();
        assert_eq!(shown, "48.1 ms");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_what_is_read_survives(text in "\\PC{0,40}") {
            if let Ok(read) = text.parse::<Threshold>() {
                prop_assert_eq!(read.to_string().parse::<Threshold>().unwrap(), read);
            }
        }
    }
}
