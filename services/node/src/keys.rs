//! The keys that sign tokens: the one that is made at the first start, kept beside the
//! data, readable by its owner alone; or those of a file, which is followed.

mod list;

use frontdesk_gateway::{KeyError, KeyRing, Settings, TokenKey};
use frontdesk_telemetry::tasks;
use rand::TryRng as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

/// How often the file of keys is compared.
const EVERY: Duration = Duration::from_secs(5);
/// Bytes of it that are read: a hundred keys fit.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Bytes of an HS256 key: as long as the hash, per RFC 7518 §3.2.
const KEY_BYTES: usize = 32;
const FILE: &str = "token-key";

/// Why the keys of a file cannot be used. Says nothing of what is in it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysError {
    #[error("gateway.keys and gateway.keys_file are both set")]
    Both,
    #[error("gateway.keys_file: {file}: {source}")]
    File { file: String, source: io::Error },
    #[error(
        "gateway.keys_file: {0}: not a list of keys, such as [{{kid=\"2026-11\",secret=\"…\"}}]"
    )]
    Form(String),
    #[error("gateway.keys_file: {0}")]
    Key(#[from] KeyError),
}

/// Takes the keys from their file, when the settings name one.
pub(crate) fn resolve(settings: &mut Settings) -> Result<(), KeysError> {
    if let Some(path) = &settings.keys_file {
        if !settings.keys.is_empty() {
            return Err(KeysError::Both);
        }
        settings.keys = parse(path, &text(path)?)?;
    }
    Ok(())
}

fn text(path: &Path) -> Result<String, KeysError> {
    use io::Read as _;
    let read = || {
        let mut text = String::new();
        fs::File::open(path)?.take(MAX_FILE_BYTES).read_to_string(&mut text)?;
        Ok(text)
    };
    read().map_err(|source| KeysError::File { file: path.display().to_string(), source })
}

fn parse(path: &Path, text: &str) -> Result<Vec<TokenKey>, KeysError> {
    list::keys(text).ok_or_else(|| KeysError::Form(path.display().to_string()))
}

/// Follows a file of keys until it is dropped.
pub(crate) struct KeysTask(JoinHandle<()>);

impl Drop for KeysTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Has the gateway take the keys of the file whenever it has changed. Those in use stay
/// when the new ones are wrong.
pub(crate) fn follow(ring: KeyRing, settings: &Settings) -> Option<KeysTask> {
    let path = settings.keys_file.clone()?;
    let known = text(&path).unwrap_or_default();
    Some(KeysTask(tasks::spawn("gateway.keys", look(ring, path, known))))
}

async fn look(ring: KeyRing, path: PathBuf, mut known: String) {
    let mut looks = interval(EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = String::new();
    loop {
        looks.tick().await;
        match reload(&ring, &path, &known) {
            Ok(None) => {}
            Ok(Some(text)) => {
                tracing::info!(file = %path.display(), "new keys of tokens");
                known = text;
                told.clear();
            }
            // Once for each way in which they are wrong.
            Err(error) if error.to_string() == told => {}
            Err(error) => {
                tracing::error!(%error, "the keys of tokens stay: new ones cannot be used");
                told = error.to_string();
            }
        }
    }
}

/// The text that is in force from now on, when it is another one.
fn reload(ring: &KeyRing, path: &Path, known: &str) -> Result<Option<String>, KeysError> {
    let text = text(path)?;
    if text == known {
        return Ok(None);
    }
    ring.replace(&parse(path, &text)?)?;
    Ok(Some(text))
}

/// The key of this data folder, made when there is none.
pub(crate) fn load_or_make(data: &Path) -> io::Result<Vec<u8>> {
    let path = data.join(FILE);
    match fs::read(&path) {
        Ok(key) if key.len() == KEY_BYTES => Ok(key),
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{} is damaged: expected {KEY_BYTES} bytes", path.display()),
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(&path),
        Err(error) => Err(error),
    }
}

fn make(path: &Path) -> io::Result<Vec<u8>> {
    let mut key = vec![0; KEY_BYTES];
    rand::rngs::SysRng.try_fill_bytes(&mut key).map_err(io::Error::other)?;
    let temporary = path.with_extension("new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(&key)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn keys_come_from_a_file_and_what_is_wrong_is_said_without_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        let mut settings = Settings { keys_file: Some(file.clone()), ..Settings::default() };
        assert!(resolve(&mut settings).unwrap_err().to_string().contains("No such file"));
        fs::write(&file, "[{kid=\"a\",secret=\"c2VjcmV0\"},\n {kid=\"b\",secret=\"eA==\"}]\n")
            .unwrap();
        resolve(&mut settings).unwrap();
        let kids: Vec<&str> = settings.keys.iter().map(|key| key.kid.as_str()).collect();
        assert_eq!(kids, ["a", "b"]);
        assert!(matches!(resolve(&mut settings), Err(KeysError::Both)));
        settings.keys.clear();
        fs::write(&file, "[{kid=\"a\",secrt=\"c2VjcmV0\"}]").unwrap();
        let error = resolve(&mut settings).unwrap_err().to_string();
        assert!(!error.contains("c2VjcmV0") && !error.contains('\n'), "{error}");
    }

    #[test]
    fn the_key_is_made_once_and_is_private() {
        let folder = std::env::temp_dir().join(format!("frontdesk-keys-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let first = load_or_make(&folder).unwrap();
        assert_eq!(load_or_make(&folder).unwrap(), first);
        let mode = fs::metadata(folder.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(folder.join(FILE), b"short").unwrap();
        assert!(load_or_make(&folder).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
