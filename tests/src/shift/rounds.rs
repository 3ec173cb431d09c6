//! What routing says of its rounds of matching.

use crate::cluster::Member;
use crate::http::Http;
use std::time::Duration;

const ROUND: &str = "frontdesk_routing_round_seconds";

/// Rounds of all routing processes since they began.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rounds {
    /// How many.
    pub count: u64,
    /// How long all took together.
    pub total: Duration,
    /// Ninety-nine in a hundred took no longer: the bound of a bucket.
    pub p99: Duration,
}

/// Asks them all.
pub(super) async fn of(members: &[Member]) -> Rounds {
    let mut buckets: Vec<(f64, u64)> = Vec::new();
    let (mut count, mut total) = (0, 0.0);
    for member in members.iter().filter(|member| member.kind == "routing") {
        let Some(Ok(address)) = member.health.as_ref().map(|health| health.parse()) else {
            continue;
        };
        let answer = Http::new(address).get("/metrics").await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        for line in text.lines().filter_map(|line| line.strip_prefix(ROUND)) {
            let Some((name, value)) = line.rsplit_once(' ') else { continue };
            let value: f64 = value.parse().unwrap_or_default();
            if name.starts_with("_count") {
                count += value as u64;
            } else if name.starts_with("_sum") {
                total += value;
            } else if let Some(bound) = bound(name) {
                match buckets.iter_mut().find(|(of, _)| *of == bound) {
                    Some((_, so_many)) => *so_many += value as u64,
                    None => buckets.push((bound, value as u64)),
                }
            }
        }
    }
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let most = buckets.iter().find(|(_, so_many)| so_many * 100 >= count * 99);
    let p99 = most.map_or(0.0, |(bound, _)| *bound);
    let p99 = Duration::try_from_secs_f64(p99).unwrap_or(Duration::MAX);
    Rounds { count, total: Duration::from_secs_f64(total), p99 }
}

fn bound(name: &str) -> Option<f64> {
    let from = name.strip_prefix("_bucket")?.split_once("le=\"")?.1;
    from.split_once('"')?.0.replace("+Inf", "inf").parse().ok()
}
