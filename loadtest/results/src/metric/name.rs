//! Names of metrics: how they are read, refused and written.

use super::{
    COUNTERS, GeneratorFigure, LATENCIES, Metric, OF_SENT, OF_STARTED, Percentile, RECONNECTS,
    ServerFigure, Statistic, Tally,
};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Why a name is not a metric's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetricError {
    /// The part before the first dot.
    #[error(
        "unknown metric \"{0}\"; latencies are {latencies} and lag, counters are {counters} and \
         {RECONNECTS}, others are recovery, server and generator",
        latencies = LATENCIES.join(", "),
        counters = COUNTERS.join(", ")
    )]
    Unknown(String),
    /// The part behind it.
    #[error("{metric} has no \"{figure}\"; it has {known}")]
    Figure {
        /// The part before the dot.
        metric: String,
        /// The part behind it.
        figure: String,
        /// What there is.
        known: &'static str,
    },
}

impl FromStr for Metric {
    type Err = MetricError;

    fn from_str(text: &str) -> Result<Self, MetricError> {
        let (name, figure) = text.split_once('.').unwrap_or((text, ""));
        let none = |known| MetricError::Figure {
            metric: name.to_owned(),
            figure: figure.to_owned(),
            known,
        };
        let latency = LATENCIES.into_iter().chain(["lag"]).find(|known| *known == name);
        if let Some(latency) = latency {
            let statistic = Statistic::parse(figure);
            let statistic = statistic.ok_or_else(|| none("pNN (as p50, p99.9), mean, max, min"))?;
            return Ok(Self::Latency(latency, statistic));
        }
        let counter = COUNTERS.into_iter().chain([RECONNECTS]).find(|known| *known == name);
        if let Some(counter) = counter {
            return counter_figure(counter, figure).map_err(none);
        }
        match (name, figure) {
            ("recovery", "") if text == name => Ok(Self::Recovery(None)),
            ("recovery", "") => Err(none("the name of a fault, or nothing behind it")),
            ("recovery", fault) => Ok(Self::Recovery(Some(fault.to_owned()))),
            ("server", "cpu_per_message") => Ok(Self::Server(ServerFigure::CpuPerMessage)),
            ("server", "bytes_per_connection") => {
                Ok(Self::Server(ServerFigure::BytesPerConnection))
            }
            ("server", "resident_mib") => Ok(Self::Server(ServerFigure::Resident)),
            ("server", "cores") => Ok(Self::Server(ServerFigure::Cores)),
            ("server", _) => {
                Err(none("cpu_per_message, bytes_per_connection, resident_mib, cores"))
            }
            ("generator", "stolen") => Ok(Self::Generator(GeneratorFigure::Stolen)),
            ("generator", "idle") => Ok(Self::Generator(GeneratorFigure::Idle)),
            ("generator", "cores") => Ok(Self::Generator(GeneratorFigure::Cores)),
            ("generator", _) => Err(none("stolen, idle, cores")),
            _ => Err(MetricError::Unknown(name.to_owned())),
        }
    }
}

/// What `figure` of this counter is, or what there is instead.
fn counter_figure(counter: &'static str, figure: &str) -> Result<Metric, &'static str> {
    let shared = OF_SENT.contains(&counter) || OF_STARTED.contains(&counter);
    match figure {
        "count" => Ok(Metric::Counter(counter, Tally::Count)),
        "rate" => Ok(Metric::Counter(counter, Tally::Rate)),
        "share" if shared => Ok(Metric::Counter(counter, Tally::Share)),
        "peak" if counter == RECONNECTS => Ok(Metric::ReconnectPeak),
        _ if counter == RECONNECTS => Err("count, rate, peak"),
        _ if shared => Err("count, rate, share"),
        _ => Err("count, rate"),
    }
}

impl Percentile {
    fn parse(text: &str) -> Option<Self> {
        let (whole, thousandths) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        };
        if !digits(whole, 3) || !digits(thousandths, 3) {
            return None;
        }
        let scale = 10_u32.pow(3 - u32::try_from(thousandths.len()).ok()?);
        let value = whole.parse::<u32>().ok()? * 1_000 + thousandths.parse::<u32>().ok()? * scale;
        (1..=100_000).contains(&value).then_some(Self(value))
    }
}

impl Statistic {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "min" => Some(Self::Min),
            "mean" => Some(Self::Mean),
            "max" => Some(Self::Max),
            _ => text.strip_prefix('p').and_then(Percentile::parse).map(Self::Percentile),
        }
    }
}

/// As text.
impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latency(name, statistic) => write!(f, "{name}.{statistic}"),
            Self::Counter(name, Tally::Count) => write!(f, "{name}.count"),
            Self::Counter(name, Tally::Rate) => write!(f, "{name}.rate"),
            Self::Counter(name, Tally::Share) => write!(f, "{name}.share"),
            Self::Recovery(None) => f.write_str("recovery"),
            Self::Recovery(Some(fault)) => write!(f, "recovery.{fault}"),
            Self::ReconnectPeak => f.write_str("reconnects.peak"),
            Self::Server(figure) => f.write_str(match figure {
                ServerFigure::CpuPerMessage => "server.cpu_per_message",
                ServerFigure::BytesPerConnection => "server.bytes_per_connection",
                ServerFigure::Resident => "server.resident_mib",
                ServerFigure::Cores => "server.cores",
            }),
            Self::Generator(figure) => f.write_str(match figure {
                GeneratorFigure::Stolen => "generator.stolen",
                GeneratorFigure::Idle => "generator.idle",
                GeneratorFigure::Cores => "generator.cores",
            }),
        }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Min => f.write_str("min"),
            Self::Mean => f.write_str("mean"),
            Self::Max => f.write_str("max"),
            Self::Percentile(Percentile(thousandths)) => {
                write!(f, "p{}", f64::from(*thousandths) / 1_000.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_as_it_is_written() {
        for name in [
            "ack.p99.9",
            "lag.p50",
            "receipt.p100",
            "start.max",
            "sent.rate",
            "reconnects.count",
            "closed.share",
            "recovery",
            "recovery.kill node-1.a",
            "reconnects.peak",
            "server.cores",
            "server.resident_mib",
            "generator.stolen",
            "late.p0.001",
        ] {
            assert_eq!(name.parse::<Metric>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn refusals_name_what_there_is() {
        for (name, part) in [
            ("recipt.p99", "unknown metric \"recipt\""),
            ("ack.p0", "ack has no \"p0\""),
            ("ack.p101", "p99.9"),
            ("ack.p99.9999", "p99.9"),
            ("ack.p-1", "p99.9"),
            ("sent.share", "it has count, rate"),
            ("reconnects.p99", "it has count, rate, peak"),
            ("recovery.", "the name of a fault"),
            ("server.cpu", "cpu_per_message"),
            ("", "unknown metric \"\""),
        ] {
            let error = name.parse::<Metric>().unwrap_err().to_string();
            assert!(error.contains(part), "{name}: {error}");
        }
    }
}
