//! Metadata of uploaded files.

use super::{DeskSubject, ODD_TEXTS, add_sites, attachment, name};
use crate::desk::{DeskStoreError, StoredAttachment};
use frontdesk_core::time::Timestamp;

/// One site's file does not exist for another; an id is taken everywhere.
pub async fn attachments_belong_to_a_site(subject: &mut dyn DeskSubject) {
    let desk = subject.desk();
    let first = attachment("one", 1);
    assert_eq!(desk.add_attachment(first.clone()).await, Err(DeskStoreError::Missing("site")));
    add_sites(&*desk, &["one", "two"]).await;
    assert_eq!(desk.add_attachment(first.clone()).await, Ok(()));
    let taken = Err(DeskStoreError::Taken("attachment id"));
    assert_eq!(desk.add_attachment(StoredAttachment { size: 9, ..first.clone() }).await, taken);
    assert_eq!(desk.add_attachment(attachment("two", 1)).await, taken);
    assert_eq!(desk.attachment(&name("two"), first.id).await, Ok(None));
    assert_eq!(desk.attachment(&first.site, first.id).await, Ok(Some(first)));
}

/// Every field, and over a crash.
pub async fn attachments_are_kept_as_they_were(subject: &mut dyn DeskSubject) {
    add_sites(&*subject.desk(), &["one"]).await;
    let latest = Timestamp::from_millis(i64::MAX as u64);
    let attachments: Vec<StoredAttachment> = (1_u8..)
        .zip(ODD_TEXTS)
        .map(|(n, text)| StoredAttachment {
            name: text.into(),
            media_type: text.into(),
            size: if n == 1 { u32::MAX } else { 0 },
            created_at: if n == 1 { latest } else { Timestamp::ZERO },
            ..attachment("one", u128::MAX - u128::from(n))
        })
        .collect();
    for attachment in &attachments {
        assert_eq!(subject.desk().add_attachment(attachment.clone()).await, Ok(()));
    }
    for _ in 0..2 {
        subject.reopen().await;
        for attachment in &attachments {
            let found = subject.desk().attachment(&attachment.site, attachment.id).await;
            assert_eq!(found, Ok(Some(attachment.clone())));
        }
    }
}
