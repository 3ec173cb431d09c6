//! The lines of the design's table of faults, each with what must happen.

mod anything;
mod broker_lost;
mod database_lost;
mod gateway_killed;
mod leader_lost;
mod owner_frozen;
mod owner_killed;
mod quorum_lost;
mod slow_client;

/// When the fault begins.
const AT_MS: u64 = 8_000;
/// How long it lasts.
const LASTS_MS: u64 = 6_000;

/// A line when something took longer than it may.
fn at_most(limit_ms: u64, took_ms: u64, what: &str) -> Vec<String> {
    if took_ms <= limit_ms {
        return Vec::new();
    }
    vec![format!("{what} took {took_ms} ms of {limit_ms}")]
}
