//! What each live connection stands on: the key that signed its token, and its account's
//! generation. When either is not good any more the connection ends.

use crate::metrics::CarrierKind;
use crate::outbox::Outbox;
use frontdesk_core::ids::{AgentId, ConnectionId, SiteId};
use frontdesk_core::party::Principal;
use frontdesk_proto::status::CloseCode;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// Of a connection that has said Hello.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// The key of its token.
    pub(crate) kid: Arc<str>,
    /// The account, and its generation when the token was made; of staff only.
    pub(crate) account: Option<Box<(SiteId, AgentId, u32)>>,
}

impl Standing {
    pub(crate) fn new(who: &Principal, generation: u32, kid: Arc<str>) -> Self {
        let account = who.agent_id().map(|id| Box::new((who.site.clone(), id, generation)));
        Self { kid, account }
    }
}

/// A connection, as it is looked at from outside.
pub(crate) struct Seen {
    pub(crate) connection: ConnectionId,
    pub(crate) carrier: CarrierKind,
    /// `None` before its Hello; else whether it is of staff.
    pub(crate) staff: Option<bool>,
    pub(crate) since: Instant,
    pub(crate) outbox: Arc<Outbox>,
}

struct Live {
    outbox: Arc<Outbox>,
    carrier: CarrierKind,
    since: Instant,
    standing: Option<Standing>,
}

/// All live connections.
#[derive(Default)]
pub(crate) struct Standings(Mutex<HashMap<ConnectionId, Live>>);

impl Standings {
    /// A connection that has not said who it is.
    pub(crate) fn add(&self, connection: ConnectionId, carrier: CarrierKind, outbox: &Arc<Outbox>) {
        let (outbox, since) = (outbox.clone(), Instant::now());
        let live = Live { outbox, carrier, since, standing: None };
        self.lock().insert(connection, live);
    }

    /// It has said it, or goes on with another token.
    pub(crate) fn stand(&self, connection: ConnectionId, standing: Standing) {
        if let Some(live) = self.lock().get_mut(&connection) {
            live.standing = Some(standing);
        }
    }

    /// The same account goes on with a token of another key.
    pub(crate) fn signed_by(&self, connection: ConnectionId, kid: Arc<str>) {
        if let Some(standing) =
            self.lock().get_mut(&connection).and_then(|live| live.standing.as_mut())
        {
            standing.kid = kid;
        }
    }

    /// What it stands on; `None` before its Hello.
    pub(crate) fn of(&self, connection: ConnectionId) -> Option<Standing> {
        self.lock().get(&connection).and_then(|live| live.standing.clone())
    }

    /// It has ended.
    pub(crate) fn remove(&self, connection: ConnectionId) {
        self.lock().remove(&connection);
    }

    /// What waits for each.
    pub(crate) fn outboxes(&self) -> Vec<Arc<Outbox>> {
        self.lock().values().map(|live| live.outbox.clone()).collect()
    }

    /// Each, for whoever operates the gateway.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let seen = |(connection, live): (&ConnectionId, &Live)| Seen {
            connection: *connection,
            carrier: live.carrier,
            staff: live.standing.as_ref().map(|standing| standing.account.is_some()),
            since: live.since,
            outbox: live.outbox.clone(),
        };
        self.lock().iter().map(seen).collect()
    }

    /// Sites whose staff is connected here.
    pub(crate) fn sites(&self) -> BTreeSet<SiteId> {
        let live = self.lock();
        let accounts = live.values().filter_map(|live| live.standing.as_ref()?.account.as_ref());
        accounts.map(|account| account.0.clone()).collect()
    }

    /// Ends those whose key is not taken any more.
    pub(crate) fn end_unless(&self, knows: impl Fn(&str) -> bool) {
        for live in self.lock().values() {
            if live.standing.as_ref().is_some_and(|standing| !knows(&standing.kid)) {
                live.outbox.close(CloseCode::TokenRefused);
            }
        }
    }

    /// Ends those of a site whose account is of a later generation by now.
    pub(crate) fn end_older(&self, site: &SiteId, generations: &BTreeMap<AgentId, u32>) {
        for live in self.lock().values() {
            let account = live.standing.as_ref().and_then(|standing| standing.account.as_ref());
            let older = account.is_some_and(|account| {
                let (theirs, agent, generation) = &**account;
                theirs == site && generations.get(agent).is_some_and(|now| now > generation)
            });
            if older {
                live.outbox.close(CloseCode::SignedOut);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, Live>> {
        // A map of whole values is as good after a panic as before.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
