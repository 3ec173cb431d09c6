//! Uploaded files in a local folder.
//!
//! Paths are made from ids alone, never from what a person typed. A file is
//! written beside its place, synced and renamed, so that a name always stands
//! for all of its bytes.

use super::{AttachmentBody, AttachmentError, AttachmentStore};
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::ids::{AttachmentId, SiteId};
use futures::StreamExt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use tokio_util::io::ReaderStream;
use uuid::Uuid;

/// Bytes read at a time: one download holds no more than this in memory.
const CHUNK_BYTES: usize = 64 * 1024;
/// Folder of files that are being written.
const UNFINISHED: &str = "unfinished";
/// Folder of files that are whole.
pub(crate) const FILES: &str = "files";

/// A local folder with uploaded files.
#[derive(Debug, Clone)]
pub struct LocalAttachments {
    root: PathBuf,
}

impl LocalAttachments {
    /// Opens or creates the folder and removes what was being written when the
    /// last process ended. The folder must belong to this process alone.
    pub fn open(root: impl Into<PathBuf>) -> io::Result<Self> {
        let root = root.into();
        let unfinished = root.join(UNFINISHED);
        match fs::remove_dir_all(&unfinished) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        fs::create_dir_all(&unfinished)?;
        fs::create_dir_all(root.join(FILES))?;
        Ok(Self { root })
    }

    /// Spread over 256 folders per site by the id's last, random byte.
    fn place(&self, site: &SiteId, id: AttachmentId) -> PathBuf {
        let spread = format!("{:02x}", id.as_bytes()[15]);
        self.root.join(FILES).join(site.as_str()).join(spread).join(id.to_string())
    }

    fn unfinished(&self) -> PathBuf {
        self.root.join(UNFINISHED).join(Uuid::now_v7().to_string())
    }
}

#[async_trait]
impl AttachmentStore for LocalAttachments {
    async fn put(
        &self,
        site: &SiteId,
        id: AttachmentId,
        bytes: Bytes,
    ) -> Result<(), AttachmentError> {
        let (unfinished, place) = (self.unfinished(), self.place(site, id));
        let written = tokio::task::spawn_blocking(move || store(&unfinished, &place, &bytes));
        written.await.map_err(io::Error::other)??;
        Ok(())
    }

    async fn open(
        &self,
        site: &SiteId,
        id: AttachmentId,
    ) -> Result<Option<AttachmentBody>, AttachmentError> {
        let file = match tokio::fs::File::open(self.place(site, id)).await {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        let size = file.metadata().await?.len();
        let chunks = ReaderStream::with_capacity(file, CHUNK_BYTES).boxed();
        Ok(Some(AttachmentBody { size, chunks }))
    }

    async fn remove(&self, site: &SiteId, id: AttachmentId) -> Result<(), AttachmentError> {
        match tokio::fs::remove_file(self.place(site, id)).await {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(e.into()),
            _ => Ok(()),
        }
    }
}

fn store(unfinished: &Path, place: &Path, bytes: &[u8]) -> io::Result<()> {
    let stored = write_and_rename(unfinished, place, bytes);
    if stored.is_err() {
        // It may not exist; if it stays, the next start removes it.
        let _ = fs::remove_file(unfinished);
    }
    stored
}

fn write_and_rename(unfinished: &Path, place: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = place.parent().unwrap_or(place);
    let mut file = File::create_new(unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    create_folder(folder)?;
    fs::rename(unfinished, place)?;
    sync_folder(folder)
}

/// Creates a folder and those above it, each durably.
fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        create_folder(parent)?;
    }
    match fs::create_dir(folder) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(e),
        _ => {}
    }
    folder.parent().map_or(Ok(()), sync_folder)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::attachments::AttachmentsSubject;
    use std::sync::Arc;
    use tempfile::TempDir;

    struct InFolder {
        temp: TempDir,
        store: Arc<LocalAttachments>,
    }

    impl InFolder {
        fn new() -> Self {
            let temp = tempfile::tempdir().unwrap();
            let store = Arc::new(LocalAttachments::open(temp.path().join("a")).unwrap());
            Self { temp, store }
        }
    }

    #[async_trait]
    impl AttachmentsSubject for InFolder {
        fn store(&self) -> Arc<dyn AttachmentStore> {
            self.store.clone()
        }

        async fn reopen(&mut self) {
            self.store = Arc::new(LocalAttachments::open(self.temp.path().join("a")).unwrap());
        }
    }

    crate::attachments_conformance!(InFolder::new());

    #[tokio::test]
    async fn a_failed_put_leaves_nothing_and_unfinished_files_go_at_the_next_start() {
        let temp = tempfile::tempdir().unwrap();
        let store = LocalAttachments::open(temp.path()).unwrap();
        fs::write(temp.path().join(FILES).join("one"), "in the way").unwrap();
        let (site, id) = ("one".parse().unwrap(), AttachmentId::from_uuid(Uuid::from_u128(1)));
        assert!(store.put(&site, id, Bytes::from_static(b"x")).await.is_err());
        let unfinished = temp.path().join(UNFINISHED);
        assert_eq!(fs::read_dir(&unfinished).unwrap().count(), 0);
        fs::write(unfinished.join("left"), "over").unwrap();
        LocalAttachments::open(temp.path()).unwrap();
        assert_eq!(fs::read_dir(&unfinished).unwrap().count(), 0);
    }
}
