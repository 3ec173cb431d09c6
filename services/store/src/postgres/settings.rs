//! What can be set of the database.

use super::error::PostgresError;
use super::target::{self, Target};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use tokio_postgres::config::TargetSessionAttrs;

/// Shows up in `pg_stat_activity`.
const APPLICATION: &str = "frontdesk";
/// A dead server is noticed by the system after this idle time and three probes.
const KEEP_ALIVE_IDLE: Duration = Duration::from_secs(5);
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(2);
const KEEP_ALIVE_PROBES: u32 = 3;

/// What can be set of the database. `Debug` hides the URL, which holds a password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PostgresSettings {
    /// `postgresql://user:password@host:port/database?sslmode=verify-full`. Several hosts,
    /// separated by commas, are tried until one takes writes: that is how a failover is
    /// followed. Without `sslmode` there is no TLS.
    pub url: String,
    /// Authorities that the server's certificate may be of, in PEM, for `verify-ca` and
    /// `verify-full`; else the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// A certificate to show to the server, in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_cert: Option<PathBuf>,
    /// Its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_key: Option<PathBuf>,
    /// Connections that append; the shards are spread over them.
    pub append_connections: u8,
    /// Connections for everything else.
    pub other_connections: u8,
    /// How long an attempt to connect may take.
    pub connect_timeout_seconds: u64,
    /// How long the server may work on one statement.
    pub statement_timeout_ms: u64,
}

impl Default for PostgresSettings {
    fn default() -> Self {
        Self {
            url: "postgresql://frontdesk@127.0.0.1:5432/frontdesk".to_owned(),
            ca: None,
            client_cert: None,
            client_key: None,
            append_connections: 4,
            other_connections: 4,
            connect_timeout_seconds: 3,
            statement_timeout_ms: 3_000,
        }
    }
}

impl fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSettings")
            .field("append_connections", &self.append_connections)
            .field("other_connections", &self.other_connections)
            .finish_non_exhaustive()
    }
}

impl PostgresSettings {
    /// How to connect.
    pub(super) fn target(&self) -> Result<Target, PostgresError> {
        let (mut config, tls) = target::parse(self)?;
        config
            .application_name(APPLICATION)
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .connect_timeout(self.connect_timeout())
            .keepalives(true)
            .keepalives_idle(KEEP_ALIVE_IDLE)
            .keepalives_interval(KEEP_ALIVE_INTERVAL)
            .keepalives_retries(KEEP_ALIVE_PROBES);
        Ok(Target { config, tls })
    }

    pub(super) fn connect_timeout(&self) -> Duration {
        Duration::from_secs(self.connect_timeout_seconds.max(1))
    }

    /// How long an answer is waited for: the server's own limit and a second for
    /// the way.
    pub(super) fn answer_timeout(&self) -> Duration {
        Duration::from_millis(self.statement_timeout_ms.max(1)) + Duration::from_secs(1)
    }

    /// What every session begins with. An acknowledgement means that the server
    /// has the commit on disk, whatever the server's defaults are.
    pub(super) fn session(&self) -> String {
        let timeout = self.statement_timeout_ms.max(1);
        format!(
            "SET statement_timeout = {timeout}; SET lock_timeout = {timeout}; \
             SET idle_in_transaction_session_timeout = {timeout}; \
             SET synchronous_commit = on; SET standard_conforming_strings = on"
        )
    }
}
