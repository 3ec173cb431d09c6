//! What can be set of the bus over Redis, and the check of it. It never
//! connects.

use super::address::{Login, RedisAddress};
use super::certificates::Certificates;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Longest prefix of the channels' names, in bytes.
const MAX_PREFIX_BYTES: usize = 64;

/// What can be set of the bus over Redis. `Debug` hides the passwords.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedisSettings {
    /// `redis://host`, `redis+sentinel://host,…/master` or
    /// `redis+cluster://host,…`; with TLS `rediss`. Redis 7 or later. May hold the login.
    pub address: RedisAddress,
    /// Authorities that the servers' certificates may be of, in PEM; else the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// A certificate to show to the servers, in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_cert: Option<PathBuf>,
    /// Its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_key: Option<PathBuf>,
    /// The user to log in as, unless the address says it or it is the default one.
    pub username: Option<String>,
    /// The password to log in with, unless the address holds it.
    pub password: Option<String>,
    /// Channels are named `prefix:gateway`. Installations that share a Redis need
    /// different ones.
    pub channel_prefix: String,
    /// How often a subscription asks Redis to send it something.
    pub probe_interval_ms: u64,
    /// Without an answer for this long a subscription is not live. Longer than
    /// the interval.
    pub probe_deadline_ms: u64,
    /// How long an attempt to connect may take.
    pub connect_timeout_ms: u64,
    /// How long the answer to a publish may take before the connection counts as
    /// lost.
    pub publish_timeout_ms: u64,
    /// The longest pause between two attempts to connect. They begin at 100 ms,
    /// double, and are drawn at random below that.
    pub reconnect_pause_ms: u64,
}

impl Default for RedisSettings {
    fn default() -> Self {
        let host = super::HostPort { host: "127.0.0.1".to_owned(), port: 6379 };
        Self {
            address: RedisAddress::Single { tls: false, host, login: None },
            ca: None,
            client_cert: None,
            client_key: None,
            username: None,
            password: None,
            channel_prefix: "frontdesk".to_owned(),
            probe_interval_ms: 1_000,
            probe_deadline_ms: 3_000,
            connect_timeout_ms: 2_000,
            publish_timeout_ms: 1_000,
            reconnect_pause_ms: 5_000,
        }
    }
}

impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, username, channel_prefix, .. } = self;
        f.debug_struct("RedisSettings")
            .field("address", address)
            .field("username", username)
            .field("channel_prefix", channel_prefix)
            .finish_non_exhaustive()
    }
}

/// Why settings were refused. None of these repeats a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSettings {
    /// Certificates without TLS.
    #[error("ca, client_cert and client_key are for rediss:// addresses")]
    CertificatesUnused,
    /// A certificate without its key, or the other way round.
    #[error("client_cert and client_key belong together")]
    HalfPair,
    /// A file cannot be used; its path and why.
    #[error("{0}")]
    File(String),
    /// The login is given twice.
    #[error("the login is both in the address and in username or password")]
    TwoLogins,
    /// A user without a password.
    #[error("username is set, but no password")]
    NoPassword,
    /// The prefix is empty, too long or has other characters.
    #[error("channel_prefix takes 1-64 of a-z, A-Z, 0-9, '-', '_', '.' and ':'")]
    ChannelPrefix,
    /// A time is zero.
    #[error("{0} must not be 0")]
    Zero(&'static str),
    /// The deadline leaves no time for a probe.
    #[error("probe_deadline_ms must be longer than probe_interval_ms")]
    ProbeDeadline,
}

/// Settings that were checked.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) address: RedisAddress,
    pub(super) certificates: Certificates,
    pub(super) login: Option<Login>,
    pub(super) channel_prefix: String,
    pub(super) probe_interval: Duration,
    pub(super) probe_deadline: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) publish_timeout: Duration,
    pub(super) reconnect_pause: Duration,
}

impl RedisSettings {
    /// Checks them, without connecting.
    pub fn check(&self) -> Result<(), BadSettings> {
        self.plan().map(drop)
    }

    pub(super) fn plan(&self) -> Result<Plan, BadSettings> {
        if self.probe_deadline_ms <= self.probe_interval_ms {
            return Err(BadSettings::ProbeDeadline);
        }
        Ok(Plan {
            address: self.address.clone(),
            certificates: Certificates::new(self)?,
            login: self.login()?,
            channel_prefix: self.checked_prefix()?,
            probe_interval: millis("probe_interval_ms", self.probe_interval_ms)?,
            probe_deadline: millis("probe_deadline_ms", self.probe_deadline_ms)?,
            connect_timeout: millis("connect_timeout_ms", self.connect_timeout_ms)?,
            publish_timeout: millis("publish_timeout_ms", self.publish_timeout_ms)?,
            reconnect_pause: millis("reconnect_pause_ms", self.reconnect_pause_ms)?,
        })
    }

    fn login(&self) -> Result<Option<Login>, BadSettings> {
        match (self.address.login(), &self.username, &self.password) {
            (Some(login), None, None) => Ok(Some(login.clone())),
            (Some(_), _, _) => Err(BadSettings::TwoLogins),
            (None, Some(_), None) => Err(BadSettings::NoPassword),
            (None, None, None) => Ok(None),
            (None, user, Some(password)) => {
                Ok(Some(Login { user: user.clone(), password: password.clone() }))
            }
        }
    }

    fn checked_prefix(&self) -> Result<String, BadSettings> {
        let prefix = &self.channel_prefix;
        // Braces would move the channels of all gateways to one slot of a cluster.
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
        let fits = (1..=MAX_PREFIX_BYTES).contains(&prefix.len());
        if fits && prefix.bytes().all(plain) {
            Ok(prefix.clone())
        } else {
            Err(BadSettings::ChannelPrefix)
        }
    }
}

fn millis(name: &'static str, value: u64) -> Result<Duration, BadSettings> {
    match value {
        0 => Err(BadSettings::Zero(name)),
        _ => Ok(Duration::from_millis(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(json: &str) -> Result<RedisSettings, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn the_defaults_are_good() {
        assert_eq!(RedisSettings::default().check(), Ok(()));
        assert_eq!(settings("{}").unwrap(), RedisSettings::default());
    }

    #[test]
    fn unknown_names_and_bad_addresses_are_refused() {
        assert!(settings(r#"{"adress": "redis://r"}"#).is_err());
        let error = settings(r#"{"address": "http://:hunter2@r"}"#).unwrap_err().to_string();
        assert!(error.contains("redis://") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for (json, error) in [
            (r#"{"address": "redis://:a@r", "password": "b"}"#, BadSettings::TwoLogins),
            (r#"{"username": "me"}"#, BadSettings::NoPassword),
            (r#"{"channel_prefix": ""}"#, BadSettings::ChannelPrefix),
            (r#"{"channel_prefix": "{one}"}"#, BadSettings::ChannelPrefix),
            (r#"{"publish_timeout_ms": 0}"#, BadSettings::Zero("publish_timeout_ms")),
            (r#"{"probe_deadline_ms": 1000}"#, BadSettings::ProbeDeadline),
            (r#"{"ca": "/ca.pem"}"#, BadSettings::CertificatesUnused),
            (r#"{"address": "rediss://r", "client_key": "/k"}"#, BadSettings::HalfPair),
        ] {
            assert_eq!(settings(json).unwrap().check(), Err(error), "{json}");
        }
    }

    #[test]
    fn no_password_is_shown() {
        let mut shown = RedisSettings { password: Some("hunter2".into()), ..Default::default() };
        assert!(!format!("{shown:?} {:?}", shown.plan()).contains("hunter2"));
        shown.password = None;
        shown.address = "redis://:hunter2@r".parse().unwrap();
        assert!(!format!("{shown:?} {:?}", shown.plan()).contains("hunter2"));
    }
}
