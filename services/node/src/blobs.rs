//! The gateway's view of stored files.

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use frontdesk_core::ids::{AttachmentId, SiteId};
use frontdesk_gateway::AttachmentBlobs;
use frontdesk_proto::api::ApiError;
use frontdesk_store::attachments::AttachmentStore;
use futures::TryStreamExt as _;

pub(crate) struct Blobs<S>(S);

impl<S: AttachmentStore> Blobs<S> {
    pub(crate) fn new(store: S) -> Self {
        Self(store)
    }
}

fn unavailable(error: impl std::fmt::Display) -> ApiError {
    ApiError::unavailable(error.to_string())
}

#[async_trait]
impl<S: AttachmentStore> AttachmentBlobs for Blobs<S> {
    async fn put(&self, site: &SiteId, id: AttachmentId, bytes: Bytes) -> Result<(), ApiError> {
        self.0.put(site, id, bytes).await.map_err(unavailable)
    }

    async fn get(&self, site: &SiteId, id: AttachmentId) -> Result<Option<Bytes>, ApiError> {
        let Some(body) = self.0.open(site, id).await.map_err(unavailable)? else {
            return Ok(None);
        };
        let all: BytesMut = body.chunks.try_collect().await.map_err(unavailable)?;
        Ok(Some(all.freeze()))
    }

    async fn delete(&self, site: &SiteId, id: AttachmentId) -> Result<(), ApiError> {
        self.0.remove(site, id).await.map_err(unavailable)
    }
}
