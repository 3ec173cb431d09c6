//! Whom a connection over TLS trusts, and what it shows. The files are read again for each
//! connection, so that renewed ones are used without a restart; what sentinels and a
//! cluster are asked with stays as it was.

use super::settings::{BadSettings, RedisSettings};
use redis::{ClientTlsConfig, TlsCertificates};
use std::path::{Path, PathBuf};

/// Files in PEM, which were there when the settings were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificates {
    ca: Option<PathBuf>,
    own: Option<(PathBuf, PathBuf)>,
}

impl Certificates {
    pub(super) fn new(settings: &RedisSettings) -> Result<Self, BadSettings> {
        let own = match (&settings.client_cert, &settings.client_key) {
            (Some(cert), Some(key)) => Some((cert.clone(), key.clone())),
            (None, None) => None,
            _ => return Err(BadSettings::HalfPair),
        };
        let found = Self { ca: settings.ca.clone(), own };
        if !settings.address.is_tls() && (found.ca.is_some() || found.own.is_some()) {
            return Err(BadSettings::CertificatesUnused);
        }
        found.read().map_err(BadSettings::File)?;
        Ok(found)
    }

    /// As the files are now; fails with a line that names the one.
    pub(super) fn read(&self) -> Result<TlsCertificates, String> {
        let own = self.own.as_ref().map(|(cert, key)| {
            Ok::<_, String>(ClientTlsConfig { client_cert: read(cert)?, client_key: read(key)? })
        });
        Ok(TlsCertificates {
            client_tls: own.transpose()?,
            root_cert: self.ca.as_deref().map(read).transpose()?,
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))
}
