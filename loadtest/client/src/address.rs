//! Where a gateway listens, checked once, and from where it is called.

use crate::connection::OpenError;
use crate::source;
use crate::tls::{self, Inside, Stream, TlsName};
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
    port: u16,
    is_secure: bool,
    /// What its certificate is for and what it is called by, when that is not the host.
    name: Option<TlsName>,
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

/// Text that is no address of a gateway, or no name of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No address.
    #[error("{0} is not an address such as http://127.0.0.1:8080")]
    Form(String),
    /// Nothing that a certificate could be for.
    #[error("{0:?} is not a name such as chat.example")]
    Name(String),
    /// A name for a gateway that shows no certificate.
    #[error("{0} has no certificate whose name could be known: it is not https://")]
    Plain(String),
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || AddressError::Form(text.to_owned());
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
            port,
            is_secure,
            name: None,
            source: None,
            dial: None,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.authority)
    }
}

impl Address {
    /// `HOST:PORT`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The same gateway, whose certificate is for this name whatever is dialled. It is
    /// also called by it, as if the name had led there.
    pub fn named(self, name: TlsName) -> Result<Self, AddressError> {
        match self.is_secure {
            true => Ok(Self { name: Some(name), ..self }),
            false => Err(AddressError::Plain(self.to_string())),
        }
    }

    /// What its certificate is for, when that is not the host.
    pub fn name(&self) -> Option<&TlsName> {
        self.name.as_ref()
    }

    /// `HOST:PORT` as a gateway hears it in `Host` and `:authority`.
    pub(super) fn called(&self) -> String {
        match &self.name {
            Some(name) => format!("{name}:{}", self.port),
            None => self.authority.clone(),
        }
    }

    fn scheme(&self) -> &'static str {
        if self.is_secure { "https" } else { "http" }
    }

    /// The gateways that share this host: one for each address that it has. With TLS
    /// their certificates are for one name: the one that was given, or the host.
    pub async fn each(&self) -> io::Result<Vec<Self>> {
        // An address is no name: its certificate is for itself then.
        let host = || self.is_secure.then(|| self.host.parse().ok()).flatten();
        let name = self.name.clone().or_else(host);
        let found: BTreeSet<SocketAddr> = lookup_host(&self.authority).await?.collect();
        let one = |at: SocketAddr| Self {
            authority: at.to_string(),
            host: at.ip().to_string(),
            name: name.clone(),
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
            true => {
                let name = self.name.as_ref().map_or(&*self.host, TlsName::as_str);
                tls::secured(tcp, name, inside).await
            }
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
        let error = || AddressError::Form(self.to_string());
        let origin = format!("{}://{}", self.scheme(), self.called());
        // TLS is this client's own matter: tonic would read all authorities anew for
        // each channel.
        let endpoint = Endpoint::from_shared(format!("http://{}", self.authority))
            .map_err(|_| error())?
            .origin(origin.parse().map_err(|_| error())?);
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
    use crate::{Carrier, Connection, UploadError, upload};
    use bytes::Bytes;
    use http_body_util::Empty;
    use hyper::body::Incoming;
    use hyper_util::rt::TokioExecutor;
    use hyper_util::server::conn::auto;
    use hyper_util::service::TowerToHyperService;
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;

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
    }

    /// The name that each one's certificate is for, when it is not the host.
    async fn names(address: Address) -> Vec<Option<String>> {
        let each = address.each().await.unwrap();
        each.iter().map(|a| a.name().map(ToString::to_string)).collect()
    }

    #[tokio::test]
    async fn each_address_of_a_name_has_a_certificate_for_that_name() {
        let parsed = |text: &str| text.parse::<Address>().unwrap();
        let named = |text: &str| parsed(text).named("chat.example".parse().unwrap());
        let of_host = names(parsed("https://localhost:8080")).await;
        assert!(!of_host.is_empty());
        assert!(of_host.iter().all(|name| name.as_deref() == Some("localhost")), "{of_host:?}");
        let given = names(named("https://localhost:8080").unwrap()).await;
        assert!(given.iter().all(|name| name.as_deref() == Some("chat.example")), "{given:?}");
        let address = parsed("https://127.0.0.1:8080");
        assert_eq!(address.each().await.unwrap(), [address]);
        assert!(names(parsed("http://localhost:8080")).await.iter().all(Option::is_none));
    }

    #[test]
    fn only_who_shows_a_certificate_has_a_name_in_it() {
        let address: Address = "http://127.0.0.1:8080".parse().unwrap();
        let name: TlsName = "chat.example".parse().unwrap();
        assert!(matches!(address.named(name.clone()), Err(AddressError::Plain(_))));
        let address: Address = "https://127.0.0.1".parse().unwrap();
        let named = address.clone().named(name).unwrap();
        // Dialled and printed is what it was.
        assert_eq!((named.authority(), named.to_string()), ("127.0.0.1:443", address.to_string()));
        assert!(named.is_loopback() && named != address);
        for wrong in ["", "*.example", "127.0.0.1", "::1", "chat.example:443", "https://a", "a b"] {
            assert!(wrong.parse::<TlsName>().is_err(), "{wrong}");
        }
    }

    /// What the next connection asks for first, by `Host` or `:authority`.
    async fn heard(listener: &TcpListener) -> String {
        let (tcp, _) = listener.accept().await.unwrap();
        let (heard, mut hears) = mpsc::channel(1);
        let answer = service_fn(move |request: http::Request<Incoming>| {
            let host = request.headers().get(http::header::HOST).map(|h| h.to_str().unwrap());
            let authority = request.uri().authority().map(http::uri::Authority::as_str);
            heard.try_send(authority.or(host).unwrap_or_default().to_owned()).unwrap();
            let refused = http::Response::builder().status(503).body(Empty::<Bytes>::new());
            async move { refused }
        });
        let serving = auto::Builder::new(TokioExecutor::new());
        let serving = serving.serve_connection(TokioIo::new(tcp), TowerToHyperService::new(answer));
        // The client hangs up however it likes.
        let (heard, _) = tokio::join!(hears.recv(), serving.into_owned());
        heard.expect("a request")
    }

    #[tokio::test]
    async fn whatever_is_asked_is_asked_of_the_name() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let plain: Address = format!("http://{at}").parse().unwrap();
        // Without TLS, so that what is inside can be read here.
        let named = Address { name: Some("chat.example".parse().unwrap()), ..plain.clone() };
        let expected = [at.to_string(), format!("chat.example:{}", at.port())];
        for (address, expected) in [plain, named].iter().zip(expected) {
            for carrier in [Carrier::Grpc, Carrier::WebSocketJson] {
                // Refused or not: it is over at once.
                let opening = async { drop(Connection::connect(carrier, address).await) };
                let (heard, ()) = tokio::join!(heard(&listener), opening);
                assert_eq!(heard, expected, "{carrier:?}");
            }
            let uploading = upload(address, "token", "conversation", "a.txt", b"text");
            let (heard, uploaded) = tokio::join!(heard(&listener), uploading);
            assert_eq!(heard, expected, "a file");
            assert!(matches!(uploaded, Err(UploadError::Refused(_))), "{uploaded:?}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        let local = |text: &str| text.parse::<Address>().unwrap().is_loopback();
        assert!(local("http://127.0.7.1:1") && local("http://localhost:1"));
        assert!(local("http://[::1]:1"));
        assert!(!local("http://10.0.0.1:1") && !local("http://localhost.example:1"));
    }
}
