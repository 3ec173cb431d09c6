//! Metadata of uploaded files.

use super::{DeskSubject, ODD_TEXTS, add_sites, attachment, name};
use crate::desk::{AttachmentQuery, DeskStoreError, StoredAttachment};
use frontdesk_core::ids::ConversationId;
use frontdesk_core::time::Timestamp;
use uuid::Uuid;

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

/// By conversation and by age, within the site; what is removed is gone.
pub async fn attachments_are_found_and_removed(subject: &mut dyn DeskSubject) {
    let desk = subject.desk();
    add_sites(&*desk, &["one", "two"]).await;
    let conversation = |n: u128| ConversationId::from_uuid(Uuid::from_u128(n));
    let at = |n: u128, conversation, millis| StoredAttachment {
        conversation,
        created_at: Timestamp::from_millis(millis),
        ..attachment("one", n)
    };
    let files = [at(3, conversation(7), 1), at(1, conversation(8), 2), at(2, conversation(7), 3)];
    for file in files.iter().chain([&attachment("two", 9)]) {
        assert_eq!(desk.add_attachment(file.clone()).await, Ok(()));
    }
    let [first, second, third] = files;
    let site = name("one");
    let of = AttachmentQuery::OfConversation(conversation(7));
    let found = desk.attachments(&site, of.clone()).await;
    assert_eq!(found, Ok(vec![first.clone(), third.clone()]));
    assert_eq!(desk.attachments(&name("two"), of.clone()).await, Ok(vec![]));
    let before = |millis, limit| AttachmentQuery::Before(Timestamp::from_millis(millis), limit);
    let found = desk.attachments(&site, before(3, 9)).await;
    assert_eq!(found, Ok(vec![first.clone(), second.clone()]));
    assert_eq!(desk.attachments(&site, before(9, 1)).await, Ok(vec![first.clone()]));
    assert_eq!(desk.remove_attachments(&name("two"), &[first.id]).await, Ok(()));
    assert_eq!(desk.remove_attachments(&site, &[first.id, third.id]).await, Ok(()));
    assert_eq!(desk.remove_attachments(&site, &[first.id]).await, Ok(()));
    assert_eq!(desk.attachments(&site, of).await, Ok(vec![]));
    assert_eq!(desk.attachment(&site, second.id).await, Ok(Some(second)));
}
