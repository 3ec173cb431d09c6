//! A master, a replica, and three sentinels that watch them.

use super::{RedisServer, quick_settings, wait_for};
use crate::{RedisAddress, RedisSettings};
use redis::cmd;
use tempfile::TempDir;

/// The name the sentinels know the master by.
const MASTER: &str = "main";

/// Two servers and their sentinels, which take half a second of silence for a
/// death.
#[derive(Debug)]
pub struct RedisSentinels {
    servers: Vec<RedisServer>,
    sentinels: Vec<RedisServer>,
    _configurations: TempDir,
}

impl RedisSentinels {
    /// Starts all five, and waits until the sentinels know of each other and of
    /// the replica.
    pub fn start() -> Self {
        let master = RedisServer::start();
        let port = master.port().to_string();
        let replica = RedisServer::start_with(&["--replicaof", "127.0.0.1", &port]);
        let configurations = tempfile::tempdir().expect("a temporary folder");
        let sentinels = (0..3).map(|n| sentinel(&configurations, n, master.port())).collect();
        let all =
            Self { servers: vec![master, replica], sentinels, _configurations: configurations };
        wait_for("the sentinels agree", || all.sentinels.iter().all(knows_all));
        all
    }

    /// Settings to reach the master, whichever it is.
    pub fn settings(&self) -> RedisSettings {
        let sentinels = self.sentinels.iter().map(RedisServer::host).collect();
        let master = MASTER.to_owned();
        quick_settings(RedisAddress::Sentinel { tls: false, sentinels, master, login: None })
    }

    /// The server that was the master at first.
    pub fn first_master(&mut self) -> &mut RedisServer {
        &mut self.servers[0]
    }
}

fn sentinel(folder: &TempDir, number: usize, master: u16) -> RedisServer {
    let file = folder.path().join(format!("sentinel-{number}.conf"));
    let configuration = format!(
        "sentinel monitor {MASTER} 127.0.0.1 {master} 2\n\
         sentinel down-after-milliseconds {MASTER} 500\n\
         sentinel failover-timeout {MASTER} 3000\n"
    );
    std::fs::write(&file, configuration).expect("a new file in a temporary folder");
    RedisServer::start_sentinel(file.to_str().expect("a temporary folder's name is UTF-8"))
}

fn knows_all(sentinel: &RedisServer) -> bool {
    let master = cmd("SENTINEL").arg("MASTER").arg(MASTER).to_owned();
    let Ok(fields) = sentinel.ask::<Vec<String>>(master) else { return false };
    let is = |name: &str, value: &str| {
        fields.chunks_exact(2).any(|field| field[0] == name && field[1] == value)
    };
    is("num-slaves", "1") && is("num-other-sentinels", "2") && is("flags", "master")
}
