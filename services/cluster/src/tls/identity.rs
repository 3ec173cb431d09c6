//! One version of the certificates, ready for use.

use super::{TlsError, TlsFiles};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Between processes nothing older is spoken.
const INTERNAL_VERSIONS: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];
const H2: &[u8] = b"h2";
const HTTP_1_1: &[u8] = b"http/1.1";

/// The files' bytes: what is compared to notice a change.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Contents {
    cert: Vec<u8>,
    key: Vec<u8>,
    ca: Option<Vec<u8>>,
}

impl Contents {
    pub(super) fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let read = |path: &Path| {
            fs::read(path).map_err(|source| TlsError::Read { path: path.to_owned(), source })
        };
        let ca = files.ca.as_deref().map(read).transpose()?;
        Ok(Self { cert: read(&files.cert)?, key: read(&files.key)?, ca })
    }
}

/// What one version is used for.
#[derive(Clone)]
pub(super) struct Identity {
    pub(super) server: Arc<ServerConfig>,
    /// With an authority only.
    pub(super) client: Option<Arc<ClientConfig>>,
}

impl Identity {
    /// With an authority both sides must show a certificate of it; without one
    /// clients need none.
    pub(super) fn new(files: &TlsFiles, contents: &Contents) -> Result<Self, TlsError> {
        let chain = certificates(&files.cert, &contents.cert)?;
        let key = || private_key(&files.key, &contents.key);
        let provider = Arc::new(ring::default_provider());
        let mismatch = |e: rustls::Error| TlsError::Mismatch(e.to_string());
        let Some((ca, path)) = contents.ca.as_deref().zip(files.ca.as_deref()) else {
            let mut server = ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(mismatch)?
                .with_no_client_auth()
                .with_single_cert(chain, key()?)
                .map_err(mismatch)?;
            server.alpn_protocols = vec![H2.to_vec(), HTTP_1_1.to_vec()];
            return Ok(Self { server: Arc::new(server), client: None });
        };
        let roots = Arc::new(roots(path, ca)?);
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
            .build()
            .map_err(|e| content(path, e))?;
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(INTERNAL_VERSIONS)
            .map_err(mismatch)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), key()?)
            .map_err(mismatch)?;
        server.alpn_protocols = vec![H2.to_vec()];
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(INTERNAL_VERSIONS)
            .map_err(mismatch)?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key()?)
            .map_err(mismatch)?;
        client.alpn_protocols = vec![H2.to_vec()];
        Ok(Self { server: Arc::new(server), client: Some(Arc::new(client)) })
    }
}

pub(super) fn content(path: &Path, what: impl std::fmt::Display) -> TlsError {
    TlsError::Content { path: path.to_owned(), what: what.to_string() }
}

pub(super) fn certificates(
    path: &Path,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = chain.map_err(|e| content(path, e))?;
    if chain.is_empty() {
        return Err(content(path, "holds no certificate"));
    }
    Ok(chain)
}

fn private_key(path: &Path, pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|e| content(path, e))
}

pub(super) fn roots(path: &Path, pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path, pem)? {
        roots.add(certificate).map_err(|e| content(path, e))?;
    }
    Ok(roots)
}
