//! Files and folders that only their owner may read, durably.

use super::manifest::{self, Listed};
use super::{BackupError, of_file};
use sha2::{Digest as _, Sha256};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

/// Bytes copied at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// A folder that is being written beside its place; removed unless it is finished.
pub(super) struct Unfinished {
    path: PathBuf,
    place: PathBuf,
}

impl Unfinished {
    /// Begins one for `place`.
    pub(super) fn begin(place: &Path) -> Result<Self, BackupError> {
        let name = place.file_name().ok_or_else(|| BackupError::Usage {
            path: place.to_owned(),
            why: "is no name for a folder",
        })?;
        let mut name = name.to_owned();
        name.push(".partial");
        let path = place.with_file_name(name);
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => Ok(Self { path, place: place.to_owned() }),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Err(BackupError::Usage {
                path,
                why: "is left over from one that was not finished: remove it first",
            }),
            Err(e) => Err(of_file(&path)(e)),
        }
    }

    /// Where to write.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts it in its place, whole. The place is free, or an empty folder.
    pub(super) fn finish(self) -> Result<(), BackupError> {
        sync_folders(&self.path).map_err(of_file(&self.path))?;
        fs::rename(&self.path, &self.place).map_err(of_file(&self.place))?;
        let above = self.place.parent().filter(|p| !p.as_os_str().is_empty());
        let above = above.unwrap_or(Path::new("."));
        File::open(above).and_then(|f| f.sync_all()).map_err(of_file(above))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Once finished it is not there any more.
        if let Err(e) = fs::remove_dir_all(&self.path)
            && e.kind() != ErrorKind::NotFound
        {
            tracing::warn!(path = %self.path.display(), error = %e, "cannot be removed");
        }
    }
}

fn sync_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    File::open(folder)?.sync_all()
}

/// Creates a file for its owner alone; refuses to write over one.
pub(super) fn create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Copies a file; `false` when it has gone.
pub(super) fn copy(from: &Path, to: &Path) -> Result<bool, BackupError> {
    let mut source = match File::open(from) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(of_file(from)(e)),
    };
    let mut target = create(to).map_err(of_file(to))?;
    io::copy(&mut source, &mut target).map_err(of_file(to))?;
    target.sync_all().map_err(of_file(to))?;
    Ok(true)
}

/// Writes a whole file.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    let mut file = create(path).map_err(of_file(path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(of_file(path))
}

/// Every file of a backup but its manifest, by path.
pub(super) fn list(backup: &Path) -> Result<Vec<Listed>, BackupError> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let here = backup.join(&folder);
        for entry in fs::read_dir(&here).map_err(of_file(&here))? {
            let entry = entry.map_err(of_file(&here))?;
            let (path, kind) = (folder.join(entry.file_name()), entry.file_type());
            let kind = kind.map_err(of_file(&entry.path()))?;
            if kind.is_dir() {
                folders.push(path);
            } else if !kind.is_file() {
                return Err(BackupError::damaged(&entry.path(), "is neither a file nor a folder"));
            } else if path != Path::new(manifest::FILE) {
                files.push(listed(backup, &path)?);
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn listed(backup: &Path, path: &Path) -> Result<Listed, BackupError> {
    let whole = backup.join(path);
    let name = path.to_str().filter(|_| is_inside(path));
    let name = name.ok_or_else(|| BackupError::damaged(&whole, "has a name of another kind"))?;
    let (bytes, sha256) = digest(&whole).map_err(of_file(&whole))?;
    Ok(Listed { path: name.to_owned(), bytes, sha256 })
}

fn is_inside(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_)))
}

fn digest(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let (mut hash, mut length) = (Sha256::new(), 0);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = file.read(&mut chunk)?;
        let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        hash.update(bytes);
        length += read as u64;
    }
    let hex = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((length, hex))
}
