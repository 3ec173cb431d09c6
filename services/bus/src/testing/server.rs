//! One `redis-server` process.

use super::{quick_settings, wait_for};
use crate::{HostPort, RedisAddress, RedisSettings};
use redis::{Client, Cmd, FromRedisValue, RedisResult};
use rustix::process::{Pid, Signal, kill_process};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Starts that may fail, because another process took the port first.
const ATTEMPTS: usize = 5;
/// For one question of a test to its server.
const ANSWER: Duration = Duration::from_secs(5);

/// One `redis-server` that keeps nothing on disk.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    folder: TempDir,
    arguments: Vec<String>,
    /// `None` after [`Self::kill`].
    process: Option<Child>,
}

impl RedisServer {
    /// Starts one, and waits until it answers.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with more arguments, such as `--requirepass`.
    pub fn start_with(arguments: &[&str]) -> Self {
        // Nothing is kept, and a replica need not wait for others to join it.
        let always = ["--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"];
        Self::start_as(&[always.as_slice(), arguments].concat())
    }

    /// Starts a sentinel from its configuration, which it writes to.
    pub(super) fn start_sentinel(configuration: &str) -> Self {
        Self::start_as(&[configuration, "--sentinel"])
    }

    fn start_as(arguments: &[&str]) -> Self {
        for _ in 0..ATTEMPTS {
            let mut server = Self {
                port: free_port(),
                folder: tempfile::tempdir().expect("a temporary folder"),
                arguments: arguments.iter().map(ToString::to_string).collect(),
                process: None,
            };
            if server.try_start() {
                return server;
            }
        }
        panic!("redis-server did not start in {ATTEMPTS} attempts");
    }

    /// Starts it again on the same port, after [`Self::kill`].
    pub fn start_again(&mut self) {
        assert!(self.process.is_none(), "it runs");
        assert!(self.try_start(), "redis-server did not start on port {}", self.port);
    }

    fn try_start(&mut self) -> bool {
        let cluster_port = free_port().to_string();
        let process = Command::new("redis-server")
            // A sentinel's configuration comes first.
            .args(&self.arguments)
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--cluster-port", &cluster_port])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        self.process = Some(process);
        let mut died = false;
        wait_for("redis-server answers", || {
            let process = self.process.as_mut().expect("it was just started");
            died = process.try_wait().expect("a child of this process").is_some();
            died || self.answers()
        });
        if died {
            self.process = None;
        }
        !died
    }

    /// Whether it says anything, be it that one must log in.
    fn answers(&self) -> bool {
        match self.ask::<()>(redis::cmd("PING").to_owned()) {
            Ok(()) => true,
            Err(error) => error.code().is_some(),
        }
    }

    /// Runs a command on it, as the default user without a password.
    pub fn ask<T: FromRedisValue>(&self, command: Cmd) -> RedisResult<T> {
        let client = Client::open(("127.0.0.1", self.port))?;
        let mut connection = client.get_connection_with_timeout(ANSWER)?;
        connection.set_read_timeout(Some(ANSWER))?;
        command.query(&mut connection)
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it listens.
    pub fn host(&self) -> HostPort {
        HostPort { host: Ipv4Addr::LOCALHOST.to_string(), port: self.port }
    }

    /// Settings to reach it, without a login.
    pub fn settings(&self) -> RedisSettings {
        quick_settings(RedisAddress::Single { tls: false, host: self.host(), login: None })
    }

    /// Freezes it: connections stay open and nothing is answered.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on after [`Self::pause`].
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let process = self.process.as_ref().expect("it runs");
        let pid = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process id"), signal).expect("a child of this process");
    }

    /// Ends it at once, also when it is frozen.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("a child of this process");
            process.wait().expect("a child of this process");
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free loopback port");
    listener.local_addr().expect("a bound socket").port()
}
