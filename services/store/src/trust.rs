//! Whom to trust as a server: authorities in PEM, or those that the system trusts. Reads
//! files when it is asked to, so that renewed ones are used.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

/// A file that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {what}", path = path.display())]
pub(crate) struct BadFile {
    path: PathBuf,
    what: String,
}

impl BadFile {
    pub(crate) fn new(path: &Path, what: impl Display) -> Self {
        Self { path: path.to_owned(), what: what.to_string() }
    }
}

/// The authorities of a file, or else those that the system trusts.
pub(crate) fn roots(ca: Option<&Path>) -> Result<RootCertStore, BadFile> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|e| BadFile::new(path, e))?;
            }
        }
        // One that cannot be read is as good as absent: what it signed is refused.
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(roots)
}

/// All certificates of a file; at least one.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, BadFile> {
    let pem = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match chain {
        Ok(chain) if chain.is_empty() => Err(BadFile::new(path, "holds no certificate")),
        Ok(chain) => Ok(chain),
        Err(error) => Err(BadFile::new(path, error)),
    }
}

/// A whole file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, BadFile> {
    fs::read(path).map_err(|e| BadFile::new(path, e))
}
