//! Every metric of Frontdesk: name, kind, labels with all the values they may take, and
//! what it says. The one list from which `HELP` and `TYPE` lines, buckets, the page
//! METRICS.md and the checks of dashboards and alerts are made.
//!
//! A name is `frontdesk_<part>_<what>[_<unit>]`, and `_total` behind it for what only
//! grows. Units are seconds, bytes and ratios; what has none of these endings counts
//! what it names. No label may take a value that is not listed here.

mod labels;
mod people;
mod places;
mod ways;

use std::fmt::Write as _;

/// How a metric behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, until the process ends.
    Counter,
    /// It is what it is now.
    Gauge,
    /// Observations by size.
    Histogram,
}

impl Kind {
    /// As Prometheus calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// What one step of a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Of time.
    Seconds,
    /// Of memory or traffic.
    Bytes,
    /// Of a whole, from 0 to 1.
    Ratio,
    /// One of what the name says, or a number of an order.
    Things,
}

impl Unit {
    /// In a table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
            Self::Ratio => "ratio",
            Self::Things => "",
        }
    }
}

/// A label and all its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub values: &'static [&'static str],
}

/// How observations are sorted into buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// What machines do: from microseconds to seconds.
    Work,
    /// What people wait: from a second to an hour.
    Waiting,
    /// Numbers of things.
    Counts,
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its whole name.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// Its labels; few have any.
    pub labels: &'static [Label],
    /// One line for `HELP`.
    pub help: &'static str,
    scale: Scale,
}

impl Metric {
    const fn new(kind: Kind, name: &'static str, help: &'static str) -> Self {
        Self { name, kind, labels: &[], help, scale: Scale::Work }
    }

    /// With these labels.
    const fn by(self, labels: &'static [Label]) -> Self {
        Self { labels, ..self }
    }

    /// In people's time.
    const fn waiting(self) -> Self {
        Self { scale: Scale::Waiting, ..self }
    }

    /// What it is measured in, as its name says.
    pub fn unit(&self) -> Unit {
        let name = self.name.strip_suffix("_total").unwrap_or(self.name);
        match name.rsplit_once('_') {
            Some((_, "seconds")) => Unit::Seconds,
            Some((_, "bytes")) => Unit::Bytes,
            Some((_, "ratio")) => Unit::Ratio,
            _ => Unit::Things,
        }
    }

    pub(crate) fn scale(&self) -> Scale {
        if self.unit() == Unit::Things { Scale::Counts } else { self.scale }
    }
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric::new(Kind::Counter, name, help)
}

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric::new(Kind::Gauge, name, help)
}

const fn histogram(name: &'static str, help: &'static str) -> Metric {
    Metric::new(Kind::Histogram, name, help)
}

/// Parts of the system that measure, as they stand in names.
pub const PARTS: [&str; 15] = [
    "bus",
    "desk",
    "files",
    "gateway",
    "journal",
    "link",
    "placement",
    "presence",
    "queueing",
    "raft",
    "routing",
    "sessions",
    "tasks",
    "tls",
    "traces",
];

/// Above the table.
const HEAD: &str = "# Metrics

What a process tells at `/metrics`, in the text form of Prometheus. A process writes
what its roles measure. Names are `frontdesk_<part>_<what>[_<unit>]`, with `_total` for
what only grows; labels take no other values than these. A histogram has the series
`_bucket`, `_sum` and `_count`. Written by `frontdesk metrics`; a test compares.

| name | kind | unit | labels | what it says |
|---|---|---|---|---|
";

/// All metrics, by name; last those that every Prometheus client has of its process.
pub fn all() -> Vec<Metric> {
    let lists = [people::METRICS, places::METRICS, ways::METRICS];
    let mut all: Vec<Metric> = lists.into_iter().flatten().copied().collect();
    all.sort_by_key(|metric| (!metric.name.starts_with("frontdesk_"), metric.name));
    all
}

/// The metric to which a series of a page belongs: a histogram writes three kinds.
pub fn of_series(series: &str) -> Option<Metric> {
    let all = all();
    let named = |name: &str| all.iter().find(|metric| metric.name == name).copied();
    let parts = ["_bucket", "_sum", "_count"];
    let of_histogram = || {
        let base = parts.iter().find_map(|part| series.strip_suffix(part))?;
        named(base).filter(|metric| metric.kind == Kind::Histogram)
    };
    named(series).filter(|metric| metric.kind != Kind::Histogram).or_else(of_histogram)
}

/// The page METRICS.md: `frontdesk metrics` prints it.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for metric in all() {
        let label = |label: &Label| format!("`{}`: {}", label.name, label.values.join(", "));
        let labels: Vec<String> = metric.labels.iter().map(label).collect();
        let (name, kind, unit) = (metric.name, metric.kind.as_str(), metric.unit().as_str());
        let (labels, help) = (labels.join("; "), metric.help);
        // Writing to a String cannot fail.
        let _ = writeln!(page, "| `{name}` | {kind} | {unit} | {labels} | {help} |");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_is_made_by_the_template() {
        let mut seen = BTreeSet::new();
        for metric in all() {
            let name = metric.name;
            assert!(seen.insert(name), "{name} is there twice");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
            assert_eq!(name.ends_with("_total"), metric.kind == Kind::Counter, "{name}");
            // A unit stands at the end or nowhere, and there is no other for it.
            let base = name.strip_suffix("_total").unwrap_or(name);
            for unit in ["seconds", "bytes", "ratio"] {
                let inside = base.split('_').rev().skip(1).any(|word| word == unit);
                assert!(!inside || name.starts_with("process_"), "{name}");
            }
            for unit in ["ms", "millis", "milliseconds", "micros", "minutes", "kb", "percent"] {
                assert!(!base.split('_').any(|word| word == unit), "{name}");
            }
            for taken in ["_bucket", "_sum", "_count"] {
                assert!(!name.ends_with(taken), "{name} looks like a part of a histogram");
            }
            let Some(rest) = name.strip_prefix("frontdesk_") else {
                assert!(name.starts_with("process_"), "{name}");
                continue;
            };
            let part = rest.split('_').next().unwrap_or_default();
            assert!(PARTS.contains(&part), "{name} is of no part");
        }
    }

    #[test]
    fn every_metric_explains_itself_and_its_labels_are_few() {
        for metric in all() {
            let name = metric.name;
            assert!(metric.help.ends_with('.') && !metric.help.contains(['|', '\n']), "{name}");
            let series: usize = metric.labels.iter().map(|label| label.values.len()).product();
            assert!(series <= 48, "{name} would have {series} series");
            for label in metric.labels {
                assert!(!["role", "job", "instance", "pod", "le"].contains(&label.name), "{name}");
                let distinct: BTreeSet<_> = label.values.iter().collect();
                assert_eq!(distinct.len(), label.values.len(), "{name}: {}", label.name);
            }
        }
    }

    #[test]
    fn series_are_found_by_the_names_on_a_page() {
        let of = |series| of_series(series).map(|metric| metric.name);
        let commits = "frontdesk_journal_commit_seconds";
        assert_eq!(of("frontdesk_journal_commit_seconds_bucket"), Some(commits));
        assert_eq!(of(commits), None, "a histogram has no series of its own name");
        assert_eq!(of("frontdesk_gateway_connections_count"), None);
        let connections = "frontdesk_gateway_connections";
        assert_eq!(of(connections), Some(connections));
    }
}
