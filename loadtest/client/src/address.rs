//! Where a gateway listens, checked once, and from where it is called.

use crate::connection::OpenError;
use crate::source;
use crate::tls::{self, Inside, Stream};
use hyper_util::rt::TokioIo;
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use tokio::net::lookup_host;
use tokio_util::either::Either;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

/// Base address of a gateway: `http://HOST:PORT`, or `https://`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `HOST:PORT`.
    authority: String,
    host: String,
    is_secure: bool,
    /// Address of this machine to connect from.
    source: Option<IpAddr>,
    /// Another network than this machine's.
    dial: Option<Dial>,
}

/// A way to connect over another network than this machine's; gRPC only.
#[derive(Clone)]
pub struct Dial(Arc<dyn Fn(Endpoint) -> Channel + Send + Sync>);

impl Dial {
    /// Makes the channel of an endpoint, connected when it is first used.
    pub fn new(dial: impl Fn(Endpoint) -> Channel + Send + Sync + 'static) -> Self {
        Self(Arc::new(dial))
    }
}

impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dial")
    }
}

impl PartialEq for Dial {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Dial {}

/// Text that is no address of a gateway.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not an address such as http://127.0.0.1:8080")]
pub struct AddressError(String);

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || AddressError(text.to_owned());
        let uri: http::Uri = text.parse().map_err(|_| error())?;
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let is_secure = match uri.scheme_str() {
            Some("http") if bare => false,
            Some("https") if bare => true,
            _ => return Err(error()),
        };
        let host = uri.host().filter(|h| !h.is_empty()).ok_or_else(error)?;
        let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        Ok(Self {
            authority: format!("{host}:{port}"),
            host: host.trim_matches(['[', ']']).to_owned(),
            is_secure,
            source: None,
            dial: None,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secure { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority)
    }
}

impl Address {
    /// `HOST:PORT`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The gateways that share this name: one for each address that it has. Only those
    /// that speak plain HTTP, as certificates are for names.
    pub async fn each(&self) -> io::Result<Vec<Self>> {
        if self.is_secure {
            return Err(io::Error::other(format!("{self}: a certificate is for its name alone")));
        }
        let found: BTreeSet<SocketAddr> = lookup_host(&self.authority).await?.collect();
        let one = |at: SocketAddr| Self {
            authority: at.to_string(),
            host: at.ip().to_string(),
            ..self.clone()
        };
        Ok(found.into_iter().map(one).collect())
    }

    /// The same gateway, called from this address: one source address has some
    /// 28,000 ports for each target.
    #[must_use]
    pub fn from_source(self, source: IpAddr) -> Self {
        Self { source: Some(source), ..self }
    }

    /// The same gateway, reached over another network.
    #[must_use]
    pub fn through(self, dial: Dial) -> Self {
        Self { dial: Some(dial), ..self }
    }

    /// A gRPC channel, connected already unless it goes over another network.
    pub(super) async fn open_channel(&self) -> Result<Channel, OpenError> {
        let endpoint = self.endpoint().map_err(|e| OpenError::Refused(e.to_string()))?;
        match &self.dial {
            Some(Dial(dial)) => Ok(dial(endpoint)),
            None if self.is_secure => {
                let dial = self.clone();
                let dial = service_fn(move |_| dial.clone().dial_http2());
                endpoint.connect_with_connector(dial).await.map_err(OpenError::Transport)
            }
            None => endpoint.connect().await.map_err(OpenError::Transport),
        }
    }

    /// A gRPC channel, connected when it is first used.
    pub(super) fn channel(&self) -> Result<Channel, AddressError> {
        let endpoint = self.endpoint()?;
        Ok(match &self.dial {
            Some(Dial(dial)) => dial(endpoint),
            None if self.is_secure => {
                let dial = self.clone();
                endpoint.connect_with_connector_lazy(service_fn(move |_| dial.clone().dial_http2()))
            }
            None => endpoint.connect_lazy(),
        })
    }

    /// Opens a connection.
    pub(super) async fn connect(&self, inside: Inside) -> io::Result<Stream> {
        let tcp = source::connect(&self.authority, self.source).await?;
        tcp.set_nodelay(true)?;
        match self.is_secure {
            true => tls::secured(tcp, &self.host, inside).await,
            false => Ok(Either::Left(tcp)),
        }
    }

    async fn dial_http2(self) -> io::Result<TokioIo<Stream>> {
        self.connect(Inside::Http2).await.map(TokioIo::new)
    }

    /// Whether it is this machine.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// For gRPC, with the settings that all channels share.
    fn endpoint(&self) -> Result<Endpoint, AddressError> {
        let error = || AddressError(self.to_string());
        // TLS is this client's own matter: tonic would read all authorities anew for
        // each channel.
        let endpoint = Endpoint::from_shared(format!("http://{}", self.authority))
            .map_err(|_| error())?
            .origin(self.to_string().parse().map_err(|_| error())?);
        Ok(endpoint
            .local_address(self.source)
            .connect_timeout(super::connection::OPEN_DEADLINE)
            .http2_keep_alive_interval(std::time::Duration::from_secs(15))
            .keep_alive_timeout(std::time::Duration::from_secs(10))
            .keep_alive_while_idle(true)
            .tcp_nodelay(true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_text() {
        let address: Address = "http://127.0.0.1:8080/".parse().unwrap();
        assert_eq!(address.to_string(), "http://127.0.0.1:8080");
        let secure: Address = "https://chat.example".parse().unwrap();
        assert_eq!(secure.to_string(), "https://chat.example:443");
        for bad in ["127.0.0.1:8080", "ftp://127.0.0.1", "http://a/b", "http://a?b", "", "x"] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_name_is_as_many_gateways_as_it_has_addresses() {
        let each = |text: &str| text.parse::<Address>().unwrap();
        let one = each("http://127.0.0.1:8080").each().await.unwrap();
        assert_eq!(one, [each("http://127.0.0.1:8080")]);
        let six = each("http://[::1]:8080").each().await.unwrap();
        assert_eq!(six, [each("http://[::1]:8080")]);
        let named = each("http://localhost:8080").each().await.unwrap();
        assert!(!named.is_empty() && named.iter().all(Address::is_loopback), "{named:?}");
        // What is printed is read again by workers.
        assert!(named.iter().all(|a| a.to_string().parse() == Ok(a.clone())), "{named:?}");
        assert!(each("https://127.0.0.1:8080").each().await.is_err());
    }

    #[test]
    fn only_this_machine_is_loopback() {
        let local = |text: &str| text.parse::<Address>().unwrap().is_loopback();
        assert!(local("http://127.0.7.1:1") && local("http://localhost:1"));
        assert!(local("http://[::1]:1"));
        assert!(!local("http://10.0.0.1:1") && !local("http://localhost.example:1"));
    }
}
