//! The gateway's view of stored files. People are told that the store is away; where it is
//! and what it said is for the log.

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use frontdesk_core::ids::{AttachmentId, SiteId};
use frontdesk_gateway::AttachmentBlobs;
use frontdesk_proto::api::ApiError;
use frontdesk_store::attachments::{AttachmentError, AttachmentStore};
use futures::TryStreamExt as _;
use metrics::{counter, histogram};
use std::time::Instant;

pub(crate) struct Blobs<S>(S);

impl<S: AttachmentStore> Blobs<S> {
    pub(crate) fn new(store: S) -> Self {
        Self(store)
    }

    async fn read(
        &self,
        site: &SiteId,
        id: AttachmentId,
    ) -> Result<Option<Bytes>, AttachmentError> {
        let Some(body) = self.0.open(site, id).await? else { return Ok(None) };
        let all: BytesMut = body.chunks.try_collect().await?;
        Ok(Some(all.freeze()))
    }
}

/// Takes the time of an operation, and notes that it failed.
async fn measured<T>(
    operation: &'static str,
    id: AttachmentId,
    asked: impl Future<Output = Result<T, AttachmentError>>,
) -> Result<T, ApiError> {
    let begun = Instant::now();
    let result = asked.await;
    histogram!("frontdesk_files_seconds", "operation" => operation).record(begun.elapsed());
    result.map_err(|error| {
        counter!("frontdesk_files_failures_total", "operation" => operation).increment(1);
        tracing::warn!(operation, attachment = %id, %error, "the store of files has failed");
        ApiError::unavailable("files cannot be reached at the moment")
    })
}

#[async_trait]
impl<S: AttachmentStore> AttachmentBlobs for Blobs<S> {
    async fn put(&self, site: &SiteId, id: AttachmentId, bytes: Bytes) -> Result<(), ApiError> {
        measured("put", id, self.0.put(site, id, bytes)).await
    }

    async fn get(&self, site: &SiteId, id: AttachmentId) -> Result<Option<Bytes>, ApiError> {
        measured("get", id, self.read(site, id)).await
    }

    async fn delete(&self, site: &SiteId, id: AttachmentId) -> Result<(), ApiError> {
        measured("delete", id, self.0.remove(site, id)).await
    }
}
