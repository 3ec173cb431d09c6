//! Another cluster on a database that exists: voters with empty disks, one process of
//! each other role and a Redis of their own, with the settings of a cluster that runs.

use crate::binary;
use crate::cluster::{ClusterReady, is_ready};
use crate::deadline::until;
use crate::process::Process;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const VOTERS: usize = 3;
const ROLES: [&str; 5] = ["desk", "sessions", "queueing", "routing", "gateway"];

/// Ended when dropped.
pub struct Fresh {
    folder: TempDir,
    gateway: String,
    /// By name.
    processes: Vec<(String, Process)>,
}

impl Fresh {
    /// Starts one with the keys and certificates of `ready`, and waits until each process
    /// says that it is ready.
    pub async fn start(ready: &ClusterReady, database: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let free = free_addresses(2 * (VOTERS + ROLES.len()) + 2);
        let (redis, free) = free.split_first().expect("some");
        let (public, free) = free.split_first().expect("some");
        let settings = settings_of(&ready.settings, database, redis, &free[..VOTERS]);
        let path = folder.path().join("cluster.toml");
        fs::write(&path, settings).expect("a file can be written");
        let port = redis.rsplit_once(':').expect("a port").1;
        let mut broker = Command::new("redis-server");
        broker.args(["--port", port, "--bind", "127.0.0.1", "--appendonly", "no", "--save", ""]);
        broker.args(["--requirepass", &secret(&ready.settings, "password"), "--dir"]);
        broker.arg(folder.path());
        let gateway = format!("http://{public}");
        let redis = ("redis".to_owned(), Process::start(&mut broker));
        let mut fresh = Self { folder, gateway, processes: vec![redis] };
        let voters = (1..=VOTERS).map(|n| ("presence", format!("presence-{n}")));
        let others = ROLES.iter().map(|role| (*role, format!("{role}-1")));
        let mut health = Vec::new();
        for ((role, name), at) in voters.chain(others).zip(free.iter()) {
            let own = &free[VOTERS + ROLES.len() + health.len()];
            health.push((name.clone(), own.clone()));
            let mut command = Command::new(binary::frontdesk());
            command.arg(role).arg("--config").arg(&path).args(["--name", &name]);
            command.arg("--data").arg(fresh.folder.path().join(&name));
            command.args(["--internal-listen", at, "--health-listen", own]);
            if role == "gateway" {
                command.args(["--listen", public]);
            }
            // A test may put tables of another group there first.
            let process = Process::start(&mut command).others_may_fail();
            let process = process.expects("the journal has shards under higher epochs");
            fresh.processes.push((name, process));
        }
        for (name, at) in health {
            until(format!("{name} is ready"), || async { is_ready(&at).await.then_some(()) }).await;
        }
        fresh
    }

    /// Base address of its gateway.
    pub fn gateway(&self) -> &str {
        &self.gateway
    }

    /// Where its disks are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of one voter after the other.
    pub fn voters(&self) -> Vec<PathBuf> {
        (1..=VOTERS).map(|n| self.folder.path().join(format!("presence-{n}"))).collect()
    }

    /// What a process has printed last.
    pub fn printed(&self, name: &str) -> String {
        let found = self.processes.iter().find(|(of, _)| of == name);
        found.unwrap_or_else(|| panic!("there is no {name}")).1.printed()
    }

    /// Runs the program with its settings.
    pub fn frontdesk(&self, words: &[&str]) -> Output {
        let mut command = Command::new(binary::frontdesk());
        command.args(words).arg("--config").arg(self.folder.path().join("cluster.toml"));
        command.output().expect("the program can be run")
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // Gateways first, the broker last; nobody is connected who would have to move.
        while self.processes.pop().is_some() {}
    }
}

fn free_addresses(count: usize) -> Vec<String> {
    let bound: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0").expect("a port is free")).collect();
    bound.iter().map(|l| l.local_addr().expect("it is bound").to_string()).collect()
}

/// The first value of this name in a settings file.
pub fn secret(settings: &Path, name: &str) -> String {
    let text = fs::read_to_string(settings).expect("it is the test's own");
    let begins = format!("{name} = \"");
    let line = text.lines().find_map(|line| line.strip_prefix(begins.as_str()));
    line.and_then(|rest| rest.strip_suffix('"')).expect("it is set").to_owned()
}

/// The settings of another cluster, with places of one's own.
fn settings_of(settings: &Path, database: &str, redis: &str, voters: &[String]) -> String {
    let text = fs::read_to_string(settings).expect("it is the test's own");
    let (kept, _) = text.split_once("[[cluster.voters]]").expect("it has voters");
    let mut own: String = kept
        .lines()
        .map(|line| match line.split_once(" = ") {
            Some(("url", _)) => format!("url = \"{database}\"\n"),
            Some(("address", _)) => format!("address = \"redis://{redis}\"\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    for (n, address) in (1..).zip(voters) {
        own += &format!(
            "[[cluster.voters]]\nid = {n}\nname = \"presence-{n}\"\naddress = \"{address}\"\n"
        );
    }
    own
}
