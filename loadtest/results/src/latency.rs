//! A distribution of latencies: the whole histogram, with the figures people
//! read beside it. Histograms are merged, never averaged.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer as HistogramReader, Serializer as _, V2Serializer};
use serde::{Deserialize, Serialize};

/// What a histogram begins with (V2, not compressed).
const COOKIE: u32 = 0x1c84_9313;
/// Bytes before the counts.
const HEAD_BYTES: usize = 40;
/// Significant digits of all of the harness's.
const DIGITS: u32 = 3;

/// Why a distribution cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LatencyError {
    /// Not base64.
    #[error("a histogram is not base64: {0}")]
    Text(#[from] base64::DecodeError),
    /// Its head is not one of ours, or not true of what follows.
    #[error("not an HdrHistogram (V2) of three digits, or not all of one")]
    Head,
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
    if !is_ours(bytes) {
        return Err(LatencyError::Head);
    }
    let mut read = HistogramReader::new()
        .deserialize(&mut std::io::Cursor::new(bytes))
        .map_err(LatencyError::Histogram)?;
    read.auto(true);
    Ok(read)
}

/// Whether the head is one of [`to_bytes`] and true of what follows: the library takes as
/// much memory as it says.
fn is_ours(bytes: &[u8]) -> bool {
    let word =
        |at| bytes.get(at..at + 4).and_then(|word| Some(u32::from_be_bytes(word.try_into().ok()?)));
    let counts = bytes.len().checked_sub(HEAD_BYTES).and_then(|len| u32::try_from(len).ok());
    word(0) == Some(COOKIE) && counts.is_some() && word(4) == counts && word(12) == Some(DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_that_is_not_true_is_refused() {
        let good = to_bytes(&Latency::recorder());
        assert!(from_bytes(&good).is_ok());
        assert!(from_bytes(&good[..HEAD_BYTES - 1]).is_err());
        for (at, byte) in [(0, 0), (4, 0x6e), (7, 9), (15, 5)] {
            let mut bad = good.clone();
            bad[at] = byte;
            assert!(matches!(from_bytes(&bad), Err(LatencyError::Head)), "byte {at}");
        }
    }

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
