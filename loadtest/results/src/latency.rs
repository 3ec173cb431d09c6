//! A distribution of latencies: the whole histogram, with the figures people
//! read beside it. Histograms are merged, never averaged.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer as HistogramReader, Serializer as _, V2Serializer};
use serde::{Deserialize, Serialize};

/// Why a distribution cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LatencyError {
    /// Not base64.
    #[error("a histogram is not base64: {0}")]
    Text(#[from] base64::DecodeError),
    /// Not a histogram of this format.
    #[error("not an HdrHistogram (V2): {0:?}")]
    Histogram(hdrhistogram::serialization::DeserializeError),
}

/// A distribution of latencies in microseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Values recorded.
    pub count: u64,
    /// Smallest, microseconds.
    pub min_us: u64,
    /// Mean, microseconds.
    pub mean_us: f64,
    /// Median, microseconds.
    pub p50_us: u64,
    /// 90th percentile, microseconds.
    pub p90_us: u64,
    /// 99th percentile, microseconds.
    pub p99_us: u64,
    /// 99.9th percentile, microseconds.
    pub p999_us: u64,
    /// Largest, microseconds.
    pub max_us: u64,
    /// All of it: HdrHistogram V2, base64.
    pub histogram: String,
}

impl Latency {
    /// An empty histogram of microseconds as the harness records them: three
    /// significant digits, any range.
    pub fn recorder() -> Histogram<u64> {
        Histogram::new(3).expect("three significant digits are valid")
    }

    /// The figures of a histogram of microseconds.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile);
        Self {
            count: histogram.len(),
            min_us: histogram.min(),
            mean_us: histogram.mean(),
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: histogram.max(),
            histogram: STANDARD.encode(to_bytes(histogram)),
        }
    }

    /// The whole distribution, microseconds.
    pub fn histogram(&self) -> Result<Histogram<u64>, LatencyError> {
        from_bytes(&STANDARD.decode(&self.histogram)?)
    }
}

/// A histogram as bytes (HdrHistogram V2).
pub fn to_bytes(histogram: &Histogram<u64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    V2Serializer::new()
        .serialize(histogram, &mut bytes)
        .expect("a histogram that grows by itself fits a vector");
    bytes
}

/// A histogram from [`to_bytes`].
pub fn from_bytes(bytes: &[u8]) -> Result<Histogram<u64>, LatencyError> {
    let mut read = HistogramReader::new()
        .deserialize(&mut std::io::Cursor::new(bytes))
        .map_err(LatencyError::Histogram)?;
    read.auto(true);
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_survive_and_merge() {
        let mut histogram = Latency::recorder();
        (1..=1_000).for_each(|n| histogram.record(n * 10).unwrap());
        let latency = Latency::of(&histogram);
        let mut read = latency.histogram().unwrap();
        assert_eq!(read, histogram);
        read.add(&histogram).unwrap();
        assert_eq!(Latency::of(&read).count, 2_000);
        assert!(Latency { histogram: "no".into(), ..latency }.histogram().is_err());
    }
}
