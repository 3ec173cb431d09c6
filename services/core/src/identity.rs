//! Whose account it is when a provider vouches for somebody. Pure. The pair of issuer and
//! subject is the only thing by which a provider promises to know a person again (OpenID
//! Connect Core, section 5.7); an address finds an account once, and never one that is
//! bound to somebody else.

use crate::ids::AgentId;
use serde::{Deserialize, Serialize};

/// Bytes of a subject, by the specification.
pub const MAX_SUBJECT_BYTES: usize = 255;
/// Bytes of an issuer: with a subject it fits into an index.
pub const MAX_ISSUER_BYTES: usize = 1_000;

/// A person as a provider knows it, for good. `Debug` does not show who.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The provider, as it calls itself.
    pub issuer: String,
    /// The person there: any text, in which case matters.
    pub subject: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// No identity can be of this form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an issuer is 1 to 1,000 bytes, a subject 1 to 255, without control characters")]
pub struct NoIdentity;

impl Identity {
    /// The person of this name at this provider.
    ///
    /// # Errors
    /// When one of them is empty, too long, or has control characters.
    pub fn new(issuer: &str, subject: &str) -> Result<Self, NoIdentity> {
        let fits = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && !text.chars().any(char::is_control)
        };
        if !fits(issuer, MAX_ISSUER_BYTES) || !fits(subject, MAX_SUBJECT_BYTES) {
            return Err(NoIdentity);
        }
        Ok(Self { issuer: issuer.to_owned(), subject: subject.to_owned() })
    }
}

/// What is known of the accounts that somebody may mean, at one site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Known {
    /// The one that is bound to who it is.
    pub bound: Option<AgentId>,
    /// The one with the address, and whether it is bound to somebody of this provider.
    pub addressed: Option<(AgentId, bool)>,
}

/// Whose account it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// This one, whatever the address says.
    Bound(AgentId),
    /// This one, which is bound from now on.
    Bind(AgentId),
    /// Nobody's: the account with the address is somebody else's of the same provider.
    Anothers(AgentId),
    /// There is none.
    None,
}

/// Whose account it is that somebody signs in to.
pub fn account_of(known: Known) -> Account {
    match (known.bound, known.addressed) {
        (Some(account), _) => Account::Bound(account),
        (None, Some((account, false))) => Account::Bind(account),
        (None, Some((account, true))) => Account::Anothers(account),
        (None, None) => Account::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use uuid::Uuid;

    #[test]
    fn what_cannot_be_an_identity_is_none() {
        assert!(Identity::new("https://login.example", "248289761001").is_ok());
        assert!(Identity::new("https://login.example", &"ä".repeat(127)).is_ok());
        for (issuer, subject) in [
            ("", "a"),
            ("https://login.example", ""),
            ("https://login.example", "a\0b"),
            ("https://login.example", &"x".repeat(256)),
            (&"x".repeat(1_001), "a"),
        ] {
            assert_eq!(Identity::new(issuer, subject), Err(NoIdentity), "{subject:?}");
        }
        let shown = format!("{:?}", Identity::new("https://login.example", "secret").unwrap());
        assert!(!shown.contains("secret"), "{shown}");
    }

    /// Accounts by address, with who they are bound to; what a desk keeps.
    #[derive(Debug, Clone, Default)]
    struct Accounts(BTreeMap<u8, Option<u8>>);

    impl Accounts {
        fn id(address: u8) -> AgentId {
            AgentId::from_uuid(Uuid::from_u128(address.into()))
        }

        /// What signing in as this subject with this address comes to.
        fn sign_in(&mut self, subject: u8, address: u8) -> Account {
            let bound = self.0.iter().find(|(_, to)| **to == Some(subject));
            let addressed = self.0.get(&address);
            let known = Known {
                bound: bound.map(|(account, _)| Self::id(*account)),
                addressed: addressed.map(|to| (Self::id(address), to.is_some())),
            };
            let account = account_of(known);
            match account {
                Account::Bind(_) => drop(self.0.insert(address, Some(subject))),
                // The operator has accounts made.
                Account::None => drop(self.0.insert(address, Some(subject))),
                Account::Bound(_) | Account::Anothers(_) => {}
            }
            account
        }
    }

    #[derive(Debug, Clone, Copy)]
    enum Op {
        SignIn { subject: u8, address: u8 },
        Unbind { address: u8 },
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            6 => (0..4_u8, 0..4_u8).prop_map(|(subject, address)| Op::SignIn { subject, address }),
            1 => (0..4_u8).prop_map(|address| Op::Unbind { address }),
        ]
    }

    proptest! {
        /// Whatever addresses a provider hands around: until an operator unbinds it, an
        /// account is that of whoever had it first, who never gets another one.
        #[test]
        fn an_account_stays_whose_it_is(ops in prop::collection::vec(op(), 1..60)) {
            let mut accounts = Accounts::default();
            let mut owners: BTreeMap<AgentId, u8> = BTreeMap::new();
            for op in ops {
                match op {
                    Op::Unbind { address } => {
                        if let Some(to) = accounts.0.get_mut(&address) {
                            *to = None;
                            owners.remove(&Accounts::id(address));
                        }
                    }
                    Op::SignIn { subject, address } => {
                        let of_before = owners.iter().find(|(_, owner)| **owner == subject);
                        let of_before = of_before.map(|(account, _)| *account);
                        let in_to = match accounts.sign_in(subject, address) {
                            Account::Bound(account) | Account::Bind(account) => Some(account),
                            Account::None => Some(Accounts::id(address)),
                            Account::Anothers(account) => {
                                prop_assert!(owners[&account] != subject);
                                None
                            }
                        };
                        if let Some(before) = of_before {
                            prop_assert_eq!(in_to, Some(before));
                        }
                        if let Some(account) = in_to {
                            let owner = *owners.entry(account).or_insert(subject);
                            prop_assert_eq!(owner, subject);
                        }
                    }
                }
            }
        }
    }
}
