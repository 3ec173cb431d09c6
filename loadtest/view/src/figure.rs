//! The figures that are shown, out of the columns that a row may have.

use crate::number::{number, whole};

/// What kind of value a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// So many a second.
    Rate,
    /// A percentile, milliseconds. Percentiles have no mean.
    Latency,
    /// How many there are.
    Level,
    /// An amount with a fraction.
    Amount,
    /// A share of one, shown as a percentage.
    Share,
}

impl Kind {
    /// A value of this kind, without its unit.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::Level => whole(value),
            Self::Share => format!("{:.1}", value * 100.0),
            Self::Rate | Self::Latency | Self::Amount => number(value),
        }
    }

    /// Whether a mean over several seconds means anything.
    pub(crate) fn has_mean(self) -> bool {
        self != Self::Latency
    }
}

/// One figure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    /// Name of its column.
    pub(crate) column: &'static str,
    /// What it is called, with its unit.
    pub(crate) label: &'static str,
    pub(crate) kind: Kind,
}

const fn figure(column: &'static str, label: &'static str, kind: Kind) -> Figure {
    Figure { column, label, kind }
}

/// What is sent for the first time.
pub(crate) const SENT: &str = "sent_per_s";
/// What is acknowledged and received.
pub(crate) const DELIVERED: &str = "delivered_per_s";
/// From the intended time to the last party, the half of them.
pub(crate) const RECEIPT_P50: &str = "receipt_p50_ms";
/// The same, 99 of a hundred.
pub(crate) const RECEIPT_P99: &str = "receipt_p99_ms";
/// Open connections.
pub(crate) const CONNECTIONS: &str = "connections";
/// Not yet assigned.
pub(crate) const WAITING: &str = "waiting";
/// CPUs that the server uses.
pub(crate) const SERVER_CORES: &str = "server_cores";
/// Resident memory of the server.
pub(crate) const SERVER_MIB: &str = "server_mib";

/// All of them; the most important first, for where there is no room for all.
pub(crate) const FIGURES: [Figure; 18] = [
    figure(DELIVERED, "delivered/s", Kind::Rate),
    figure(RECEIPT_P99, "receipt p99 ms", Kind::Latency),
    figure(RECEIPT_P50, "receipt p50 ms", Kind::Latency),
    figure(CONNECTIONS, "connections", Kind::Level),
    figure(SENT, "sent/s", Kind::Rate),
    figure("acknowledged_per_s", "acknowledged/s", Kind::Rate),
    figure("ack_p99_ms", "ack p99 ms", Kind::Latency),
    figure("ack_p50_ms", "ack p50 ms", Kind::Latency),
    figure("conversations", "conversations", Kind::Level),
    figure(WAITING, "waiting", Kind::Level),
    figure("reconnects_per_s", "reconnects/s", Kind::Rate),
    figure("deferred_per_s", "deferred/s", Kind::Rate),
    figure("refused_per_s", "refused/s", Kind::Rate),
    figure("unsent_per_s", "unsent/s", Kind::Rate),
    figure(SERVER_CORES, "server cores", Kind::Amount),
    figure(SERVER_MIB, "server MiB", Kind::Level),
    figure("generator_cores", "generator cores", Kind::Amount),
    figure("stolen", "stolen %", Kind::Share),
];
