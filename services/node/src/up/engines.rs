//! PostgreSQL and Redis from the machine's own programs, with their files in the
//! cluster's folder and a password of their own.

use super::UpError;
use super::child::Spec;
use super::files::{Files, write_private};
use super::layout::Layout;
use super::postgres_settings;
use frontdesk_store::postgres::PostgresDesk;
use rustix::process::Signal;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

/// Where distributions keep PostgreSQL's programs when they are not on the path.
const POSTGRES_FOLDERS: [&str; 2] = ["/usr/lib/postgresql", "/usr/local/pgsql"];
/// Before the database is tried again.
const RETRY: Duration = Duration::from_millis(200);
/// Users that PostgreSQL may run as when this process is root's, by preference.
const USERS: [&str; 2] = ["postgres", "nobody"];

/// Makes the database's files when there are none.
pub(super) async fn initialise(files: &Files) -> Result<(), UpError> {
    let folder = files.folder.join("postgres");
    fs::create_dir_all(files.folder.join("redis"))?;
    if folder.join("PG_VERSION").exists() {
        return Ok(());
    }
    fs::create_dir_all(&folder)?;
    let password = folder.with_extension("password");
    write_private(&password, &files.password)?;
    let mut initdb = Command::new(program("initdb"));
    initdb.arg("-D").arg(&folder).args(["-U", "frontdesk", "-A", "scram-sha-256"]);
    initdb.arg(format!("--pwfile={}", password.display()));
    initdb.args(["-E", "UTF8", "--locale=C", "--no-instructions"]);
    if let Some((uid, gid)) = other_user() {
        // The other user must be able to come by, and own what is its own.
        fs::set_permissions(&files.folder, fs::Permissions::from_mode(0o711))?;
        chown(&folder, Some(uid), Some(gid))?;
        chown(&password, Some(uid), Some(gid))?;
        initdb.uid(uid).gid(gid);
    }
    let made = initdb.output().await;
    fs::remove_file(&password)?;
    let made = made.map_err(|source| UpError::Program {
        program: "initdb",
        package: "PostgreSQL 15 or later",
        source,
    })?;
    if made.status.success() {
        // By the same password from processes in networks of their own.
        let mut rules = OpenOptions::new().append(true).open(folder.join("pg_hba.conf"))?;
        return Ok(rules.write_all(b"host all all samenet scram-sha-256\n")?);
    }
    let said = String::from_utf8_lossy(&made.stderr).trim().replace('\n', "; ");
    let hint = match other_user() {
        Some((uid, _)) if said.contains("Permission denied") => {
            format!(" (it runs as user {uid}, who must be able to pass the folders above)")
        }
        _ => String::new(),
    };
    Err(UpError::Settings(format!("initdb: {said}{hint}")))
}

/// How the engines are run.
pub(super) fn specs(layout: &Layout, files: &Files) -> [Spec; 2] {
    [postgres(layout, files), redis(layout, files)]
}

fn postgres(layout: &Layout, files: &Files) -> Spec {
    let folder = files.folder.join("postgres");
    let set = |key: &str, value: String| ["-c".to_owned(), format!("{key}={value}")];
    let mut args = vec!["-D".to_owned(), folder.display().to_string()];
    args.extend(set("port", layout.postgres.port().to_string()));
    args.extend(set("listen_addresses", layout.postgres.ip().to_string()));
    args.extend(set("unix_socket_directories", String::new()));
    args.extend(set("max_connections", "200".into()));
    args.extend(set("shared_buffers", "128MB".into()));
    Spec {
        name: "postgres".into(),
        kind: "postgres",
        rank: 0,
        program: program("postgres"),
        args,
        user: other_user(),
        log: files.log("postgres"),
        process: None,
        namespace: layout.namespace(layout.postgres),
        // "Fast": connections are cut, nothing is lost.
        stop: Signal::INT,
    }
}

fn redis(layout: &Layout, files: &Files) -> Spec {
    let mut args = Vec::new();
    let mut set = |key: &str, value: String| args.extend([format!("--{key}"), value]);
    set("port", layout.redis.port().to_string());
    set("bind", layout.redis.ip().to_string());
    set("dir", files.folder.join("redis").display().to_string());
    set("save", String::new());
    set("appendonly", "no".into());
    set("requirepass", files.password.clone());
    Spec {
        name: "redis".into(),
        kind: "redis",
        rank: 0,
        program: PathBuf::from("redis-server"),
        args,
        user: None,
        log: files.log("redis"),
        process: None,
        namespace: layout.namespace(layout.redis),
        stop: Signal::TERM,
    }
}

/// The desk's tables, once the database answers.
pub(super) async fn desk_store(
    layout: &Layout,
    files: &Files,
    within: Duration,
) -> Result<PostgresDesk, UpError> {
    let settings = postgres_settings(files.postgres_url(layout));
    let give_up = Instant::now() + within;
    loop {
        match PostgresDesk::open(&settings).await {
            Ok(desk) => return Ok(desk),
            Err(error) if Instant::now() >= give_up => return Err(error.into()),
            Err(_) => sleep(RETRY).await,
        }
    }
}

/// A program of PostgreSQL: on the path, else the newest where distributions keep
/// them.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join(name));
    let kept = POSTGRES_FOLDERS.iter().flat_map(|folder| versions(Path::new(folder)));
    let mut candidates = on_path.chain(kept.map(|version| version.join("bin").join(name)));
    candidates.find(|program| program.is_file()).unwrap_or_else(|| PathBuf::from(name))
}

/// Folders in a folder, the highest number first.
fn versions(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    versions.sort_by_key(|path| {
        let number = path.file_name().and_then(|name| name.to_str()).and_then(|n| n.parse().ok());
        std::cmp::Reverse(number.unwrap_or(0_u32))
    });
    versions
}

/// PostgreSQL refuses to run as root: whom it runs as then.
fn other_user() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    USERS.iter().find_map(|name| {
        let mut fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let user = fields.find(|fields| fields.first() == Some(name))?;
        Some((user.get(2)?.parse().ok()?, user.get(3)?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        for version in ["9", "15", "16", "notes"] {
            fs::create_dir(folder.path().join(version)).unwrap();
        }
        let first = versions(folder.path()).into_iter().next();
        assert_eq!(first, Some(folder.path().join("16")));
    }
}
