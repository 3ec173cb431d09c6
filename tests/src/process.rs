//! One child process with its output captured, ended when it is dropped.

use crate::logs;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Lines of output that are kept: all of a server that logs everything for a short test.
const KEPT_LINES: usize = 50_000;
/// Those of them that are part of the report of a failure.
const REPORTED_LINES: usize = 400;
/// Warnings and errors that are kept; more fail the test in any case.
const KEPT_ALARMS: usize = 1_000;
/// Lines of standard output that may wait for the test to read them.
const WAITING_LINES: usize = 10_000;
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What a process has printed last, both streams interleaved.
#[derive(Debug, Default)]
struct Printed {
    lines: Mutex<VecDeque<String>>,
    alarms: Mutex<Vec<String>>,
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

    fn alarms(&self) -> MutexGuard<'_, Vec<String>> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_alarm(&self, line: &str) {
        let mut alarms = self.alarms();
        if logs::is_alarm(line) && alarms.len() < KEPT_ALARMS {
            alarms.push(line.to_owned());
        }
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
    /// Those it talks to come, go and fail: its log may say so.
    others_may_fail: bool,
    expected: Vec<String>,
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
        Self { child, printed, readers, stdout, others_may_fail: false, expected: vec![] }
    }

    /// The same, of a process whose peers will come, go and fail: its log may tell what
    /// that comes to.
    pub fn others_may_fail(mut self) -> Self {
        self.others_may_fail = true;
        self
    }

    /// A warning or an error that its test brings about, by a part of its line.
    pub fn expects(mut self, text: &str) -> Self {
        self.expected.push(text.to_owned());
        self
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
        let lines = self.printed.lock();
        let spare = lines.len().saturating_sub(REPORTED_LINES);
        lines.iter().skip(spare).map(|line| format!("{line}\n")).collect()
    }

    /// All that it printed, as far as it is kept.
    pub fn lines(&self) -> Vec<String> {
        self.printed.lock().iter().cloned().collect()
    }

    /// Warnings, errors and panics that it has logged, and forgets them.
    pub fn take_alarms(&self) -> Vec<String> {
        std::mem::take(&mut self.printed.alarms())
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
        if !thread::panicking() {
            // Whoever expects others has taken them.
            let unlisted = match self.others_may_fail {
                true => logs::unlisted_among_others(self.take_alarms(), true, &self.expected),
                false => logs::unlisted(self.take_alarms(), &self.expected),
            };
            assert!(unlisted.is_empty(), "nobody expects in the log:\n  {}", unlisted.join("\n  "));
        } else {
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
            if name == "err" {
                printed.note_alarm(&line);
            }
            printed.add(format!("{name} {line}"));
        }
    })
}
