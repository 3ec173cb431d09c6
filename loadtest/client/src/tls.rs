//! TLS to a gateway. Trusted are the authorities that this machine trusts, or those
//! of the file that `SSL_CERT_FILE` names.

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::io;
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

/// Read once: a machine trusts well over a hundred authorities.
static ROOTS: LazyLock<Result<Arc<RootCertStore>, String>> = LazyLock::new(roots);

/// Makes a TLS connection of a TCP connection.
pub(crate) async fn secured(tcp: TcpStream, host: &str, inside: Inside) -> io::Result<Stream> {
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
    let name = ServerName::try_from(host.to_owned()).map_err(|e| invalid(&e))?;
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
