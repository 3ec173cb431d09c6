//! Any history of changes, against a model that is plainly right.

use super::{DeskSubject, account, attachment, name, site};
use crate::desk::{DeskStoreError, StoredAccount, StoredAttachment, StoredSite, Versioned};
use frontdesk_core::identity::Identity;
use frontdesk_core::ids::{AgentId, AttachmentId, SiteId};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeMap;

const CASES: u32 = 32;
/// Names that a history uses: few, so that they meet.
const SITES: [&str; 3] = ["one", "two", "three"];
const ADDRESSES: [&str; 3] = ["a@x", "b@x", "c@x"];
const IDS: u128 = 4;
/// Issuers and subjects.
const IDENTITIES: [(&str, &str); 4] = [("a", "1"), ("a", "2"), ("b", "1"), ("b", "2")];

fn identity(n: usize) -> Identity {
    let (issuer, subject) = IDENTITIES[n];
    Identity { issuer: issuer.into(), subject: subject.into() }
}

#[derive(Debug, Clone)]
enum Op {
    /// `off`: how far the version that the change names is ahead of the right one.
    PutSite {
        site: usize,
        key: usize,
        title: u8,
        off: i8,
    },
    AddAccount {
        site: usize,
        id: u128,
        address: usize,
    },
    SetPassword {
        site: usize,
        id: u128,
        hash: u8,
    },
    Bind {
        site: usize,
        id: u128,
        who: usize,
    },
    Unbind {
        site: usize,
        id: u128,
    },
    AddAttachment {
        site: usize,
        id: u128,
        size: u32,
    },
    Reopen,
}

fn op() -> impl Strategy<Value = Op> {
    let (site, id) = (0..SITES.len(), 1..=IDS);
    let off = prop_oneof![4 => Just(0_i8), 1 => Just(-1), 1 => Just(1)];
    prop_oneof![
        4 => (site.clone(), 0..SITES.len(), any::<u8>(), off)
            .prop_map(|(site, key, title, off)| Op::PutSite { site, key, title, off }),
        4 => (site.clone(), id.clone(), 0..ADDRESSES.len())
            .prop_map(|(site, id, address)| Op::AddAccount { site, id, address }),
        2 => (site.clone(), id.clone(), any::<u8>())
            .prop_map(|(site, id, hash)| Op::SetPassword { site, id, hash }),
        3 => (site.clone(), id.clone(), 0..IDENTITIES.len())
            .prop_map(|(site, id, who)| Op::Bind { site, id, who }),
        1 => (site.clone(), id.clone()).prop_map(|(site, id)| Op::Unbind { site, id }),
        2 => (site, id, any::<u32>())
            .prop_map(|(site, id, size)| Op::AddAttachment { site, id, size }),
        1 => Just(Op::Reopen),
    ]
}

#[derive(Default)]
struct Model {
    sites: BTreeMap<SiteId, Versioned<StoredSite>>,
    accounts: BTreeMap<AgentId, StoredAccount>,
    attachments: BTreeMap<AttachmentId, StoredAttachment>,
    bindings: BTreeMap<(SiteId, Identity), AgentId>,
}

impl Model {
    fn version(&self, id: &SiteId) -> u64 {
        self.sites.get(id).map_or(0, |site| site.version)
    }

    fn put_site(&mut self, value: StoredSite, expected: u64) -> Result<u64, DeskStoreError> {
        let version = self.version(&value.id);
        let others = || self.sites.values().filter(|other| other.value.id != value.id);
        if version != expected {
            return Err(super::stale(version));
        }
        if others().any(|other| other.value.key == value.key) {
            return Err(DeskStoreError::Taken("site key"));
        }
        let version = version + 1;
        self.sites.insert(value.id.clone(), Versioned { version, value });
        Ok(version)
    }

    fn add_account(&mut self, added: StoredAccount) -> Result<(), DeskStoreError> {
        let rival = |other: &StoredAccount| other.site == added.site && other.email == added.email;
        if self.accounts.contains_key(&added.id) || self.accounts.values().any(rival) {
            return Err(DeskStoreError::Taken("account"));
        }
        if !self.sites.contains_key(&added.site) {
            return Err(DeskStoreError::Missing("site"));
        }
        self.accounts.insert(added.id, added);
        Ok(())
    }

    fn set_password(
        &mut self,
        site: &SiteId,
        id: AgentId,
        hash: String,
    ) -> Result<(), DeskStoreError> {
        match self.accounts.get_mut(&id).filter(|account| account.site == *site) {
            Some(account) => {
                account.generation += u32::from(account.password_hash != hash);
                account.password_hash = hash;
                Ok(())
            }
            None => Err(DeskStoreError::Missing("account")),
        }
    }

    fn account(&self, site: &SiteId, id: AgentId) -> Result<&StoredAccount, DeskStoreError> {
        let found = self.accounts.get(&id).filter(|account| account.site == *site);
        found.ok_or(DeskStoreError::Missing("account"))
    }

    fn bind(&mut self, site: &SiteId, id: AgentId, who: Identity) -> Result<(), DeskStoreError> {
        self.account(site, id)?;
        let rival = |((_, other), account): (&(SiteId, Identity), &AgentId)| {
            *account == id && other.issuer == who.issuer && *other != who
        };
        let key = (site.clone(), who.clone());
        let has_another = self.bindings.get(&key).is_some_and(|account| *account != id);
        if has_another || self.bindings.iter().any(rival) {
            return Err(DeskStoreError::Taken("identity"));
        }
        self.bindings.insert(key, id);
        Ok(())
    }

    fn unbind(&mut self, site: &SiteId, id: AgentId) -> Result<u32, DeskStoreError> {
        self.account(site, id)?;
        self.bindings.retain(|_, account| *account != id);
        let account = self.accounts.get_mut(&id).expect("it was found");
        account.generation += 1;
        Ok(account.generation)
    }

    fn add_attachment(&mut self, added: StoredAttachment) -> Result<(), DeskStoreError> {
        if self.attachments.contains_key(&added.id) {
            return Err(DeskStoreError::Taken("attachment id"));
        }
        if !self.sites.contains_key(&added.site) {
            return Err(DeskStoreError::Missing("site"));
        }
        self.attachments.insert(added.id, added);
        Ok(())
    }
}

async fn run(subject: &mut dyn DeskSubject, model: &mut Model, op: Op) {
    let desk = subject.desk();
    match op {
        Op::PutSite { site: at, key, title, off } => {
            let key = format!("pk_{key}");
            let put = StoredSite { title: title.to_string(), ..site(SITES[at], &key) };
            let expected = model.version(&put.id).saturating_add_signed(off.into());
            let outcome = desk.put_site(put.clone(), expected).await;
            assert_eq!(outcome, model.put_site(put, expected));
        }
        Op::AddAccount { site, id, address } => {
            let added = account(SITES[site], id, ADDRESSES[address]);
            let outcome = desk.add_account(added.clone()).await;
            assert_eq!(outcome, model.add_account(added));
        }
        Op::SetPassword { site, id, hash } => {
            let (site, id) = (name(SITES[site]), super::agent(id));
            let outcome = desk.set_password_hash(&site, id, hash.to_string()).await;
            assert_eq!(outcome, model.set_password(&site, id, hash.to_string()));
        }
        Op::Bind { site, id, who } => {
            let (site, id, who) = (name(SITES[site]), super::agent(id), identity(who));
            let outcome = desk.bind(&site, id, &who).await;
            assert_eq!(outcome, model.bind(&site, id, who));
        }
        Op::Unbind { site, id } => {
            let (site, id) = (name(SITES[site]), super::agent(id));
            assert_eq!(desk.unbind(&site, id).await, model.unbind(&site, id));
        }
        Op::AddAttachment { site, id, size } => {
            let added = StoredAttachment { size, ..attachment(SITES[site], id) };
            let outcome = desk.add_attachment(added.clone()).await;
            assert_eq!(outcome, model.add_attachment(added));
        }
        Op::Reopen => {
            drop(desk);
            subject.reopen().await;
        }
    }
}

/// Every look-up there is.
async fn compare(subject: &dyn DeskSubject, model: &Model) {
    let desk = subject.desk();
    let sites: Vec<_> = model.sites.values().cloned().collect();
    assert_eq!(desk.sites().await, Ok(sites));
    for n in 0..SITES.len() {
        let key = format!("pk_{n}");
        let by_key = model.sites.values().find(|site| site.value.key == key);
        assert_eq!(desk.site_by_key(&key).await, Ok(by_key.cloned()));
    }
    for site in SITES.map(name) {
        assert_eq!(desk.site(&site).await, Ok(model.sites.get(&site).cloned()));
        let mut of_site: Vec<_> =
            model.accounts.values().filter(|account| account.site == site).cloned().collect();
        of_site.sort_by(|a, b| a.email.cmp(&b.email));
        assert_eq!(desk.accounts(&site).await.as_ref(), Ok(&of_site));
        for email in ADDRESSES {
            let by_email = of_site.iter().find(|account| account.email == email);
            assert_eq!(desk.account_by_email(&site, email).await, Ok(by_email.cloned()));
        }
        for who in (0..IDENTITIES.len()).map(identity) {
            let id = model.bindings.get(&(site.clone(), who.clone()));
            let bound = id.and_then(|id| model.accounts.get(id));
            assert_eq!(desk.bound_account(&site, &who).await, Ok(bound.cloned()));
        }
        for n in 1..=IDS {
            let of_account = model
                .bindings
                .iter()
                .filter(|((at, _), account)| *at == site && **account == super::agent(n));
            let identities: Vec<_> = of_account.map(|((_, who), _)| who.clone()).collect();
            assert_eq!(desk.identities(&site, super::agent(n)).await, Ok(identities));
            let by_id = of_site.iter().find(|account| account.id == super::agent(n));
            assert_eq!(desk.account(&site, super::agent(n)).await, Ok(by_id.cloned()));
            let file = model.attachments.get(&super::file(n)).filter(|file| file.site == site);
            assert_eq!(desk.attachment(&site, super::file(n)).await, Ok(file.cloned()));
        }
    }
}

/// Outcomes and look-ups are the model's, for any history; proptest prints the
/// seed of one for which they are not.
pub fn the_desk_agrees_with_the_model<S: DeskSubject>(new: impl AsyncFn() -> S) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let histories = prop::collection::vec(op(), 1..40);
    let result = TestRunner::new(config).run(&histories, |history| {
        runtime.block_on(async {
            let (mut subject, mut model) = (new().await, Model::default());
            for op in history {
                run(&mut subject, &mut model, op).await;
            }
            compare(&subject, &model).await;
        });
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}
