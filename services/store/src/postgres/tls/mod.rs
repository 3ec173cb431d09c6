//! TLS towards the database, as `sslmode` in its URL asks for: the words and what they
//! mean are libpq's. Files are read again for each connection, so that renewed
//! certificates are used without a restart.

mod stream;
mod verify;

pub(super) use stream::MakeTls;

use super::error::PostgresError;
use crate::trust::{self, BadFile};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;
use verify::Lenient;

/// How much of the server's certificate is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// Nothing: whoever is on the way can be the server.
    Nothing,
    /// That an authority we trust made it.
    Authority,
    /// And that it is for the host of the URL.
    Name,
}

/// How to speak TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tls {
    /// Go on without when the server has none.
    pub(super) optional: bool,
    check: Check,
    files: Files,
}

/// In PEM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Files {
    /// Authorities; else the system's.
    pub(super) ca: Option<PathBuf>,
    /// What we show the server, and its key.
    pub(super) own: Option<(PathBuf, PathBuf)>,
}

impl Tls {
    /// What a word of `sslmode` means; `None`: no TLS.
    pub(super) fn from_mode(mode: &str, files: Files) -> Result<Option<Self>, PostgresError> {
        let (optional, check) = match mode {
            "disable" => return Ok(None),
            "prefer" => (true, Check::Nothing),
            // An authority that is named is meant.
            "require" if files.ca.is_some() => (false, Check::Authority),
            "require" => (false, Check::Nothing),
            "verify-ca" => (false, Check::Authority),
            "verify-full" => (false, Check::Name),
            _ => return Err(PostgresError::SslMode),
        };
        Ok(Some(Self { optional, check, files }))
    }

    /// Whether whoever is on the way would be found out.
    pub(super) fn is_checked(&self) -> bool {
        self.check != Check::Nothing
    }

    /// With the files as they are now.
    pub(super) fn make(&self) -> Result<MakeTls, PostgresError> {
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Lenient::new(
                self.check,
                self.roots()?,
                provider,
            )?));
        let config = match &self.files.own {
            None => config.with_no_client_auth(),
            Some((cert, key)) => {
                let chain = trust::certificates(cert).map_err(unusable)?;
                let pem = trust::read(key).map_err(unusable)?;
                let own = PrivateKeyDer::from_pem_slice(&pem);
                let own = own.map_err(|e| unusable(BadFile::new(key, e)))?;
                let given = config.with_client_auth_cert(chain, own);
                given.map_err(|e| unusable(BadFile::new(cert, e)))?
            }
        };
        Ok(MakeTls::new(Arc::new(config)))
    }

    fn roots(&self) -> Result<RootCertStore, PostgresError> {
        match self.check {
            Check::Nothing => Ok(RootCertStore::empty()),
            Check::Authority | Check::Name => {
                trust::roots(self.files.ca.as_deref()).map_err(unusable)
            }
        }
    }
}

fn unusable(what: impl Display) -> PostgresError {
    PostgresError::Tls(what.to_string())
}
