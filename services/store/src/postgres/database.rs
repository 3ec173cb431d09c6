//! Connections that heal themselves. Statements of many callers share one: the
//! protocol pipelines them. Nothing here knows what a statement is for.

use super::error::{Failure, PostgresError, describe};
use super::settings::PostgresSettings;
use super::target::Target;
use super::tls::Tls;
use frontdesk_telemetry::tasks;
use rand::RngExt as _;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row, Socket, Statement};

/// The longest pause between two attempts to connect. They begin at
/// `FIRST_PAUSE`, double, and are drawn at random below that.
const MAX_PAUSE: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest that statements without parameters may take: migrations, which wait
/// for each other.
const BATCH_DEADLINE: Duration = Duration::from_secs(90);

/// Parameters of a statement.
pub(super) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A few connections to one database.
#[derive(Clone)]
pub(super) struct Database {
    inner: Arc<Inner>,
}

struct Inner {
    settings: PostgresSettings,
    target: Target,
    slots: Vec<Mutex<Slot>>,
    next: AtomicUsize,
}

/// The place of one connection.
#[derive(Default)]
struct Slot {
    live: Option<Arc<Live>>,
    /// Not tried again before.
    pause_until: Option<Instant>,
    pause: Duration,
}

/// An open connection and the statements prepared on it.
pub(super) struct Live {
    client: Client,
    statements: StdMutex<HashMap<&'static str, Statement>>,
    driver: JoinHandle<()>,
    answer_timeout: Duration,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Database {
    /// Does not connect yet.
    pub(super) fn new(settings: &PostgresSettings, size: u8) -> Result<Self, PostgresError> {
        let slots = (0..size.max(1)).map(|_| Mutex::default()).collect();
        let (target, settings) = (settings.target()?, settings.clone());
        // What is wrong with the files is told now rather than with the first connection.
        target.tls.as_ref().map(Tls::make).transpose()?;
        let inner = Inner { settings, target, slots, next: AtomicUsize::new(0) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// How many connections there are.
    pub(super) fn size(&self) -> usize {
        self.inner.slots.len()
    }

    /// One of the connections, open.
    pub(super) async fn any(&self) -> Result<Arc<Live>, Failure> {
        let next = self.inner.next.fetch_add(1, Ordering::Relaxed);
        let own = next % self.size();
        match self.at(own).await {
            Ok(live) => Ok(live),
            // Another one may be open: none is waited for.
            Err(failure) => {
                let others = (0..self.size()).filter(|at| *at != own);
                others.filter_map(|at| self.open_at(at)).next().ok_or(failure)
            }
        }
    }

    /// A certain connection when it is open and nobody is at it.
    fn open_at(&self, at: usize) -> Option<Arc<Live>> {
        let slot = self.inner.slots[at].try_lock().ok()?;
        slot.live.clone().filter(|live| !live.client.is_closed())
    }

    /// A certain connection, open; `at` below `size`.
    pub(super) async fn at(&self, at: usize) -> Result<Arc<Live>, Failure> {
        let mut slot = self.inner.slots[at].lock().await;
        if let Some(live) = slot.live.as_ref().filter(|live| !live.client.is_closed()) {
            return Ok(live.clone());
        }
        slot.live = None;
        if slot.pause_until.is_some_and(|until| Instant::now() < until) {
            return Err(Failure::NotDone("the database is away".into()));
        }
        match Live::connect(&self.inner.target, &self.inner.settings).await {
            Ok(live) => {
                let live = Arc::new(live);
                *slot = Slot { live: Some(live.clone()), ..Slot::default() };
                Ok(live)
            }
            Err(error) => {
                slot.pause = (slot.pause * 2).clamp(FIRST_PAUSE, MAX_PAUSE);
                let jitter = slot.pause.mul_f64(rand::rng().random_range(0.0..1.0));
                slot.pause_until = Some(Instant::now() + jitter);
                Err(Failure::NotDone(error.to_string()))
            }
        }
    }

    /// Runs a statement on any connection.
    pub(super) async fn query(
        &self,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, Failure> {
        self.any().await?.query(sql, params).await
    }

    /// Runs a statement on any connection; at most one row.
    pub(super) async fn row(
        &self,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<Option<Row>, Failure> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }
}

impl Live {
    /// Opens a connection of its own.
    pub(super) async fn connect(
        target: &Target,
        settings: &PostgresSettings,
    ) -> Result<Self, PostgresError> {
        let tls = target.tls.as_ref().map(Tls::make).transpose()?;
        let connecting = async {
            let (client, driver) = match tls {
                Some(tls) => open(&target.config, tls).await?,
                None => open(&target.config, NoTls).await?,
            };
            let live = Self {
                client,
                statements: StdMutex::default(),
                driver,
                answer_timeout: settings.answer_timeout(),
            };
            live.client.batch_execute(&settings.session()).await?;
            Ok::<_, tokio_postgres::Error>(live)
        };
        match timeout(settings.connect_timeout(), connecting).await {
            Ok(connected) => connected.map_err(|e| PostgresError::of_connecting(&e)),
            Err(_) => Err(PostgresError::Unreachable("no answer in time".into())),
        }
    }

    /// Runs a statement, prepared once for this connection.
    pub(super) async fn query(
        &self,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, Failure> {
        // Nothing is done before the statement itself is sent.
        let prepared = timeout(self.answer_timeout, self.prepared(sql)).await;
        let statement = prepared.map_err(|_| Failure::NotDone("no answer in time".into()))?;
        let statement = statement.map_err(|e| Failure::NotDone(describe(&e)))?;
        match timeout(self.answer_timeout, self.client.query(&statement, params)).await {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => Err(Failure::of(&error)),
            Err(_) => {
                // What comes later is nobody's answer: the connection is given up.
                self.driver.abort();
                Err(Failure::Unknown("no answer in time".into()))
            }
        }
    }

    /// Runs several statements without parameters, as they are.
    pub(super) async fn batch(&self, sql: &str) -> Result<(), Failure> {
        let done = timeout(BATCH_DEADLINE, self.client.batch_execute(sql)).await;
        done.map_err(|_| Failure::Unknown("no answer in time".into()))?.map_err(|e| Failure::of(&e))
    }

    async fn prepared(&self, sql: &'static str) -> Result<Statement, tokio_postgres::Error> {
        let known = self.lock().get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await?;
        self.lock().insert(sql, statement.clone());
        Ok(statement)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, Statement>> {
        // A map of whole values is as good after a panic as before.
        self.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a connection and has a task drive it, which ends with the client, or when the
/// server hangs up.
async fn open<T>(config: &Config, tls: T) -> Result<(Client, JoinHandle<()>), tokio_postgres::Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, connection) = config.connect(tls).await?;
    let driver = tasks::spawn("postgres.connection", async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to the database has ended");
        }
    });
    Ok((client, driver))
}
