//! A cluster of a test's own: `frontdesk cluster up` with the real binary, its
//! processes, and signals to them.

use crate::accounts::Account;
use crate::binary;
use crate::deadline::{until, within};
use crate::logs;
use crate::process::Process;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest start in a debug build on a busy machine.
const START: Duration = Duration::from_secs(180);
/// Longest stop: every process drains.
const STOP: Duration = Duration::from_secs(60);

/// What `cluster up --print json` announces.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterReady {
    /// Base addresses of the gateways.
    pub gateways: Vec<String>,
    /// Name of the site.
    pub site: String,
    /// Its public key.
    pub site_key: String,
    /// Who can sign in.
    pub agents: Vec<Account>,
    /// The settings file of all processes.
    pub settings: PathBuf,
}

/// One process of it.
#[derive(Debug, Clone, Deserialize)]
pub struct Member {
    /// As on the command line.
    pub name: String,
    /// Its role, or the engine.
    pub kind: String,
    /// Absent while it does not run.
    pub pid: Option<u32>,
    /// Where the other processes reach it.
    pub internal: Option<String>,
    /// Health checks and metrics.
    pub health: Option<String>,
    /// What it has logged.
    pub log: PathBuf,
}

/// A running cluster. Stopped when dropped.
pub struct Cluster {
    process: Process,
    ready: ClusterReady,
    announced: String,
    folder: TempDir,
    has_stopped: bool,
    /// Parts are made to fail: their logs may say so.
    fails: bool,
    expected: Vec<String>,
}

/// Settings, each named as a settings file has it, as variables of a process.
pub fn variables(settings: &[(String, String)]) -> impl Iterator<Item = (String, &str)> {
    let variable = |name: &str| format!("FRONTDESK_{}", name.to_uppercase().replace('.', "__"));
    settings.iter().map(move |(name, value)| (variable(name), value.as_str()))
}

impl Cluster {
    /// Starts one with these arguments besides.
    pub async fn start(arguments: &[&str]) -> Self {
        Self::start_with(&binary::frontdesk(), arguments).await
    }

    /// The same, with a program of one's own: what lies at its path when a process
    /// is started again is what runs from then on.
    pub async fn start_with(program: &Path, arguments: &[&str]) -> Self {
        Self::launch(program, arguments, &[]).await
    }

    /// With settings for all of its processes, each as the file names it:
    /// `section.name`.
    pub async fn start_set(arguments: &[&str], settings: &[(String, String)]) -> Self {
        Self::launch(&binary::frontdesk(), arguments, settings).await
    }

    async fn launch(program: &Path, arguments: &[&str], settings: &[(String, String)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("FRONTDESK_") {
                command.env_remove(name);
            }
        }
        command.envs(variables(settings));
        command.args(["cluster", "up", "--base-port", "0", "--print", "json", "--data"]);
        command.arg(folder.path()).args(arguments);
        let mut process = Process::start(&mut command);
        let line = within(START, "the cluster is ready", process.line()).await;
        let announced = line.unwrap_or_else(|| panic!("it ended at once:\n{}", process.printed()));
        let ready = serde_json::from_str(&announced)
            .unwrap_or_else(|e| panic!("not a line of readiness ({e}): {announced}"));
        Self {
            process,
            ready,
            announced,
            folder,
            has_stopped: false,
            fails: false,
            expected: Vec::new(),
        }
    }

    /// Its parts will be replaced, killed, frozen or cut off: logs may tell what that comes to.
    pub fn parts_may_fail(mut self) -> Self {
        self.fails = true;
        self
    }

    /// A warning or an error that this test brings about, by a part of its line. Any
    /// other that is not listed in `logs` fails the test when the cluster stops.
    pub fn expects(mut self, text: &str) -> Self {
        self.expected.push(text.to_owned());
        self
    }

    /// `fails` while parts of it go, so that others may say so.
    #[track_caller]
    fn look_through_the_logs(&self, fails: bool) {
        let mut found = logs::unlisted(self.process.take_alarms(), &self.expected);
        // The engines write logs of their own.
        let ours = |member: &Member| !["postgres", "redis"].contains(&member.kind.as_str());
        for member in self.members().into_iter().filter(ours) {
            let alarms = logs::unlisted_of_file(&member.log, fails, &self.expected);
            found.extend(alarms.into_iter().map(|line| format!("{}: {line}", member.name)));
        }
        assert!(found.is_empty(), "nobody expects in the logs:\n  {}", found.join("\n  "));
    }

    /// What it said.
    pub fn ready(&self) -> &ClusterReady {
        &self.ready
    }

    /// The line of JSON by which it said so.
    pub fn announced(&self) -> &str {
        &self.announced
    }

    /// Base addresses of the gateways.
    pub fn gateways(&self) -> Vec<&str> {
        self.ready.gateways.iter().map(String::as_str).collect()
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The command that signals its processes, for a shell.
    pub fn signal_command(&self) -> String {
        let (program, folder) = (binary::frontdesk(), self.folder.path());
        format!("{} cluster signal --data {}", program.display(), folder.display())
    }

    /// Signals processes by their names: `kill`, `term`, `stop`, `cont`.
    pub fn signal(&self, signal: &str, names: &[&str]) {
        let mut command = Command::new(binary::frontdesk());
        command.args(["cluster", "signal", "--data"]).arg(self.folder.path()).arg(signal);
        let sent = command.args(names).output().expect("the program can be run");
        assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    }

    /// Its processes as they are now.
    pub fn members(&self) -> Vec<Member> {
        let text = std::fs::read_to_string(self.folder.path().join("processes.json"));
        serde_json::from_str(&text.expect("it is written at the start")).expect("a list")
    }

    /// One of them.
    pub fn member(&self, name: &str) -> Member {
        let found = self.members().into_iter().find(|member| member.name == name);
        found.unwrap_or_else(|| panic!("there is no {name}"))
    }

    /// Waits until a process runs under another id than before and is ready.
    pub async fn restarted(&self, before: &Member) {
        until(format!("{} is back", before.name), || async {
            let now = self.member(&before.name);
            let is_new = now.pid.is_some() && now.pid != before.pid;
            let health = now.health?;
            (is_new && is_ready(&health).await).then_some(())
        })
        .await;
    }

    /// SIGINT, as Ctrl-C; it must stop by itself.
    pub fn stop(mut self) {
        self.look_through_the_logs(self.fails);
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.is_ok_and(|s| s.success()), "it runs");
        let status = self.process.wait_exit(STOP);
        self.has_stopped = true;
        assert!(status.success(), "{status}:\n{}", self.process.printed());
        // All its parts have gone, in whatever order a busy machine let them.
        self.look_through_the_logs(true);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.has_stopped {
            return;
        }
        // A panic must not leave its processes behind: it stops them when it is
        // asked to. Fails only when it has ended already.
        let pid = self.process.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        if !std::thread::panicking() {
            let _ = self.process.wait_exit(STOP);
        } else {
            // What it takes at most to stop them all.
            std::thread::sleep(Duration::from_secs(10));
        }
    }
}

/// Whether a process says that it is ready.
pub(crate) async fn is_ready(health: &str) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect(health).await?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await?;
        let mut status = [0; 12];
        stream.read_exact(&mut status).await?;
        Ok::<_, std::io::Error>(status.ends_with(b"200"))
    };
    matches!(timeout(Duration::from_secs(2), asked).await, Ok(Ok(true)))
}
