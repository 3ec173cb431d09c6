//! What all connections and handlers of a gateway share.

use crate::deps::GatewayDeps;
use crate::limits::{BucketRate, CountGuard, Counts, KeyedBuckets, TokenBucket};
use crate::metrics::Metrics;
use crate::outbox::Outbox;
use crate::registry::Registry;
use crate::settings::Settings;
use crate::tokens::Tokens;
use frontdesk_core::ids::{ConnectionId, SiteId};
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::ApiError;
use frontdesk_proto::status::CloseCode;
use std::collections::HashMap;
use std::future::Future;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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

/// Uploads at once: at 10 MiB each, 160 MiB of memory.
const MAX_UPLOADS: usize = 16;

/// Who tries to sign in: from where, and as whom.
pub(crate) type SignInKey = (IpAddr, String);

/// The state of one gateway.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) deps: GatewayDeps,
    pub(crate) tokens: Tokens,
    pub(crate) registry: Registry,
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
    open: Mutex<HashMap<ConnectionId, Arc<Outbox>>>,
}

impl Shared {
    pub(crate) fn new(settings: Settings, deps: GatewayDeps, tokens: Tokens) -> Arc<Self> {
        Arc::new(Self {
            limits: Limits::new(&settings),
            settings,
            deps,
            tokens,
            registry: Registry::new(),
            metrics: Metrics::new(),
            tasks: TaskTracker::new(),
            uploads: Semaphore::new(MAX_UPLOADS),
            stopping: CancellationToken::new(),
            draining: AtomicBool::new(false),
            open: Mutex::default(),
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
        self.lock().values().cloned().collect()
    }

    /// Lets a new connection in, or says why not.
    pub(crate) fn admit(&self, address: IpAddr) -> Result<Admission, CloseCode> {
        if self.is_draining() {
            return Err(CloseCode::Draining);
        }
        self.limits.admit(address)
    }

    /// Remembers a connection, so that a stop reaches it.
    pub(crate) fn opened(&self, connection: ConnectionId, outbox: &Arc<Outbox>) {
        self.lock().insert(connection, outbox.clone());
        if self.stopping.is_cancelled() {
            outbox.close(CloseCode::Draining);
        }
    }

    /// Forgets a connection.
    pub(crate) fn ended(&self, connection: ConnectionId) {
        self.lock().remove(&connection);
    }

    /// Asks every connection to end.
    pub(crate) fn close_all(&self, code: CloseCode) {
        for outbox in self.lock().values() {
            outbox.close(code);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, Arc<Outbox>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
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
        }
    }

    /// Lets a new connection in, or says why not.
    fn admit(&self, address: IpAddr) -> Result<Admission, CloseCode> {
        let mut handshakes = self.handshakes.lock().unwrap_or_else(PoisonError::into_inner);
        handshakes.take(self.handshake_rate, Instant::now()).map_err(|_| CloseCode::Overloaded)?;
        drop(handshakes);
        Ok(Admission {
            _all: self.all.open(()).ok_or(CloseCode::TooManyConnections)?,
            _address: self.addresses.open(address).ok_or(CloseCode::TooManyConnections)?,
        })
    }

    /// Lets one more connection of a person in.
    pub(crate) fn person(&self, site: &SiteId, id: Uuid) -> Option<PersonGuard> {
        let own = self.people.open((site.clone(), id))?;
        Some(PersonGuard { _own: own, _site: self.sites.open(site.clone())? })
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
