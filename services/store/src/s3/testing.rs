//! An object store of a test's own: a small server that checks signatures, on a free port,
//! with its objects as files in a folder that goes away.

use super::settings::S3Settings;
use crate::test_folder::{TestFolder, free_port};
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The longest that a start may take on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// Where `tests/setup-s3.sh` puts the server, in the repository.
const PLACE: &str = "target/tools/nanio";
const PID: &str = "pid";
const BUCKET: &str = "frontdesk-files";
const KEY: &str = "FRONTDESKTESTS";
const SECRET: &str = "a/secret+of=tests";

/// A server with one bucket. Dropped, it is killed.
pub struct LocalS3 {
    folder: TestFolder,
    port: u16,
    server: Option<Child>,
}

impl LocalS3 {
    /// Starts it.
    pub fn start() -> io::Result<Self> {
        let folder = TestFolder::new(PID, "-KILL")?;
        fs::create_dir_all(folder.path().join("data").join(BUCKET))?;
        let mut server = Self { folder, port: free_port()?, server: None };
        server.start_again()?;
        Ok(server)
    }

    /// How its bucket is reached, with keys below a prefix.
    pub fn settings(&self, prefix: &str) -> S3Settings {
        S3Settings {
            endpoint: Some(format!("http://127.0.0.1:{}", self.port)),
            bucket: BUCKET.to_owned(),
            prefix: prefix.to_owned(),
            access_key_id: Some(KEY.to_owned()),
            secret_access_key: Some(SECRET.to_owned()),
            allow_http: true,
            ..Default::default()
        }
    }

    /// Keys and contents of all objects below a prefix, as they lie on the disk.
    pub fn objects(&self, prefix: &str) -> io::Result<Vec<(String, Vec<u8>)>> {
        let bucket = self.folder.path().join("data").join(BUCKET);
        let (mut found, mut folders) = (Vec::new(), vec![bucket.join(prefix)]);
        while let Some(folder) = folders.pop() {
            if !folder.is_dir() {
                continue;
            }
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                let key = path.strip_prefix(&bucket).unwrap_or(&path).display().to_string();
                // What the server itself keeps.
                if key.contains(".nanio") {
                } else if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push((key, fs::read(path)?));
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// Starts it on the same objects and port, and waits until it listens.
    pub fn start_again(&mut self) -> io::Result<()> {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let program = repository.join(PLACE);
        if !program.is_dir() {
            return Err(io::Error::other("no object store for tests: run tests/setup-s3.sh"));
        }
        let server = Command::new("python3")
            .args(["-m", "nanio", "serve", "--host", "127.0.0.1", "--no-access-log"])
            .args(["--log-level", "warning", "--port", &self.port.to_string(), "--data-dir"])
            .arg(self.folder.path().join("data"))
            .env("PYTHONPATH", program)
            .env("NANIO_ACCESS_KEY", KEY)
            .env("NANIO_SECRET_KEY", SECRET)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.folder.path().join("log"))?)
            .spawn()?;
        fs::write(self.folder.path().join(PID), format!("{}\n", server.id()))?;
        let server = self.server.insert(server);
        let give_up = Instant::now() + READY_WITHIN;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            if server.try_wait()?.is_some() || Instant::now() >= give_up {
                let log = fs::read_to_string(self.folder.path().join("log"))?;
                return Err(io::Error::other(format!("the object store does not start: {log}")));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Ends it at once, as a crash would; what was acknowledged stands.
    pub fn kill(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        // Fails only when it has ended already.
        let _ = server.kill();
        let _ = server.wait();
        // Its id may soon be another process's.
        let _ = fs::remove_file(self.folder.path().join(PID));
    }
}

impl Drop for LocalS3 {
    fn drop(&mut self) {
        self.kill();
    }
}
