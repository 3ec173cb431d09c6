//! What all connections and handlers of a gateway share.

use crate::board::Boards;
use crate::deps::GatewayDeps;
use crate::guesses::{Guesses, network_of};
use crate::limits::{BucketRate, CountGuard, Counts, KeyedBuckets, Limit, TokenBucket};
use crate::metrics::{CarrierKind, Metrics};
use crate::oidc::Oidc;
use crate::outbox::Outbox;
use crate::registry::Registry;
use crate::settings::Settings;
use crate::standing::Standings;
use crate::tokens::Tokens;
use frontdesk_core::ids::{ConnectionId, SiteId};
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::ApiError;
use frontdesk_proto::status::CloseCode;
use std::future::Future;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// Deadline of a question to another role.
pub(crate) const CALL_DEADLINE: Duration = Duration::from_secs(5);
/// Deadline of a command's reply: owners answer within their own, shorter one.
pub(crate) const COMMAND_DEADLINE: Duration = Duration::from_secs(10);
/// Accounts and addresses whose sign-in attempts are counted at once.
const MAX_SIGN_IN_KEYS: usize = 10_000;

/// Steps of sign-ins by way of a provider that one address may take: 50 a second, 500 at
/// once. An office of a thousand that begins its day within a minute takes three each.
const PROVIDER_STEPS: (f32, f32) = (50.0, 500.0);
/// Addresses for which these are counted; 1 MB.
const MAX_PROVIDER_KEYS: usize = 10_000;

/// Uploads at once: at 10 MiB each, 160 MiB of memory.
const MAX_UPLOADS: usize = 16;

/// Who tries to sign in: from where, and as whom.
pub(crate) type SignInKey = (IpAddr, String);

/// The state of one gateway.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) deps: GatewayDeps,
    pub(crate) tokens: Tokens,
    /// Signing in by way of a provider, where there is one.
    pub(crate) oidc: Option<Arc<Oidc>>,
    pub(crate) registry: Registry,
    pub(crate) boards: Boards,
    pub(crate) metrics: Metrics,
    pub(crate) limits: Limits,
    /// Owns every task of the gateway.
    pub(crate) tasks: TaskTracker,
    /// Uploads that are held in memory at once.
    pub(crate) uploads: Semaphore,
    /// Cancelled when the gateway stops.
    pub(crate) stopping: CancellationToken,
    /// Nobody new is let in: a planned stop has begun.
    draining: AtomicBool,
    pub(crate) standings: Standings,
}

impl Shared {
    pub(crate) fn new(
        settings: Settings,
        deps: GatewayDeps,
        tokens: Tokens,
        oidc: Option<Arc<Oidc>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            limits: Limits::new(&settings),
            settings,
            deps,
            tokens,
            oidc,
            registry: Registry::new(),
            boards: Boards::default(),
            metrics: Metrics::new(),
            tasks: TaskTracker::new(),
            uploads: Semaphore::new(MAX_UPLOADS),
            stopping: CancellationToken::new(),
            draining: AtomicBool::new(false),
            standings: Standings::default(),
        })
    }

    /// The time of day.
    pub(crate) fn now(&self) -> Timestamp {
        (self.deps.clock)()
    }

    /// Lets nobody in from now on.
    pub(crate) fn begin_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether nobody is let in any more.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed) || self.stopping.is_cancelled()
    }

    /// What waits for each live connection.
    pub(crate) fn connections(&self) -> Vec<Arc<Outbox>> {
        self.standings.outboxes()
    }

    /// Lets a new connection in, or says why not.
    pub(crate) fn admit(&self, address: IpAddr) -> Result<Admission, (CloseCode, &'static str)> {
        if self.is_draining() {
            return Err((CloseCode::Draining, "the gateway stops"));
        }
        self.limits.admit(address).map_err(|limit| self.refuse(limit))
    }

    /// Lets one more connection of a person in, or says why not.
    pub(crate) fn admit_person(
        &self,
        site: &SiteId,
        id: Uuid,
    ) -> Result<PersonGuard, (CloseCode, &'static str)> {
        self.limits.person(site, id).map_err(|limit| self.refuse(limit))
    }

    fn refuse(&self, limit: Limit) -> (CloseCode, &'static str) {
        self.metrics.refused(limit);
        (limit.close_code(), limit.reason())
    }

    /// Remembers a connection, so that a stop reaches it.
    pub(crate) fn opened(
        &self,
        connection: ConnectionId,
        carrier: CarrierKind,
        outbox: &Arc<Outbox>,
    ) {
        self.standings.add(connection, carrier, outbox);
        if self.stopping.is_cancelled() {
            outbox.close(CloseCode::Draining);
        }
    }

    /// Forgets a connection.
    pub(crate) fn ended(&self, connection: ConnectionId) {
        self.standings.remove(connection);
    }

    /// Asks every connection to end.
    pub(crate) fn close_all(&self, code: CloseCode) {
        self.standings.outboxes().iter().for_each(|outbox| outbox.close(code));
    }
}

/// Bounds over all connections.
pub(crate) struct Limits {
    all: Arc<Counts<()>>,
    addresses: Arc<Counts<IpAddr>>,
    people: Arc<Counts<(SiteId, Uuid)>>,
    sites: Arc<Counts<SiteId>>,
    handshake_rate: BucketRate,
    handshakes: Mutex<TokenBucket>,
    pub(crate) sign_ins: KeyedBuckets<SignInKey>,
    /// Failed sign-ins by address.
    pub(crate) guesses: Guesses,
    /// Steps of sign-ins by way of a provider, by address.
    provider_steps: KeyedBuckets<IpAddr>,
}

/// A connection's place among those allowed; given back when dropped.
pub(crate) struct Admission {
    _all: CountGuard<()>,
    _address: CountGuard<IpAddr>,
}

/// A person's place among their own connections and those of their site.
pub(crate) struct PersonGuard {
    _own: CountGuard<(SiteId, Uuid)>,
    _site: CountGuard<SiteId>,
}

impl Limits {
    fn new(settings: &Settings) -> Self {
        let handshake_rate =
            BucketRate::new(settings.handshakes_per_second as f32, settings.handshake_burst as f32);
        let attempts = settings.sign_in_attempts_per_minute as f32;
        Self {
            all: Counts::new(u32::try_from(settings.max_connections).unwrap_or(u32::MAX)),
            addresses: Counts::new(settings.max_connections_per_address),
            people: Counts::new(settings.max_connections_per_person),
            sites: Counts::new(settings.max_connections_per_site),
            handshake_rate,
            handshakes: Mutex::new(TokenBucket::full(handshake_rate, Instant::now())),
            sign_ins: KeyedBuckets::new(
                BucketRate::new(attempts / 60.0, attempts),
                MAX_SIGN_IN_KEYS,
            ),
            guesses: Guesses::default(),
            provider_steps: KeyedBuckets::new(
                BucketRate::new(PROVIDER_STEPS.0, PROVIDER_STEPS.1),
                MAX_PROVIDER_KEYS,
            ),
        }
    }

    /// Takes one step of a sign-in by way of a provider, or says how long to wait.
    pub(crate) fn provider_step(&self, address: IpAddr) -> Result<(), Duration> {
        self.provider_steps.take(network_of(address), Instant::now())
    }

    /// Lets a new connection in, or says what it is too many for.
    fn admit(&self, address: IpAddr) -> Result<Admission, Limit> {
        let mut handshakes = self.handshakes.lock().unwrap_or_else(PoisonError::into_inner);
        handshakes.take(self.handshake_rate, Instant::now()).map_err(|_| Limit::Arrivals)?;
        drop(handshakes);
        Ok(Admission {
            _all: self.all.open(()).ok_or(Limit::Connections)?,
            _address: self.addresses.open(address).ok_or(Limit::Address)?,
        })
    }

    /// Lets one more connection of a person in, or says what it is too many for.
    fn person(&self, site: &SiteId, id: Uuid) -> Result<PersonGuard, Limit> {
        Ok(PersonGuard {
            _own: self.people.open((site.clone(), id)).ok_or(Limit::Person)?,
            _site: self.sites.open(site.clone()).ok_or(Limit::Site)?,
        })
    }
}

/// Runs a call to another role within a deadline.
pub(crate) async fn within<T>(
    limit: Duration,
    part: &'static str,
    call: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, ApiError> {
    match tokio::time::timeout(limit, call).await {
        Ok(result) => result,
        Err(_) => Err(ApiError::unavailable(format!("{part} did not answer in time"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(change: impl FnOnce(&mut Settings)) -> Limits {
        let mut settings = Settings::default();
        change(&mut settings);
        Limits::new(&settings)
    }

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[tokio::test(start_paused = true)]
    async fn each_bound_of_connections_is_told_by_its_name() {
        let all = limits(|s| s.max_connections = 1);
        let _first = all.admit(address(1)).ok().unwrap();
        assert_eq!(all.admit(address(2)).err(), Some(Limit::Connections));

        let each = limits(|s| s.max_connections_per_address = 1);
        let first = each.admit(address(1)).ok().unwrap();
        assert_eq!(each.admit(address(1)).err(), Some(Limit::Address));
        assert!(each.admit(address(2)).is_ok());
        drop(first);
        assert!(each.admit(address(1)).is_ok());

        let storm = limits(|s| {
            s.handshake_burst = 1;
            s.handshakes_per_second = 1;
        });
        assert!(storm.admit(address(1)).is_ok());
        assert_eq!(storm.admit(address(2)).err(), Some(Limit::Arrivals));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(storm.admit(address(2)).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_takes_no_place() {
        let limits = limits(|s| {
            s.max_connections_per_person = 1;
            s.max_connections_per_site = 2;
        });
        let site: SiteId = "demo".parse().unwrap();
        let people = [1, 2, 3].map(Uuid::from_u128);
        let first = limits.person(&site, people[0]).ok().unwrap();
        assert_eq!(limits.person(&site, people[0]).err(), Some(Limit::Person));
        let _second = limits.person(&site, people[1]).ok().unwrap();
        assert_eq!(limits.person(&site, people[2]).err(), Some(Limit::Site));
        assert!(limits.person(&"other".parse().unwrap(), people[0]).is_ok());
        drop(first);
        // Had the refused one been counted as a person, it would be one too many.
        assert!(limits.person(&site, people[2]).is_ok());
    }
}
