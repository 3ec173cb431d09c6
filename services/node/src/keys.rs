//! The key that signs tokens: made at the first start, kept beside the data,
//! readable by its owner alone.

use rand::TryRng as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Bytes of an HS256 key: as long as the hash, per RFC 7518 §3.2.
const KEY_BYTES: usize = 32;
const FILE: &str = "token-key";

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
