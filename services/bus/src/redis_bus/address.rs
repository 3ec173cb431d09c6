//! Where Redis is: parsed once, at the edge of the settings. It never connects,
//! and never shows a password.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where a single server or a node of a cluster listens unless told.
const REDIS_PORT: u16 = 6379;
/// Where a sentinel listens unless told.
const SENTINEL_PORT: u16 = 26379;

/// How to reach Redis. `Debug` hides the password; a settings file that is
/// written from it has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RedisAddress {
    /// `redis://[user:password@]host[:port]`; `rediss://` with TLS, and so the others.
    Single {
        /// Speak TLS.
        tls: bool,
        /// The server.
        host: HostPort,
        /// How to log in to it, if it asks.
        login: Option<Login>,
    },
    /// `redis+sentinel://[user:password@]host[:port],…/master`
    Sentinel {
        /// Speak TLS, with the sentinels as well.
        tls: bool,
        /// The sentinels, at least one, in the order to ask them.
        sentinels: Vec<HostPort>,
        /// The name under which the sentinels know the master.
        master: String,
        /// How to log in to the master, if it asks.
        login: Option<Login>,
    },
    /// `redis+cluster://[user:password@]host[:port],…`
    Cluster {
        /// Speak TLS.
        tls: bool,
        /// Nodes to learn the cluster from, at least one.
        nodes: Vec<HostPort>,
        /// How to log in to every node, if they ask.
        login: Option<Login>,
    },
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    /// A name or an IP address, IPv6 without its brackets.
    pub host: String,
    /// The TCP port, never 0.
    pub port: u16,
}

/// A name and a password. Its `Debug` hides the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user, or none for the default user.
    pub user: Option<String>,
    /// The password, percent-decoded.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Why an address was refused. None of these repeats the address, which may
/// hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not one of the schemes.
    #[error(
        "an address of Redis starts with redis://, redis+sentinel:// or redis+cluster://, \
         with TLS rediss://, rediss+sentinel:// or rediss+cluster://"
    )]
    Scheme,
    /// A host is missing or malformed.
    #[error("a host is missing or malformed; write host or host:port, IPv6 in brackets")]
    Host,
    /// `redis://` names several hosts.
    #[error("redis:// takes one host; use redis+sentinel:// or redis+cluster:// for several")]
    SeveralHosts,
    /// The login is not `user:password` or `:password`, or not UTF-8 when decoded.
    #[error("a login is user:password or :password, percent-encoded")]
    Login,
    /// A sentinel address names no master.
    #[error("redis+sentinel:// ends with /master, the name the sentinels know it by")]
    Master,
    /// Something follows the hosts that means nothing to pub/sub.
    #[error("nothing may follow the hosts: pub/sub has no database number and no options")]
    Path,
}

impl RedisAddress {
    /// How to log in, if the address says so.
    pub fn login(&self) -> Option<&Login> {
        match self {
            Self::Single { login, .. }
            | Self::Sentinel { login, .. }
            | Self::Cluster { login, .. } => login.as_ref(),
        }
    }
}

impl RedisAddress {
    /// Whether it speaks TLS.
    pub fn is_tls(&self) -> bool {
        match self {
            Self::Single { tls, .. } | Self::Sentinel { tls, .. } | Self::Cluster { tls, .. } => {
                *tls
            }
        }
    }

    /// The hosts that are named.
    pub fn hosts(&self) -> &[HostPort] {
        match self {
            Self::Single { host, .. } => std::slice::from_ref(host),
            Self::Sentinel { sentinels, .. } => sentinels,
            Self::Cluster { nodes, .. } => nodes,
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl From<RedisAddress> for String {
    fn from(address: RedisAddress) -> Self {
        let encode = |part| utf8_percent_encode(part, NON_ALPHANUMERIC).to_string();
        let login = address.login().map_or_else(Self::new, |login| {
            let user = login.user.as_deref().map_or_else(Self::new, encode);
            format!("{user}:{}@", encode(&login.password))
        });
        let list = |hosts: &[HostPort]| {
            hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        };
        let redis = if address.is_tls() { "rediss" } else { "redis" };
        match &address {
            RedisAddress::Single { host, .. } => format!("{redis}://{login}{host}"),
            RedisAddress::Sentinel { sentinels, master, .. } => {
                format!("{redis}+sentinel://{login}{}/{master}", list(sentinels))
            }
            RedisAddress::Cluster { nodes, .. } => {
                format!("{redis}+cluster://{login}{}", list(nodes))
            }
        }
    }
}

impl TryFrom<String> for RedisAddress {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl FromStr for RedisAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::Scheme)?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (Some(parse_login(login)?), hosts),
            None => (None, authority),
        };
        let (redis, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        let tls = match redis {
            "redis" => false,
            "rediss" => true,
            _ => return Err(AddressError::Scheme),
        };
        match kind {
            "" if !scheme.contains('+') => {
                no_path(path)?;
                if hosts.contains(',') {
                    return Err(AddressError::SeveralHosts);
                }
                Ok(Self::Single { tls, host: parse_host(hosts, REDIS_PORT)?, login })
            }
            "sentinel" => {
                if path.is_empty() || path.contains(['/', '?', '#']) {
                    return Err(AddressError::Master);
                }
                let sentinels = parse_hosts(hosts, SENTINEL_PORT)?;
                Ok(Self::Sentinel { tls, sentinels, master: path.to_owned(), login })
            }
            "cluster" => {
                no_path(path)?;
                Ok(Self::Cluster { tls, nodes: parse_hosts(hosts, REDIS_PORT)?, login })
            }
            _ => Err(AddressError::Scheme),
        }
    }
}

fn no_path(path: &str) -> Result<(), AddressError> {
    if path.is_empty() { Ok(()) } else { Err(AddressError::Path) }
}

fn parse_login(text: &str) -> Result<Login, AddressError> {
    let (user, password) = text.split_once(':').ok_or(AddressError::Login)?;
    let decode = |part| match percent_decode_str(part).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => Err(AddressError::Login),
    };
    let user = if user.is_empty() { None } else { Some(decode(user)?) };
    Ok(Login { user, password: decode(password)? })
}

fn parse_hosts(text: &str, port: u16) -> Result<Vec<HostPort>, AddressError> {
    text.split(',').map(|host| parse_host(host, port)).collect()
}

fn parse_host(text: &str, default_port: u16) -> Result<HostPort, AddressError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(bracketed) => {
            let (host, after) = bracketed.split_once(']').ok_or(AddressError::Host)?;
            let port = match after {
                "" => None,
                _ => Some(after.strip_prefix(':').ok_or(AddressError::Host)?),
            };
            (host, port)
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        Some(port) => port.parse().map_err(|_| AddressError::Host)?,
        None => default_port,
    };
    if host.is_empty() || host.contains(['?', '#', ' ']) || port == 0 {
        return Err(AddressError::Host);
    }
    Ok(HostPort { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str, port: u16) -> HostPort {
        HostPort { host: host.to_owned(), port }
    }

    #[test]
    fn reads_each_kind() {
        let single = RedisAddress::Single { tls: false, host: at("r", 6379), login: None };
        assert_eq!("redis://r".parse(), Ok(single));
        let single = RedisAddress::Single { tls: true, host: at("::1", 7000), login: None };
        assert_eq!("rediss://[::1]:7000".parse(), Ok(single));
        let sentinel = RedisAddress::Sentinel {
            tls: false,
            sentinels: vec![at("a", 26379), at("b", 5)],
            master: "main".to_owned(),
            login: Some(Login { user: None, password: "p@s".to_owned() }),
        };
        assert_eq!("redis+sentinel://:p%40s@a,b:5/main".parse(), Ok(sentinel));
        let nodes = vec![at("a", 1), at("b", 6379)];
        let cluster = RedisAddress::Cluster { tls: true, nodes, login: None };
        assert_eq!("rediss+cluster://a:1,b".parse(), Ok(cluster));
    }

    #[test]
    fn is_written_as_it_is_read() {
        for text in [
            "redis://r:6379",
            "redis://:p%40s%2F@[::1]:7000",
            "redis+sentinel://me:x@a:26379,b:5/main",
            "redis+cluster://a:1,b:6379",
            "rediss://r:6379",
            "rediss+sentinel://a:26379/main",
            "rediss+cluster://a:1",
        ] {
            let address: RedisAddress = text.parse().unwrap();
            assert_eq!(String::from(address), text);
        }
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        for (text, error) in [
            ("localhost", AddressError::Scheme),
            ("http://r", AddressError::Scheme),
            ("redis+://r", AddressError::Scheme),
            ("redisss://r", AddressError::Scheme),
            ("rediss+tls://r", AddressError::Scheme),
            ("redis://", AddressError::Host),
            ("redis://r:0", AddressError::Host),
            ("redis://r:70000", AddressError::Host),
            ("redis://::1", AddressError::Host),
            ("redis://[::1]7", AddressError::Host),
            ("redis://a,b", AddressError::SeveralHosts),
            ("redis://r/1", AddressError::Path),
            ("redis://user@r", AddressError::Login),
            ("redis+sentinel://a", AddressError::Master),
            ("redis+sentinel://a/m/n", AddressError::Master),
            ("redis+cluster://a,", AddressError::Host),
        ] {
            assert_eq!(text.parse::<RedisAddress>(), Err(error), "{text}");
        }
    }

    #[test]
    fn never_shows_a_password() {
        let address: RedisAddress = "redis://me:hunter2@r".parse().unwrap();
        let shown = format!("{address:?}");
        assert!(shown.contains("me") && !shown.contains("hunter2"), "{shown}");
    }
}
