//! The bytes of uploaded files. What a file is called and whom it belongs to is
//! in the desk's tables; who may read it is decided by the caller.

mod local;
mod moved;

pub(crate) use local::FILES;
pub use local::LocalAttachments;
pub use moved::MovedAttachments;

use crate::s3::S3Settings;
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::ids::{AttachmentId, SiteId};
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

/// Why bytes could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum AttachmentError {
    /// The store is away or full; try again.
    #[error("attachment store: {0}")]
    Unavailable(#[from] std::io::Error),
}

/// A stored file, read as it is sent on.
pub struct AttachmentBody {
    /// Bytes in all.
    pub size: u64,
    /// The bytes, in pieces; ends early only with an error.
    pub chunks: BoxStream<'static, std::io::Result<Bytes>>,
}

/// The `[attachments]` section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AttachmentsSettings {
    /// Have a cluster keep files in an object store; else they are in its database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3Settings>,
}

/// Where uploaded bytes lie.
#[async_trait]
pub trait AttachmentStore: Send + Sync + 'static {
    /// Stores a file whole or not at all; it is on stable storage when this
    /// returns. Storing an id again replaces the bytes. The caller limits the size.
    async fn put(
        &self,
        site: &SiteId,
        id: AttachmentId,
        bytes: Bytes,
    ) -> Result<(), AttachmentError>;

    /// Opens a file for reading; `None` when there is none of that site and id.
    async fn open(
        &self,
        site: &SiteId,
        id: AttachmentId,
    ) -> Result<Option<AttachmentBody>, AttachmentError>;

    /// Removes a file; harmless when there is none.
    async fn remove(&self, site: &SiteId, id: AttachmentId) -> Result<(), AttachmentError>;
}
