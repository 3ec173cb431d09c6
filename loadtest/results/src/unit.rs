//! Units in which values of a metric are written and shown.

use std::fmt;

/// What a value is a number of, with the unit that metrics are measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Microseconds.
    Time,
    /// Per second.
    Rate,
    /// A part of one.
    Share,
    /// Bytes.
    Bytes,
    /// Mebibytes.
    Mebibytes,
    /// Things.
    Number,
}

/// A unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// `us`
    Microseconds,
    /// `ms`
    Milliseconds,
    /// `s`
    Seconds,
    /// `min`
    Minutes,
    /// `/s`
    PerSecond,
    /// `%`
    Percent,
    /// `B`
    Bytes,
    /// `KiB`
    Kibibytes,
    /// `MiB`
    Mebibytes,
    /// `GiB`
    Gibibytes,
    /// None: a count, or a share from 0 to 1.
    Bare,
}

impl Unit {
    /// The unit that `text` means for this quantity; the error says which there
    /// are.
    pub(crate) fn of(text: &str, quantity: Quantity) -> Result<Self, &'static str> {
        match (quantity, text) {
            (Quantity::Time, "us" | "µs" | "μs") => Ok(Self::Microseconds),
            (Quantity::Time, "ms") => Ok(Self::Milliseconds),
            (Quantity::Time, "s") => Ok(Self::Seconds),
            (Quantity::Time, "min") => Ok(Self::Minutes),
            (Quantity::Time, _) => Err("us, ms, s or min"),
            (Quantity::Rate, "/s") => Ok(Self::PerSecond),
            (Quantity::Rate, _) => Err("/s"),
            (Quantity::Share, "%") => Ok(Self::Percent),
            (Quantity::Share | Quantity::Number, "") => Ok(Self::Bare),
            (Quantity::Share, _) => Err("%, or none for a part of one"),
            (Quantity::Bytes, "B") => Ok(Self::Bytes),
            (Quantity::Bytes | Quantity::Mebibytes, "KiB") => Ok(Self::Kibibytes),
            (Quantity::Bytes | Quantity::Mebibytes, "MiB") | (Quantity::Mebibytes, "") => {
                Ok(Self::Mebibytes)
            }
            (Quantity::Bytes | Quantity::Mebibytes, "GiB") => Ok(Self::Gibibytes),
            (Quantity::Bytes, _) => Err("B, KiB, MiB or GiB"),
            (Quantity::Mebibytes, _) => Err("KiB, MiB or GiB"),
            (Quantity::Number, _) => Err("none"),
        }
    }

    /// A measured value of `quantity` in this unit, which is one of the quantity's.
    pub(crate) fn convert(self, measured: f64, quantity: Quantity) -> f64 {
        // Multiplying or dividing by whole numbers keeps round values round.
        match (self, quantity) {
            (Self::Milliseconds, _) => measured / 1e3,
            (Self::Seconds, _) => measured / 1e6,
            (Self::Minutes, _) => measured / 60e6,
            (Self::Percent, _) => measured * 100.0,
            (Self::Kibibytes, Quantity::Mebibytes) => measured * 1024.0,
            (Self::Gibibytes, Quantity::Mebibytes) => measured / 1024.0,
            (Self::Kibibytes, _) => measured / 1024.0,
            (Self::Mebibytes, Quantity::Bytes) => measured / 1_048_576.0,
            (Self::Gibibytes, _) => measured / 1_073_741_824.0,
            (
                Self::Microseconds | Self::PerSecond | Self::Bytes | Self::Mebibytes | Self::Bare,
                _,
            ) => measured,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Microseconds => "us",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
            Self::Minutes => "min",
            Self::PerSecond => "/s",
            Self::Percent => "%",
            Self::Bytes => "B",
            Self::Kibibytes => "KiB",
            Self::Mebibytes => "MiB",
            Self::Gibibytes => "GiB",
            Self::Bare => "",
        })
    }
}
