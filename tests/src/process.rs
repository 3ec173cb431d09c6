//! One child process with its output captured, ended when it is dropped.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Lines of output that are kept for the report of a failure.
const KEPT_LINES: usize = 400;
/// Lines of standard output that may wait for the test to read them.
const WAITING_LINES: usize = 10_000;
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What a process has printed last, both streams interleaved.
#[derive(Debug, Default)]
struct Printed {
    lines: Mutex<VecDeque<String>>,
}

impl Printed {
    fn lock(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: String) {
        let mut lines = self.lock();
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

/// A running program. Dropping it ends the program by its process id and, when
/// the test is failing, prints what the program said last.
#[derive(Debug)]
pub struct Process {
    child: Child,
    printed: Arc<Printed>,
    readers: Vec<JoinHandle<()>>,
    stdout: mpsc::Receiver<String>,
}

impl Process {
    /// Starts a program, with a pipe for its standard input.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {command:?}: {e}"));
        let printed = Arc::new(Printed::default());
        let (lines, stdout) = mpsc::channel(WAITING_LINES);
        let out = child.stdout.take().expect("standard output is piped");
        let err = child.stderr.take().expect("standard error is piped");
        let readers = vec![
            read("out", out, printed.clone(), Some(lines)),
            read("err", err, printed.clone(), None),
        ];
        Self { child, printed, readers, stdout }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line of standard output; `None` after the last one.
    pub async fn line(&mut self) -> Option<String> {
        self.stdout.recv().await
    }

    /// Takes the end of the pipe to its standard input.
    pub fn take_stdin(&mut self) -> std::process::ChildStdin {
        self.child.stdin.take().expect("standard input is taken once")
    }

    /// SIGKILL: no chance to tidy up.
    pub fn kill(&mut self) {
        // Fails only when the program has ended already, which is the aim.
        let _ = self.child.kill();
        self.wait_exit(Duration::from_secs(10));
    }

    /// SIGTERM; waits for the end, which must come within `limit`.
    pub fn terminate(&mut self, limit: Duration) -> ExitStatus {
        let id = self.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status();
        assert!(sent.is_ok_and(|s| s.success()), "cannot signal process {id}");
        self.wait_exit(limit)
    }

    /// Waits for the end; panics when it does not come within `limit`.
    pub fn wait_exit(&mut self, limit: Duration) -> ExitStatus {
        let end = Instant::now() + limit;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => {
                    self.readers.drain(..).for_each(|r| r.join().expect("readers do not panic"));
                    return status;
                }
                Ok(None) => assert!(Instant::now() < end, "process {} goes on", self.id()),
                Err(error) => panic!("cannot wait for process {}: {error}", self.id()),
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// What it printed last, both streams, oldest line first.
    pub fn printed(&self) -> String {
        self.printed.lock().iter().map(|line| format!("{line}\n")).collect()
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let path = format!("/proc/{}/status", self.id());
        let status = std::fs::read_to_string(&path).expect("the process runs");
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
        let kib = line.and_then(|l| l.trim().strip_suffix(" kB")).and_then(|n| n.parse().ok());
        kib.map(|kib: u64| kib * 1024).expect("the system tells the resident size")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        if thread::panicking() {
            eprintln!("---- what process {} printed last ----\n{}", self.id(), self.printed());
        }
    }
}

/// A thread that reads one stream to its end.
fn read(
    name: &'static str,
    stream: impl Read + Send + 'static,
    printed: Arc<Printed>,
    lines: Option<mpsc::Sender<String>>,
) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            if let Some(lines) = &lines {
                // A test that does not read so many lines does not miss them.
                let _ = lines.try_send(line.clone());
            }
            printed.add(format!("{name} {line}"));
        }
    })
}
