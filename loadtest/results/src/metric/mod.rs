//! The figures of a result that can be named: `receipt.p99`, `refused.count`,
//! `server.cpu_per_message`. Thresholds and baselines name them; an unknown name
//! is refused when it is read, never when the run is over.

mod name;

use crate::unit::Quantity;
use crate::{Latency, RunResult, words};

pub use name::MetricError;

/// The latencies of a result, as [`RunResult`] explains them.
pub const LATENCIES: [&str; 8] =
    ["ack", "receipt", "service", "late", "start", "assign", "connect", "watched"];

/// The counters of a result, as [`RunResult`] explains them.
pub const COUNTERS: [&str; 15] = [
    "sent",
    "acknowledged",
    "delivered",
    "started",
    "assigned",
    "closed",
    "rated",
    "transferred",
    "attachments",
    "typing",
    "read",
    "deferred",
    "refused",
    "unsent",
    "connected",
];

/// The counter that also has a peak: `reconnects`.
pub const RECONNECTS: &str = "reconnects";

/// Counters that are a share of the messages sent.
const OF_SENT: [&str; 5] = ["acknowledged", "delivered", "deferred", "refused", "unsent"];

/// Counters that are a share of the conversations started.
const OF_STARTED: [&str; 4] = ["assigned", "closed", "rated", "transferred"];

/// A figure of a [`RunResult`]; in JSON its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// `NAME.STATISTIC` of one of [`LATENCIES`], or of `lag`.
    Latency(&'static str, Statistic),
    /// `NAME.count`, `NAME.rate` or `NAME.share` of a counter.
    Counter(&'static str, Tally),
    /// `recovery` (the worst fault's) or `recovery.NAME`.
    Recovery(Option<String>),
    /// `reconnects.peak`: the most in one second of the whole run.
    ReconnectPeak,
    /// `server.…`
    Server(ServerFigure),
    /// `generator.…`
    Generator(GeneratorFigure),
}

/// A figure of a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Statistic {
    /// Smallest.
    Min,
    /// Mean.
    Mean,
    /// Largest.
    Max,
    /// A percentile.
    Percentile(Percentile),
}

/// A percentile above 0 and up to 100, in thousandths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percentile(u32);

/// What is taken of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tally {
    /// The total of the counted part.
    Count,
    /// The same per second of it.
    Rate,
    /// The same per message sent, or per conversation started.
    Share,
}

/// A figure of the server's cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServerFigure {
    /// CPU time per delivered message.
    CpuPerMessage,
    /// Resident bytes of one more connection.
    BytesPerConnection,
    /// Resident memory at the end.
    Resident,
    /// CPUs it used in the counted part.
    Cores,
}

/// A figure of the generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GeneratorFigure {
    /// Share of CPU time that the host took away.
    Stolen,
    /// Share of CPU time in which nobody worked.
    Idle,
    /// CPUs it used.
    Cores,
}

impl Percentile {
    /// The median.
    pub const P50: Self = Self(50_000);
    /// The 99th.
    pub const P99: Self = Self(99_000);
    /// The 99.9th.
    pub const P999: Self = Self(99_900);

    /// 0–1.
    pub fn quantile(self) -> f64 {
        f64::from(self.0) / 100_000.0
    }
}

impl Metric {
    /// What its values are a number of.
    pub fn quantity(&self) -> Quantity {
        match self {
            Self::Latency(..) | Self::Recovery(_) | Self::Server(ServerFigure::CpuPerMessage) => {
                Quantity::Time
            }
            Self::Counter(_, Tally::Rate) | Self::ReconnectPeak => Quantity::Rate,
            Self::Counter(_, Tally::Share)
            | Self::Generator(GeneratorFigure::Stolen | GeneratorFigure::Idle) => Quantity::Share,
            Self::Server(ServerFigure::BytesPerConnection) => Quantity::Bytes,
            Self::Server(ServerFigure::Resident) => Quantity::Mebibytes,
            Self::Counter(_, Tally::Count)
            | Self::Server(ServerFigure::Cores)
            | Self::Generator(GeneratorFigure::Cores) => Quantity::Number,
        }
    }

    /// What was measured, in the base unit of its [`Quantity`]; `None` when it
    /// was not. A counter that is absent where others are counted is zero; a
    /// fault without recovery leaves the recovery unmeasured.
    pub fn measure(&self, result: &RunResult) -> Option<f64> {
        match self {
            Self::Latency("lag", statistic) => statistic.of(&result.generator.lag),
            Self::Latency(name, statistic) => statistic.of(result.latencies.get(*name)?),
            Self::Counter(name, tally) => tally.of(name, result),
            Self::Recovery(fault) => recovery(result, fault.as_deref()),
            Self::ReconnectPeak => reconnect_peak(result),
            Self::Server(figure) => figure.of(result),
            Self::Generator(GeneratorFigure::Stolen) => Some(result.generator.stolen),
            Self::Generator(GeneratorFigure::Idle) => Some(result.generator.idle),
            Self::Generator(GeneratorFigure::Cores) => Some(result.generator.cores),
        }
    }
}

impl Metric {
    /// A value in the base unit of its quantity, in words.
    pub(crate) fn in_words(&self, value: f64) -> String {
        match self.quantity() {
            Quantity::Time => words::micros(value),
            Quantity::Rate => format!("{} /s", words::number(value)),
            Quantity::Share => words::percent(value),
            Quantity::Bytes => words::bytes(value),
            Quantity::Mebibytes => format!("{} MiB", words::number(value)),
            Quantity::Number => words::number(value),
        }
    }
}

impl Statistic {
    fn of(self, latency: &Latency) -> Option<f64> {
        if latency.count == 0 {
            return None;
        }
        match self {
            Self::Min => Some(latency.min_us as f64),
            Self::Mean => Some(latency.mean_us),
            Self::Max => Some(latency.max_us as f64),
            Self::Percentile(percentile) => {
                let histogram = latency.histogram().ok()?;
                Some(histogram.value_at_quantile(percentile.quantile()) as f64)
            }
        }
    }
}

impl Tally {
    fn of(self, name: &str, result: &RunResult) -> Option<f64> {
        let count = |name: &str| {
            let counted = !result.counters.is_empty();
            counted.then(|| result.counters.get(name).copied().unwrap_or(0) as f64)
        };
        let (whole, base) = match self {
            Self::Count => return count(name),
            Self::Rate => (count(name)?, result.counted_s()),
            Self::Share if OF_STARTED.contains(&name) => (count(name)?, count("started")?),
            Self::Share => (count(name)?, count("sent")?),
        };
        (base > 0.0).then(|| whole / base)
    }
}

impl ServerFigure {
    fn of(self, result: &RunResult) -> Option<f64> {
        let server = result.server.as_ref()?;
        match self {
            Self::CpuPerMessage => server.cpu_us_per_message,
            Self::BytesPerConnection => server.bytes_per_connection,
            Self::Resident => Some(server.resident_mib),
            Self::Cores => {
                let counted_s = result.counted_s();
                (counted_s > 0.0).then(|| server.cpu_s / counted_s)
            }
        }
    }
}

/// The slowest recovery of the faults of this name, or of all; microseconds.
fn recovery(result: &RunResult, name: Option<&str>) -> Option<f64> {
    result
        .faults
        .iter()
        .filter(|fault| name.is_none_or(|name| fault.name == name))
        .map(|fault| fault.recovery_s.map(|seconds| seconds * 1e6))
        .reduce(|one, other| Some(one?.max(other?)))?
}

fn reconnect_peak(result: &RunResult) -> Option<f64> {
    let seconds = result.series.columns.get("reconnects_per_s");
    let seconds = seconds.into_iter().flatten().flatten().copied();
    let faults = result.faults.iter().map(|fault| fault.reconnect_peak_per_s as f64);
    seconds.chain(faults).reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn measured(metric: &str, result: &RunResult) -> Option<f64> {
        metric.parse::<Metric>().unwrap().measure(result)
    }

    #[test]
    fn a_recovery_is_the_worst_and_unmeasured_when_there_was_none() {
        let mut result = sample::support_day();
        let first = result.faults[0].recovery_s.unwrap();
        let mut slower = result.faults[0].clone();
        (slower.name, slower.recovery_s) = ("slower".into(), Some(first + 1.0));
        result.faults.push(slower);
        assert_eq!(measured("recovery", &result), Some((first + 1.0) * 1e6));
        result.faults[0].recovery_s = None;
        assert_eq!(measured("recovery", &result), None);
        assert_eq!(measured("recovery.slower", &result), Some((first + 1.0) * 1e6));
        result.faults.clear();
        assert_eq!(measured("recovery", &result), None);
    }

    #[test]
    fn counters_are_zero_only_where_something_was_counted() {
        let mut result = sample::empty();
        assert_eq!(measured("refused.count", &result), None);
        result.counters.insert("sent".into(), 0);
        assert_eq!(measured("refused.count", &result), Some(0.0));
        assert_eq!(measured("refused.share", &result), None);
        result.counters.insert("sent".into(), 200);
        result.counters.insert("refused".into(), 1);
        assert_eq!(measured("refused.share", &result), Some(0.005));
    }

    #[test]
    fn latencies_without_values_are_not_measured() {
        let mut result = sample::empty();
        result.latencies.insert("ack".into(), Latency::of(&Latency::recorder()));
        assert_eq!(measured("ack.p99", &result), None);
        assert_eq!(measured("ack.max", &result), None);
    }
}
