//! The files themselves: an object each, put whole by one request, so that a key always
//! stands for all of a file's bytes.

use super::settings::{S3Error, S3Settings};
use super::target::Target;
use crate::attachments::{AttachmentBody, AttachmentError, AttachmentStore};
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::ids::{AttachmentId, SiteId};
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt as _};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The longest a file takes up, with all attempts; gateways wait 60 s.
const PUT: Duration = Duration::from_secs(55);
/// The longest until a file begins to come down, with all attempts.
const OPEN: Duration = Duration::from_secs(20);
/// The longest a removal takes, with all attempts; gateways wait 5 s.
const REMOVE: Duration = Duration::from_millis(4_500);
/// Files that go up or come down at the same time.
const TRANSFERS: usize = 32;
/// The folder within the prefix, as of a local folder: so the one can be copied into
/// the other.
const FILES: &str = "files";

/// See the module. Any number of processes may have one.
pub struct S3Attachments {
    target: Target,
    transfers: Arc<Semaphore>,
}

impl S3Attachments {
    /// Asks nobody: an object store that is away stops no start.
    pub fn open(settings: &S3Settings) -> Result<Self, S3Error> {
        Ok(Self { target: Target::new(settings)?, transfers: Arc::new(Semaphore::new(TRANSFERS)) })
    }

    /// Spread by the id's last, random byte: stores divide their keys by how they begin.
    fn key(&self, site: &SiteId, id: AttachmentId) -> Path {
        let spread = format!("{:02x}", id.as_bytes()[15]);
        self.target.key([FILES, site.as_str(), &spread, &id.to_string()])
    }

    async fn turn(&self) -> io::Result<OwnedSemaphorePermit> {
        self.transfers.clone().acquire_owned().await.map_err(io::Error::other)
    }
}

/// One answer of a whole operation, within its time.
async fn within<T>(
    limit: Duration,
    operation: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    match timeout(limit, operation).await {
        Ok(result) => result,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time")),
    }
}

/// Whether the store says that there is no such file: not that there is no bucket, nor
/// anybody else that nothing is there.
pub(super) fn is_absent(error: &Error) -> bool {
    matches!(error, Error::NotFound { .. }) && code(error).as_deref() == Some("NoSuchKey")
}

/// The word by which the store refuses, such as `AccessDenied`.
pub(super) fn code(error: &Error) -> Option<String> {
    let text = error.to_string();
    let (_, rest) = text.split_once("<Code>")?;
    rest.split_once("</Code>").map(|(code, _)| code.to_owned())
}

#[async_trait]
impl AttachmentStore for S3Attachments {
    async fn put(
        &self,
        site: &SiteId,
        id: AttachmentId,
        bytes: Bytes,
    ) -> Result<(), AttachmentError> {
        let key = self.key(site, id);
        let put = within(PUT, async {
            let _turn = self.turn().await?;
            self.target.store.put(&key, bytes.into()).await.map_err(io::Error::other)
        });
        put.await?;
        Ok(())
    }

    async fn open(
        &self,
        site: &SiteId,
        id: AttachmentId,
    ) -> Result<Option<AttachmentBody>, AttachmentError> {
        let key = self.key(site, id);
        let opened = within(OPEN, async {
            let turn = self.turn().await?;
            match self.target.store.get(&key).await {
                Ok(found) => Ok(Some((found, turn))),
                Err(error) if is_absent(&error) => Ok(None),
                Err(error) => Err(io::Error::other(error)),
            }
        });
        let Some((found, turn)) = opened.await? else { return Ok(None) };
        let size = found.meta.size;
        let chunks = found.into_stream().map_err(io::Error::other);
        // The turn ends with the last piece.
        let chunks = chunks.inspect(move |_| _ = &turn).boxed();
        Ok(Some(AttachmentBody { size, chunks }))
    }

    async fn remove(&self, site: &SiteId, id: AttachmentId) -> Result<(), AttachmentError> {
        let key = self.key(site, id);
        let removed = within(REMOVE, async {
            match self.target.store.delete(&key).await {
                Err(error) if !is_absent(&error) => Err(io::Error::other(error)),
                _ => Ok(()),
            }
        });
        removed.await?;
        Ok(())
    }
}
