//! A PostgreSQL of a test's own: real, on a free port, with its files in a folder
//! that goes away.

use crate::test_folder::{TestFolder, free_port};
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The longest that a start may take on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// Whom it runs as when the test is root's: PostgreSQL refuses to run as root.
const NOBODY: u32 = 65_534;

/// Who gets in by TLS; nobody without.
const ONLY_TLS: &str = "\
hostssl all certified 127.0.0.1/32 cert
hostssl all secretive 127.0.0.1/32 scram-sha-256
hostssl all all 127.0.0.1/32 trust
";
const WITH_TLS: &[&str] = &["-c", "ssl=on", "-c", "ssl_ca_file=ca.crt"];

/// A server. Dropped, it is killed.
pub struct LocalPostgres {
    folder: TestFolder,
    port: u16,
    tls: bool,
    server: Option<Child>,
}

impl LocalPostgres {
    /// Makes a database cluster and starts it.
    pub fn start() -> io::Result<Self> {
        Self::start_with(None)
    }

    /// The same, with TLS and nothing else: user `certified` must show a certificate of
    /// the authority, and `secretive` has to know its password, by SCRAM.
    pub fn start_tls(cert: &str, key: &str, ca: &str) -> io::Result<Self> {
        Self::start_with(Some([("server.crt", cert), ("server.key", key), ("ca.crt", ca)]))
    }

    fn start_with(tls: Option<[(&str, &str); 3]>) -> io::Result<Self> {
        let folder = TestFolder::new("data/postmaster.pid", "-QUIT")?;
        let files = folder.path().join("data");
        fs::create_dir(&files)?;
        if is_root() {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711))?;
            chown(&files, Some(NOBODY), Some(NOBODY))?;
        }
        let made = program("initdb")
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N", "-D"])
            .arg(&files)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        if !made.success() {
            return Err(io::Error::other(format!("initdb: {made}")));
        }
        for (name, pem) in tls.iter().flatten() {
            let file = files.join(name);
            fs::write(&file, pem)?;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
            if is_root() {
                chown(&file, Some(NOBODY), Some(NOBODY))?;
            }
        }
        if tls.is_some() {
            fs::write(files.join("pg_hba.conf"), ONLY_TLS)?;
        }
        let tls = tls.is_some();
        let mut server = Self { folder, port: free_port()?, tls, server: None };
        server.start_again()?;
        Ok(server)
    }

    /// Where a database of this server is; make it with `CREATE DATABASE` first,
    /// except for `postgres`.
    pub fn url(&self, database: &str) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Starts it on the same files and port, and waits until it listens.
    pub fn start_again(&mut self) -> io::Result<()> {
        let files = self.folder.path().join("data");
        let server = program("postgres")
            .arg("-D")
            .arg(&files)
            .args(["-p", &self.port.to_string(), "-h", "127.0.0.1", "-k", ""])
            .args(["-c", "max_connections=200"])
            .args(if self.tls { WITH_TLS } else { &[] })
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.folder.path().join("log"))?)
            .spawn()?;
        self.server = Some(server);
        let give_up = Instant::now() + READY_WITHIN;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            if Instant::now() >= give_up {
                return Err(io::Error::from(io::ErrorKind::TimedOut));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Ends it at once, as a crash would; what was committed stands.
    pub fn kill(&mut self) {
        // SIGQUIT is PostgreSQL's immediate shutdown: all of its processes end
        // without writing anything more.
        self.end("-QUIT");
    }

    /// Ends it in order.
    pub fn stop(&mut self) {
        self.end("-INT");
    }

    fn end(&mut self, signal: &str) {
        let Some(mut server) = self.server.take() else { return };
        // Fails only when it has ended already.
        let _ = Command::new("kill").arg(signal).arg(server.id().to_string()).status();
        let _ = server.wait();
    }
}

impl Drop for LocalPostgres {
    fn drop(&mut self) {
        self.kill();
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// A program of PostgreSQL, as a user it agrees to run as.
pub(super) fn program(name: &str) -> Command {
    let mut command = Command::new(find(name));
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// On the path, else where Debian keeps them.
fn find(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join(name));
    let kept = fs::read_dir(Path::new("/usr/lib/postgresql")).into_iter().flatten().flatten();
    let kept = kept.map(|version| version.path().join("bin").join(name));
    on_path.chain(kept).find(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(name))
}
