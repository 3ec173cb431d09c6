//! Real Redis servers for tests: each on a loopback port and in a folder of its
//! own, stopped when dropped. They panic where a test could not go on, and they
//! block: they are never part of a running role.

mod cluster;
mod sentinel;
mod server;

pub use cluster::RedisCluster;
pub use sentinel::RedisSentinels;
pub use server::RedisServer;

use crate::{RedisAddress, RedisSettings};
use std::time::{Duration, Instant};

/// The longest that servers may take to be ready.
const READY: Duration = Duration::from_secs(30);

/// Settings for an address, with times that let a test of a fault be short.
pub fn quick_settings(address: RedisAddress) -> RedisSettings {
    RedisSettings {
        address,
        probe_interval_ms: 100,
        probe_deadline_ms: 1_000,
        connect_timeout_ms: 1_000,
        publish_timeout_ms: 500,
        reconnect_pause_ms: 200,
        ..RedisSettings::default()
    }
}

/// Asks until it is so; panics with `what` when it never is.
fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < READY, "{what}: not within {READY:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
