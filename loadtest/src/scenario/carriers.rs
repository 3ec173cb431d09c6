//! Which connection is carried how.

use frontdesk_client::Carrier;
use serde::Serialize;

/// Shares of the carriers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Carriers(Vec<(Carrier, f64)>);

impl Default for Carriers {
    fn default() -> Self {
        Self(vec![(Carrier::WebSocketProtobuf, 1.0)])
    }
}

impl Carriers {
    /// From shares of any sum; `None` when there is nothing to share or a share
    /// is no number.
    pub fn new(shares: impl IntoIterator<Item = (Carrier, f64)>) -> Option<Self> {
        let shares: Vec<_> = shares.into_iter().collect();
        let sum: f64 = shares.iter().map(|(_, share)| share).sum();
        let valid = shares.iter().all(|(_, share)| share.is_finite() && *share >= 0.0);
        (valid && sum > 0.0)
            .then(|| Self(shares.into_iter().map(|(c, share)| (c, share / sum)).collect()))
    }

    /// The carrier of the n-th connection. Any run of connections has nearly
    /// the right shares: steps of the golden ratio never bunch up.
    pub fn of(&self, n: u32) -> Carrier {
        let place = (f64::from(n) * 0.618_033_988_749_894_9).fract();
        let mut sum = 0.0;
        for (carrier, share) in &self.0 {
            sum += share;
            if place < sum {
                return *carrier;
            }
        }
        // Shares add up to one, but for rounding.
        self.0.last().map_or(Carrier::WebSocketProtobuf, |(carrier, _)| *carrier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_shared_out() {
        let shares = [(Carrier::WebSocketJson, 1.0), (Carrier::Grpc, 3.0)];
        let carriers = Carriers::new(shares).unwrap();
        let grpc = (0..100).filter(|n| carriers.of(*n) == Carrier::Grpc).count();
        assert!((73..=77).contains(&grpc), "{grpc}");
        assert_eq!(Carriers::default().of(7), Carrier::WebSocketProtobuf);
    }

    #[test]
    fn shares_must_make_sense() {
        assert!(Carriers::new([]).is_none());
        assert!(Carriers::new([(Carrier::Grpc, 0.0)]).is_none());
        assert!(Carriers::new([(Carrier::Grpc, -1.0)]).is_none());
        assert!(Carriers::new([(Carrier::Grpc, f64::NAN)]).is_none());
    }
}
