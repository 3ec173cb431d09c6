//! The data folder: one process at a time, which the kernel enforces and undoes
//! even when that process dies.

use super::error::OpenError;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Name of the file whose lock stands for the folder.
const LOCK_FILE: &str = "lock";

/// A data folder that this process has for itself, until the last clone and the
/// last journal or desk opened in it are gone.
#[derive(Debug, Clone)]
pub struct DataFolder(Arc<Held>);

#[derive(Debug)]
struct Held {
    path: PathBuf,
    /// Closing it gives the lock back.
    _lock: File,
}

impl DataFolder {
    /// Creates the folder if need be and takes it.
    ///
    /// # Errors
    /// `InUse` when another process has it, `Folder` when it cannot be written.
    pub fn lock(path: impl Into<PathBuf>) -> Result<Self, OpenError> {
        let path = path.into();
        let failed = |source| OpenError::Folder { path: path.clone(), source };
        std::fs::create_dir_all(&path).map_err(failed)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK_FILE))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self(Arc::new(Held { path, _lock: lock }))),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path }),
            Err(TryLockError::Error(source)) => Err(OpenError::Folder { path, source }),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_holder() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a/b");
        let first = DataFolder::lock(&path).unwrap();
        let second = DataFolder::lock(&path).unwrap_err();
        assert!(matches!(&second, OpenError::InUse { .. }));
        assert!(second.to_string().contains("in use by another process"), "{second}");
        drop(first);
        DataFolder::lock(&path).unwrap();
    }
}
