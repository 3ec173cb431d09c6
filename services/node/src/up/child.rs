//! One process of the cluster: started, started again when it ends, stopped.

use super::UpError;
use super::files::Files;
use super::layout::{Kind, Layout, Process};
use super::roster::{Namespace, ProcessState, Roster};
use frontdesk_telemetry::tasks;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a process may take to stop before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(30);
/// The longest one health check may take.
const HEALTH_DEADLINE: Duration = Duration::from_secs(1);
/// Bytes of an answer; a metrics page has some tens of thousands.
const MAX_ANSWER_BYTES: u64 = 4 * 1024 * 1024;

/// How to run a process.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    pub(super) name: String,
    pub(super) kind: &'static str,
    /// Those of a lower rank start first and stop last.
    pub(super) rank: u8,
    pub(super) program: PathBuf,
    pub(super) args: Vec<String>,
    /// Whom it runs as, when that is another user.
    pub(super) user: Option<(u32, u32)>,
    pub(super) log: PathBuf,
    pub(super) process: Option<Process>,
    /// Where it runs, when it has a network of its own.
    pub(super) namespace: Option<Namespace>,
    /// What asks it to stop in order.
    pub(super) stop: Signal,
}

impl Spec {
    /// A process of Frontdesk: this very program.
    pub(super) fn of_process(process: &Process, layout: &Layout, files: &Files) -> Self {
        let flag = |name: &str, value: String| [format!("--{name}"), value];
        let mut args = vec![process.kind.as_str().to_owned()];
        args.extend(flag("config", files.settings.display().to_string()));
        args.extend(flag("name", process.name.clone()));
        args.extend(flag("data", files.folder.join(&process.name).display().to_string()));
        args.extend(flag("internal-listen", process.internal.to_string()));
        args.extend(flag("health-listen", process.health.to_string()));
        if let Some(public) = process.public {
            args.extend(flag("listen", public.to_string()));
        }
        Self {
            name: process.name.clone(),
            kind: process.kind.as_str(),
            rank: 10 + process.kind as u8,
            program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("frontdesk")),
            args,
            user: None,
            log: files.log(&process.name),
            process: Some(process.clone()),
            namespace: layout.namespace(process.internal),
            stop: Signal::TERM,
        }
    }

    fn state(&self, pid: Option<u32>) -> ProcessState {
        let process = self.process.as_ref();
        ProcessState {
            name: self.name.clone(),
            kind: self.kind.to_owned(),
            pid: pid.and_then(|pid| i32::try_from(pid).ok()),
            internal: process.map(|p| p.internal.to_string()),
            health: process.map(|p| p.health.to_string()),
            public: process.and_then(|p| p.public).map(|address| address.to_string()),
            log: self.log.clone(),
            namespace: self.namespace.clone(),
        }
    }
}

/// A process that runs, and the task that looks after it.
pub(super) struct Child {
    spec: Spec,
    stop: CancellationToken,
    keeper: JoinHandle<()>,
}

impl Child {
    pub(super) fn start(
        spec: Spec,
        restart_delay: Duration,
        roster: Arc<Roster>,
    ) -> Result<Self, UpError> {
        let first = spawn(&spec)?;
        roster.note(spec.state(first.id()));
        let stop = CancellationToken::new();
        let keeper = keep(spec.clone(), first, restart_delay, roster, stop.clone());
        // Owned by the child and awaited in `stop`.
        let keeper = tasks::spawn("up.keeper", keeper);
        Ok(Self { spec, stop, keeper })
    }

    pub(super) fn name(&self) -> &str {
        &self.spec.name
    }

    pub(super) fn rank(&self) -> u8 {
        self.spec.rank
    }

    pub(super) fn log(&self) -> &Path {
        &self.spec.log
    }

    pub(super) fn health(&self) -> Option<SocketAddr> {
        self.spec.process.as_ref().map(|p| p.health)
    }

    /// Stops it in order, and waits.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.keeper.await {
            tracing::error!(%error, "a process was not looked after");
        }
    }
}

fn spawn(spec: &Spec) -> Result<tokio::process::Child, UpError> {
    let log = OpenOptions::new().create(true).append(true).open(&spec.log)?;
    let mut command = command(spec);
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        // Not told of Ctrl-C by the terminal: stopped in order instead.
        .process_group(0)
        .kill_on_drop(true);
    Ok(command.spawn()?)
}

/// The program with its arguments, as the user and in the network it is to have.
/// What leads it there becomes it: the process's id is the program's.
fn command(spec: &Spec) -> Command {
    let Some(namespace) = &spec.namespace else {
        let mut command = Command::new(&spec.program);
        if let Some((uid, gid)) = spec.user {
            command.uid(uid).gid(gid);
        }
        command.args(&spec.args);
        return command;
    };
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/run/netns/{}", namespace.name));
    if let Some((uid, gid)) = spec.user {
        command.arg(format!("--setuid={uid}")).arg(format!("--setgid={gid}"));
    }
    command.arg("--").arg(&spec.program).args(&spec.args);
    command
}

/// Starts it again whenever it ends, until it is to stop.
async fn keep(
    spec: Spec,
    mut child: tokio::process::Child,
    restart_delay: Duration,
    roster: Arc<Roster>,
    stop: CancellationToken,
) {
    let note = |pid| roster.note(spec.state(pid));
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            ended = child.wait() => {
                note(None);
                match ended {
                    Ok(status) => eprintln!("frontdesk: {} has ended ({status})", spec.name),
                    Err(error) => eprintln!("frontdesk: {} was lost: {error}", spec.name),
                }
            }
        }
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(restart_delay) => {}
            }
            match spawn(&spec) {
                Ok(again) => {
                    child = again;
                    note(child.id());
                    break;
                }
                Err(error) => eprintln!("frontdesk: {} could not be started: {error}", spec.name),
            }
        }
    }
    end(&spec, &mut child).await;
}

async fn end(spec: &Spec, child: &mut tokio::process::Child) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // Fails only when it has ended already. One that is stopped would not hear.
        let _ = kill_process(pid, Signal::CONT);
        let _ = kill_process(pid, spec.stop);
    }
    if tokio::time::timeout(STOP_WITHIN, child.wait()).await.is_err() {
        eprintln!("frontdesk: {} did not stop in time and is killed", spec.name);
        // Fails only when it has ended meanwhile.
        let _ = child.kill().await;
    }
}

/// Whether `/readyz` of a process says so.
pub(super) async fn is_ready(address: SocketAddr) -> bool {
    ask(address, "/readyz").await.is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// A metric without labels of a process.
pub(super) async fn metric(address: SocketAddr, name: &str) -> Option<f64> {
    let page = ask(address, "/metrics").await?;
    let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value?.trim().parse().ok()
}

/// A whole answer over plain HTTP.
async fn ask(address: SocketAddr, path: &str) -> Option<String> {
    let asked = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.take(MAX_ANSWER_BYTES).read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    tokio::time::timeout(HEALTH_DEADLINE, asked).await.ok()?.ok()
}

/// So that the kinds' order is their rank's.
const _: () = assert!(Kind::Presence as u8 == 0);
