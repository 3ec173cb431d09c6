//! TLS to a gateway. Trusted are the authorities that this machine trusts, or those
//! of the file that `SSL_CERT_FILE` and the folder that `SSL_CERT_DIR` names.

use crate::address::AddressError;
use rustls::pki_types::{DnsName, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::either::Either;

/// A connection with TLS or without.
pub(crate) type Stream = Either<TcpStream, Box<tokio_rustls::client::TlsStream<TcpStream>>>;

/// What is spoken inside: the gateway serves both on one port.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Inside {
    Http1,
    Http2,
}

/// A name that a certificate may be for, such as `chat.example`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsName(DnsName<'static>);

impl TlsName {
    /// As it was given.
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }
}

impl FromStr for TlsName {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = DnsName::try_from(text.to_owned());
        name.map(Self).map_err(|_| AddressError::Name(text.to_owned()))
    }
}

impl fmt::Display for TlsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Read once: a machine trusts well over a hundred authorities.
static ROOTS: LazyLock<Result<Arc<RootCertStore>, String>> = LazyLock::new(roots);

/// Makes a TLS connection of a TCP connection, to whoever has a certificate for `name`.
pub(crate) async fn secured(tcp: TcpStream, name: &str, inside: Inside) -> io::Result<Stream> {
    let invalid = |e: &dyn std::fmt::Display| io::Error::other(e.to_string());
    let roots = ROOTS.clone().map_err(|e| invalid(&e))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| invalid(&e))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let protocol: &[u8] = match inside {
        Inside::Http1 => b"http/1.1",
        Inside::Http2 => b"h2",
    };
    config.alpn_protocols = vec![protocol.to_vec()];
    let name = ServerName::try_from(name.to_owned()).map_err(|e| invalid(&e))?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await?;
    Ok(Either::Right(Box::new(stream)))
}

fn roots() -> Result<Arc<RootCertStore>, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if !roots.is_empty() {
        return Ok(Arc::new(roots));
    }
    let why = found.errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    Err(format!("no authority is trusted here: set SSL_CERT_FILE ({why})"))
}
