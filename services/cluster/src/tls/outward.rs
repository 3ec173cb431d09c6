//! TLS towards servers that are no part of the cluster.

use super::TlsError;
use super::identity::roots;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Trusts the authorities of a file in PEM, or else those that the system trusts.
pub fn outward(ca: Option<&Path>) -> Result<Arc<ClientConfig>, TlsError> {
    let roots = match ca {
        Some(path) => {
            let pem = fs::read(path)
                .map_err(|source| TlsError::Read { path: path.to_owned(), source })?;
            roots(path, &pem)?
        }
        None => {
            let mut roots = RootCertStore::empty();
            // One that cannot be read is as good as absent: what it signed is refused.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots
        }
    };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| TlsError::Mismatch(e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
