//! `google.protobuf.Timestamp` and `Duration` with their canonical JSON forms:
//! RFC 3339 ending in `Z`, and seconds with an `s`.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const NANOS_PER_SECOND: u32 = 1_000_000_000;

/// A point in time, UTC.
#[derive(Clone, Copy, PartialEq, Eq, Hash, prost::Message)]
pub struct Timestamp {
    /// Seconds since the Unix epoch.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// Nanoseconds within the second, 0–999,999,999.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let nanos = u32::try_from(self.nanos).map_err(serde::ser::Error::custom)?;
        let time = DateTime::<Utc>::from_timestamp(self.seconds, nanos)
            .ok_or_else(|| serde::ser::Error::custom("timestamp out of range"))?;
        s.serialize_str(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(d)?;
        let time = DateTime::parse_from_rfc3339(&text).map_err(D::Error::custom)?;
        Ok(Self { seconds: time.timestamp(), nanos: time.timestamp_subsec_nanos() as i32 })
    }
}

/// A length of time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, prost::Message)]
pub struct Duration {
    /// Whole seconds.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// Nanoseconds of the same sign, below one second.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let sign = if self.seconds < 0 || self.nanos < 0 { "-" } else { "" };
        let (seconds, nanos) = (self.seconds.unsigned_abs(), self.nanos.unsigned_abs());
        let text = match (nanos, nanos % 1_000_000) {
            (0, _) => format!("{sign}{seconds}s"),
            (_, 0) => format!("{sign}{seconds}.{:03}s", nanos / 1_000_000),
            _ => format!("{sign}{seconds}.{nanos:09}s"),
        };
        s.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(d)?;
        parse_duration(&text).ok_or_else(|| D::Error::custom("expected seconds such as \"1.5s\""))
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let number = text.strip_suffix('s')?;
    let (sign, number) = match number.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, number),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 9 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let scale = 10_u32.pow(9 - fraction.len() as u32);
    let nanos = if fraction.is_empty() { 0 } else { fraction.parse::<u32>().ok()? * scale };
    debug_assert!(nanos < NANOS_PER_SECOND);
    Some(Duration { seconds: sign * whole.parse::<i64>().ok()?, nanos: sign as i32 * nanos as i32 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_canonical_json() {
        for (json, seconds, nanos) in [
            ("\"2025-11-23T06:00:00Z\"", 1_763_877_600, 0),
            ("\"2025-11-23T06:00:00.120Z\"", 1_763_877_600, 120_000_000),
            ("\"1970-01-01T00:00:00.000000001Z\"", 0, 1),
        ] {
            let t = Timestamp { seconds, nanos };
            assert_eq!(serde_json::to_string(&t).unwrap(), json);
            assert_eq!(serde_json::from_str::<Timestamp>(json).unwrap(), t);
        }
        assert!(serde_json::from_str::<Timestamp>("\"yesterday\"").is_err());
    }

    #[test]
    fn durations_are_canonical_json() {
        for (json, seconds, nanos) in [
            ("\"0s\"", 0, 0),
            ("\"25s\"", 25, 0),
            ("\"1.500s\"", 1, 500_000_000),
            ("\"-2.000000001s\"", -2, -1),
        ] {
            let d = Duration { seconds, nanos };
            assert_eq!(serde_json::to_string(&d).unwrap(), json);
            assert_eq!(serde_json::from_str::<Duration>(json).unwrap(), d);
        }
        for bad in ["\"1\"", "\".5s\"", "\"1.s.\"", "\"s\"", "\"1.1234567890s\""] {
            assert!(serde_json::from_str::<Duration>(bad).is_err(), "{bad}");
        }
    }
}
