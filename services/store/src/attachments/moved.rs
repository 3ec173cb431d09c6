//! Files that are kept in another place than they were: new ones go to the new place, what
//! is not there is looked for in the old one, and what is removed goes from both. Nothing
//! has to be copied, and nothing is lost on the way.

use super::{AttachmentBody, AttachmentError, AttachmentStore};
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::ids::{AttachmentId, SiteId};

/// See the module. Every process must have both places, in the same order.
pub struct MovedAttachments<New, Old> {
    new: New,
    old: Old,
}

impl<New: AttachmentStore, Old: AttachmentStore> MovedAttachments<New, Old> {
    /// Of where files are put and where they were put before.
    pub fn new(new: New, old: Old) -> Self {
        Self { new, old }
    }
}

#[async_trait]
impl<New: AttachmentStore, Old: AttachmentStore> AttachmentStore for MovedAttachments<New, Old> {
    /// What the old place has under this id is hidden from then on, and removed with it.
    async fn put(
        &self,
        site: &SiteId,
        id: AttachmentId,
        bytes: Bytes,
    ) -> Result<(), AttachmentError> {
        self.new.put(site, id, bytes).await
    }

    /// An error of the new place is no absence: the old one is not asked then.
    async fn open(
        &self,
        site: &SiteId,
        id: AttachmentId,
    ) -> Result<Option<AttachmentBody>, AttachmentError> {
        match self.new.open(site, id).await? {
            Some(body) => Ok(Some(body)),
            None => self.old.open(site, id).await,
        }
    }

    /// From the old place first: else what it hides would show up again after a failure.
    async fn remove(&self, site: &SiteId, id: AttachmentId) -> Result<(), AttachmentError> {
        self.old.remove(site, id).await?;
        self.new.remove(site, id).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attachments::LocalAttachments;
    use crate::conformance::attachments::AttachmentsSubject;
    use crate::postgres::PostgresAttachments;
    use crate::postgres::test_database::fresh;
    use crate::s3::S3Attachments;
    use crate::s3::testing::LocalS3;
    use futures::TryStreamExt as _;
    use std::path::Path;
    use std::sync::Arc;
    use tempfile::TempDir;
    use uuid::Uuid;

    type Folders = MovedAttachments<LocalAttachments, LocalAttachments>;

    fn folders(root: &Path) -> Arc<Folders> {
        let folder = |name| LocalAttachments::open(root.join(name)).unwrap();
        Arc::new(MovedAttachments::new(folder("new"), folder("old")))
    }

    struct Moved {
        temp: TempDir,
        store: Arc<Folders>,
    }

    impl Moved {
        fn new() -> Self {
            let temp = tempfile::tempdir().unwrap();
            Self { store: folders(temp.path()), temp }
        }
    }

    #[async_trait]
    impl AttachmentsSubject for Moved {
        fn store(&self) -> Arc<dyn AttachmentStore> {
            self.store.clone()
        }

        async fn reopen(&mut self) {
            self.store = folders(self.temp.path());
        }
    }

    crate::attachments_conformance!(Moved::new());

    fn site() -> SiteId {
        "one".parse().unwrap()
    }

    fn id(n: u128) -> AttachmentId {
        AttachmentId::from_uuid(Uuid::from_u128(n))
    }

    async fn read(store: &dyn AttachmentStore, n: u128) -> Option<Vec<u8>> {
        let body = store.open(&site(), id(n)).await.unwrap()?;
        Some(body.chunks.try_collect::<Vec<_>>().await.unwrap().concat())
    }

    async fn put(store: &dyn AttachmentStore, n: u128, bytes: &'static [u8]) {
        store.put(&site(), id(n), Bytes::from_static(bytes)).await.unwrap();
    }

    /// A cluster's way from its database to an object store, which is away for a while.
    #[tokio::test]
    async fn files_of_before_the_move_are_read_replaced_and_removed() {
        let settings = fresh().await;
        let database = async || PostgresAttachments::open(&settings).await.unwrap();
        let before = database().await;
        put(&before, 1, b"kept").await;
        put(&before, 2, b"replaced").await;
        put(&before, 3, b"removed").await;

        let mut server = LocalS3::start().expect("the tests need an object store");
        let bucket = || S3Attachments::open(&server.settings("")).unwrap();
        let store = MovedAttachments::new(bucket(), database().await);
        put(&store, 2, b"new").await;
        put(&store, 4, b"later").await;
        store.remove(&site(), id(3)).await.unwrap();
        let expected = [(1, Some("kept")), (2, Some("new")), (3, None), (4, Some("later"))];
        for (n, expected) in expected {
            let found = read(&store, n).await;
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{n}");
        }
        assert_eq!(read(&before, 3).await, None, "gone from the old place, too");
        assert_eq!(read(&before, 4).await, None, "the old place gets nothing more");
        assert_eq!(server.objects("").unwrap().len(), 2);

        store.remove(&site(), id(2)).await.unwrap();
        assert_eq!(read(&store, 2).await, None, "what was hidden does not come back");
        server.kill();
        assert!(store.open(&site(), id(1)).await.is_err(), "it may be in the new place");
        assert!(store.remove(&site(), id(4)).await.is_err());
        server.start_again().unwrap();
        assert_eq!(read(&store, 1).await.as_deref(), Some(&b"kept"[..]));
        assert_eq!(read(&store, 4).await.as_deref(), Some(&b"later"[..]));
    }
}
