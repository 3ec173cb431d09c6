//! The folder of an engine that a test runs: it goes away, and the engine with it, also
//! when the test's process ends without stopping it, for which a shell waits.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Outlives this process by a moment: its input ends with this process, and then
/// it ends the engine and removes the folder.
const KEEPER: &str = r#"cat >/dev/null
read -r pid <"$0/$1" 2>/dev/null && kill "$2" "$pid" 2>/dev/null
rm -rf "$0""#;

/// See the module.
pub(crate) struct TestFolder {
    path: PathBuf,
    keeper: Child,
}

impl TestFolder {
    /// A new one, in which `pid_file` has the engine's process id while it runs; `signal`
    /// ends it.
    pub(crate) fn new(pid_file: &str, signal: &str) -> io::Result<Self> {
        let path = tempfile::tempdir()?.keep();
        let keeper = Command::new("sh")
            .args(["-c", KEEPER])
            .arg(&path)
            .args([pid_file, signal])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A test that is interrupted takes its group with it.
            .process_group(0)
            .spawn()?;
        Ok(Self { path, keeper })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        // The keeper removes the folder.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// A port of this machine that was free a moment ago.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
