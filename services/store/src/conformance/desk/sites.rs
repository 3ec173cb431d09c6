//! Sites: versions, keys, order.

use super::{DeskSubject, ODD_TEXTS, add_sites, name, site, stale};
use crate::desk::{DeskStoreError, StoredQueue, StoredSite, Versioned};
use frontdesk_core::time::Millis;
use futures::future::join_all;

/// How many try at once.
const RIVALS: usize = 8;

/// 0 for a new one, else the version there is; a refused change changes nothing.
pub async fn a_change_must_name_the_version_it_changes(subject: &mut dyn DeskSubject) {
    let desk = subject.desk();
    let one = site("one", "pk_1");
    for ahead in [1, 2, i64::MAX as u64, u64::MAX] {
        assert_eq!(desk.put_site(one.clone(), ahead).await, Err(stale(0)));
    }
    assert_eq!(desk.put_site(one.clone(), 0).await, Ok(1));
    assert_eq!(desk.put_site(one.clone(), 1).await, Ok(2));
    for wrong in [0, 1, 3, u64::MAX] {
        let refused = desk.put_site(site("one", "pk_2"), wrong).await;
        assert_eq!(refused, Err(stale(2)));
    }
    assert_eq!(desk.site(&one.id).await, Ok(Some(Versioned { version: 2, value: one })));
}

/// The others learn that they come too late, for a new site and for a change.
pub async fn one_of_several_changes_at_once_wins(subject: &mut dyn DeskSubject) {
    let desk = subject.desk();
    for version in 0..3 {
        let rivals: Vec<StoredSite> = (0..RIVALS)
            .map(|n| StoredSite { title: format!("{version} {n}"), ..site("one", "pk_1") })
            .collect();
        let puts = rivals.iter().map(|site| desk.put_site(site.clone(), version));
        let outcomes = join_all(puts).await;
        let won: Vec<usize> = (0..RIVALS).filter(|n| outcomes[*n] == Ok(version + 1)).collect();
        assert_eq!(won.len(), 1, "{outcomes:?}");
        let lost = outcomes.iter().filter(|o| **o == Err(stale(version + 1))).count();
        assert_eq!(lost, RIVALS - 1, "{outcomes:?}");
        let stands = Versioned { version: version + 1, value: rivals[won[0]].clone() };
        assert_eq!(desk.site(&name("one")).await, Ok(Some(stands)));
    }
}

/// A key that is given up may be taken, one in use may not, and whoever is late
/// learns that first.
pub async fn a_key_belongs_to_one_site(subject: &mut dyn DeskSubject) {
    let desk = subject.desk();
    let taken = Err(DeskStoreError::Taken("site key"));
    add_sites(&*desk, &["one", "two"]).await;
    assert_eq!(desk.put_site(site("three", "pk_one"), 0).await, taken);
    assert_eq!(desk.site(&name("three")).await, Ok(None));
    assert_eq!(desk.put_site(site("two", "pk_one"), 1).await, taken);
    assert_eq!(desk.put_site(site("two", "pk_one"), 0).await, Err(stale(1)));
    assert_eq!(desk.put_site(site("two", "pk_one"), 2).await, Err(stale(1)));

    assert_eq!(desk.put_site(site("one", "pk_moved"), 1).await, Ok(2));
    assert_eq!(desk.site_by_key("pk_one").await, Ok(None));
    assert_eq!(desk.site_by_key("PK_MOVED").await, Ok(None));
    let moved = Versioned { version: 2, value: site("one", "pk_moved") };
    assert_eq!(desk.site_by_key("pk_moved").await, Ok(Some(moved)));
    assert_eq!(desk.put_site(site("two", "pk_one"), 1).await, Ok(2));
}

/// By the bytes of the name, whatever a language would say.
pub async fn sites_come_by_name(subject: &mut dyn DeskSubject) {
    let desk = subject.desk();
    add_sites(&*desk, &["b", "a-c", "ab", "a", "a1", "10", "9"]).await;
    let sites = desk.sites().await.expect("readable");
    let names: Vec<&str> = sites.iter().map(|site| site.value.id.as_str()).collect();
    assert_eq!(names, ["10", "9", "a", "a-c", "a1", "ab", "b"]);
}

/// Every field, and over a crash.
pub async fn sites_are_kept_as_they_were(subject: &mut dyn DeskSubject) {
    let queue = |id: &str, most: bool| StoredQueue {
        priority_minutes: if most { u32::MAX } else { 0 },
        weight: if most { u32::MAX } else { 0 },
        offer_timeout: Millis::new(if most { u64::MAX } else { 0 }),
        wrap_up: Millis::new(if most { u64::MAX } else { 0 }),
        ..StoredQueue::plain(id.parse().expect("a queue"))
    };
    let sites: Vec<StoredSite> = (1..)
        .zip(ODD_TEXTS)
        .map(|(n, text)| StoredSite {
            title: format!("{text}\0"),
            allowed_origins: vec![text.into(); n % 3],
            queues: vec![queue("general", true), queue("sales", false)],
            ..site(&format!("site-{n}"), text)
        })
        .collect();
    for site in &sites {
        assert_eq!(subject.desk().put_site(site.clone(), 0).await, Ok(1));
    }
    for _ in 0..2 {
        subject.reopen().await;
        let desk = subject.desk();
        let all: Vec<_> =
            sites.iter().map(|site| Versioned { version: 1, value: site.clone() }).collect();
        assert_eq!(desk.sites().await.as_ref(), Ok(&all));
        for stands in all {
            assert_eq!(desk.site_by_key(&stands.value.key).await, Ok(Some(stands)));
        }
    }
}
