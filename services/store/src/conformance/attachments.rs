//! What every `AttachmentStore` must do, as tests against the trait alone.
//!
//! `attachments_conformance!` makes one test of each function here. A subject
//! starts empty and is nobody else's.

use crate::attachments::{AttachmentBody, AttachmentStore};
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::ids::{AttachmentId, SiteId};
use futures::future::join_all;
use futures::{StreamExt as _, TryStreamExt as _, poll};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use uuid::Uuid;

/// A store under test.
#[async_trait]
pub trait AttachmentsSubject: Send {
    /// The store. Tests give their clones back before they reopen.
    fn store(&self) -> Arc<dyn AttachmentStore>;

    /// Ends it without any warning and opens it again on the same storage.
    async fn reopen(&mut self);
}

/// Makes a module's tests of the suite: the argument is an expression that gives
/// a new, empty `AttachmentsSubject`, and may await.
#[macro_export]
macro_rules! attachments_conformance {
    ($new:expr) => {
        $crate::attachments_conformance!(@tests $new;
            what_is_put_is_read_within_its_site,
            files_of_any_size_are_kept,
            what_is_put_again_replaces,
            what_is_removed_is_gone,
            a_body_is_never_a_mixture,
            several_puts_at_once_leave_one_whole,
            puts_and_removals_at_once_leave_all_or_nothing,
            a_put_that_is_given_up_leaves_all_or_nothing,
        );
    };
    (@tests $new:expr; $($name:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                let mut subject = $new;
                $crate::conformance::attachments::$name(&mut subject).await;
            }
        )*
    };
}

/// One site's file does not exist for another, nor does the other's replace it.
pub async fn what_is_put_is_read_within_its_site(subject: &mut dyn AttachmentsSubject) {
    let store = subject.store();
    let (first, second) = (bytes(1, 200_000), bytes(2, 10));
    put(&*store, "one", 1, &first).await;
    assert_eq!(read(&*store, "two", 1).await, None);
    assert_eq!(read(&*store, "one", 2).await, None);
    put(&*store, "two", 1, &second).await;
    store.remove(&site("two"), id(2)).await.expect("harmless");
    assert_eq!(read(&*store, "one", 1).await, Some(first.clone()));
    assert_eq!(read(&*store, "two", 1).await, Some(second));
    store.remove(&site("two"), id(1)).await.expect("removed");
    assert_eq!(read(&*store, "one", 1).await, Some(first));
}

/// From nothing to more than a message, around the sizes of pieces, over a crash.
pub async fn files_of_any_size_are_kept(subject: &mut dyn AttachmentsSubject) {
    const K: usize = 1024;
    let around = |size: usize| [size - 1, size, size + 1];
    let mut sizes = vec![0, 1, 10 * K * K];
    sizes.extend([64 * K, 256 * K, 512 * K].into_iter().flat_map(around));
    for (n, size) in (1..).zip(&sizes) {
        put(&*subject.store(), "one", n, &bytes(n as u8, *size)).await;
    }
    for _ in 0..2 {
        for (n, size) in (1..).zip(&sizes) {
            let found = read(&*subject.store(), "one", n).await;
            // Not `assert_eq`: it would print them.
            assert!(found == Some(bytes(n as u8, *size)), "{size} bytes");
        }
        subject.reopen().await;
    }
}

/// By less, by more, by nothing.
pub async fn what_is_put_again_replaces(subject: &mut dyn AttachmentsSubject) {
    for size in [600_000, 300_000, 0, 700_000, 3] {
        put(&*subject.store(), "one", 1, &bytes(size as u8, size)).await;
        let found = read(&*subject.store(), "one", 1).await;
        assert!(found == Some(bytes(size as u8, size)), "{size} bytes");
    }
    subject.reopen().await;
    assert_eq!(read(&*subject.store(), "one", 1).await, Some(bytes(3, 3)));
}

/// Removing what is not there is harmless, and the id may be used again.
pub async fn what_is_removed_is_gone(subject: &mut dyn AttachmentsSubject) {
    for round in 0..2 {
        let store = subject.store();
        put(&*store, "one", 1, &bytes(round, 300_000)).await;
        assert_eq!(read(&*store, "one", 1).await, Some(bytes(round, 300_000)));
        for _ in 0..2 {
            store.remove(&site("one"), id(1)).await.expect("harmless");
            assert_eq!(read(&*store, "one", 1).await, None);
        }
        drop(store);
        subject.reopen().await;
        assert_eq!(read(&*subject.store(), "one", 1).await, None);
    }
}

/// Whoever is reading when a file is replaced or removed gets all that it was, or
/// an error.
pub async fn a_body_is_never_a_mixture(subject: &mut dyn AttachmentsSubject) {
    let store = subject.store();
    for pieces_before in [0, 1] {
        for is_removed in [false, true] {
            let old = bytes(1, 1_500_000);
            put(&*store, "one", 1, &old).await;
            let mut body = open(&*store, "one", 1).await.expect("there");
            let mut seen = Vec::new();
            for _ in 0..pieces_before {
                seen.extend_from_slice(&next(&mut body).await.expect("more").expect("readable"));
            }
            if is_removed {
                store.remove(&site("one"), id(1)).await.expect("removed");
            } else {
                put(&*store, "one", 1, &bytes(2, 1_500_000)).await;
            }
            let rest: io::Result<Vec<Bytes>> = body.chunks.try_collect().await;
            if let Ok(rest) = rest {
                seen.extend_from_slice(&rest.concat());
                assert!(seen == old, "{} bytes, not the old ones", seen.len());
            }
        }
    }
}

/// One of them, no matter which.
pub async fn several_puts_at_once_leave_one_whole(subject: &mut dyn AttachmentsSubject) {
    let store = subject.store();
    let rivals: Vec<Bytes> = (1..7).map(|n| bytes(n, 100_000 * usize::from(n))).collect();
    for _ in 0..3 {
        join_all(rivals.iter().map(|rival| put(&*store, "one", 1, rival))).await;
        let found = read(&*store, "one", 1).await.expect("there");
        assert!(rivals.contains(&found), "{} bytes", found.len());
    }
}

/// All of the last one that was put, or nothing.
pub async fn puts_and_removals_at_once_leave_all_or_nothing(subject: &mut dyn AttachmentsSubject) {
    let (store, whole) = (subject.store(), bytes(1, 600_000));
    for _ in 0..5 {
        let puts = join_all((0..3).map(|_| put(&*store, "one", 1, &whole)));
        let removals = join_all((0..3).map(|_| async {
            store.remove(&site("one"), id(1)).await.expect("removed");
        }));
        futures::join!(puts, removals);
        let found = read(&*store, "one", 1).await;
        assert!(found.is_none_or(|found| found == whole));
    }
    put(&*store, "one", 1, &whole).await;
    assert_eq!(read(&*store, "one", 1).await.map(|found| found.len()), Some(whole.len()));
}

/// Dropped at any point, a put has happened or has not, and hinders nobody.
pub async fn a_put_that_is_given_up_leaves_all_or_nothing(subject: &mut dyn AttachmentsSubject) {
    let (store, whole) = (subject.store(), bytes(1, 1_000_000));
    for (n, polls) in (1..).zip([1, 2, 5, 20, 50, 100, 200, 400, 1_000, 5_000]) {
        {
            let (site, id) = (site("one"), id(n));
            let mut given_up = pin!(store.put(&site, id, whole.clone()));
            for _ in 0..polls {
                if poll!(&mut given_up).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        let found = read(&*store, "one", n).await;
        assert!(found.is_none_or(|found| found == whole), "given up after {polls} polls");
        put(&*store, "two", n, &whole).await;
        assert!(read(&*store, "two", n).await == Some(whole.clone()));
    }
}

fn site(name: &str) -> SiteId {
    name.parse().expect("a site")
}

fn id(n: u128) -> AttachmentId {
    AttachmentId::from_uuid(Uuid::from_u128(n))
}

/// No two pieces of it are alike, nor are those of two seeds at the same place.
fn bytes(seed: u8, count: usize) -> Bytes {
    (0..count).map(|at| (at as u8) ^ (at >> 8) as u8 ^ (at >> 16) as u8 ^ seed).collect()
}

async fn put(store: &dyn AttachmentStore, of: &str, n: u128, bytes: &Bytes) {
    store.put(&site(of), id(n), bytes.clone()).await.expect("stored");
}

async fn open(store: &dyn AttachmentStore, of: &str, n: u128) -> Option<AttachmentBody> {
    store.open(&site(of), id(n)).await.expect("readable")
}

async fn next(body: &mut AttachmentBody) -> Option<io::Result<Bytes>> {
    body.chunks.next().await
}

/// All of a file, which must be as long as it says.
async fn read(store: &dyn AttachmentStore, of: &str, n: u128) -> Option<Bytes> {
    let body = open(store, of, n).await?;
    let pieces: Vec<Bytes> = body.chunks.try_collect().await.expect("readable");
    let bytes = pieces.concat();
    assert_eq!(bytes.len() as u64, body.size);
    Some(bytes.into())
}
