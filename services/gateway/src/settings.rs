//! What can be set about a gateway, with defaults that suit one machine.
//!
//! Names carry their units. Limits that the protocol fixes are not settings:
//! they are constants beside the code that enforces them.

use crate::network::Network;
use crate::oidc::OidcSettings;
use frontdesk_cluster::tls::TlsFiles;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Settings of one gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Address to listen on, for HTTP/1.1, HTTP/2, gRPC and WebSocket alike.
    pub listen: SocketAddr,
    /// Certificates for clients: then the address takes TLS only. Read again when the
    /// files change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFiles>,
    /// Proxies in front of the gateway: from these addresses the client's own address
    /// is taken from `X-Forwarded-For`, from others that header is ignored.
    pub trusted_proxies: Vec<Network>,
    /// Keys of tokens. The first one signs, all of them verify; at least one.
    pub keys: Vec<TokenKey>,
    /// File with these keys instead, as `[{ kid = "2026-11", secret = "…" }]`. Read again
    /// when it changes: so keys are rotated without a restart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys_file: Option<PathBuf>,
    /// Life of a visitor's token.
    pub visitor_token_hours: u64,
    /// Life of an agent's token.
    pub agent_token_hours: u64,
    /// How often clients are pinged; silence for twice as long ends a connection.
    pub ping_interval_seconds: u64,
    /// How long a new connection may take until its Hello.
    pub hello_timeout_seconds: u64,
    /// Live connections of this gateway.
    pub max_connections: usize,
    /// Live connections from one network address.
    pub max_connections_per_address: u32,
    /// Live connections of one visitor or agent.
    pub max_connections_per_person: u32,
    /// Live connections of one site's people together.
    pub max_connections_per_site: u32,
    /// Handshakes a second that are let in, on average.
    pub handshakes_per_second: u32,
    /// Handshakes that are let in at once.
    pub handshake_burst: u32,
    /// Requests a second of one connection, on average.
    pub requests_per_second: u32,
    /// Requests at once of one connection.
    pub request_burst: u32,
    /// Sign-in attempts a minute for one address and account.
    pub sign_in_attempts_per_minute: u32,
    /// Bytes of an uploaded file.
    pub attachment_max_bytes: usize,
    /// A planned stop: how long readiness says no before clients are asked to go,
    /// so that load balancers notice.
    pub drain_notice_seconds: u64,
    /// A planned stop: clients that are asked to go elsewhere in a second.
    pub drain_moves_per_second: u32,
    /// A planned stop: each client waits a random time up to this before it goes.
    pub drain_jitter_ms: u64,
    /// A planned stop: who has not gone by then is cut, with a code to resume.
    pub drain_deadline_seconds: u64,
    /// How long a stop waits for connections to end before it cuts them.
    pub stop_grace_seconds: u64,
    /// A provider by way of which staff sign in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc: Option<OidcSettings>,
    /// The demo shop, when there is one.
    pub demo: Option<DemoSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            tls: None,
            trusted_proxies: Vec::new(),
            keys: Vec::new(),
            keys_file: None,
            visitor_token_hours: 24,
            agent_token_hours: 12,
            ping_interval_seconds: 25,
            hello_timeout_seconds: 5,
            max_connections: 100_000,
            max_connections_per_address: 10_000,
            max_connections_per_person: 20,
            max_connections_per_site: 100_000,
            handshakes_per_second: 1_000,
            handshake_burst: 5_000,
            requests_per_second: 20,
            request_burst: 40,
            sign_in_attempts_per_minute: 10,
            attachment_max_bytes: 10 * 1024 * 1024,
            drain_notice_seconds: 0,
            drain_moves_per_second: 500,
            drain_jitter_ms: 1_000,
            drain_deadline_seconds: 10,
            stop_grace_seconds: 10,
            oidc: None,
            demo: None,
        }
    }
}

impl Settings {
    pub(crate) fn ping_interval(&self) -> Duration {
        Duration::from_secs(self.ping_interval_seconds.max(1))
    }

    pub(crate) fn hello_timeout(&self) -> Duration {
        Duration::from_secs(self.hello_timeout_seconds.max(1))
    }
}

/// The demo shop's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemoSettings {
    /// Public key of the site that the demo's widget belongs to.
    pub site_key: String,
}

/// A key of tokens. `Debug` hides the secret part.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenKey {
    /// Names the key in each token's header; unique among the keys.
    pub kid: String,
    /// How it signs.
    #[serde(default)]
    pub algorithm: TokenAlgorithm,
    /// Standard Base64. For `hs256` 32 bytes or more, for `eddsa` the PKCS#8 DER
    /// of the private key.
    pub secret: String,
    /// Standard Base64 of the 32 bytes of the public key; for `eddsa` only.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub public: String,
}

/// How tokens are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenAlgorithm {
    /// HMAC with SHA-256.
    #[default]
    Hs256,
    /// Ed25519.
    EdDsa,
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}
