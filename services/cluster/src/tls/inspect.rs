//! How long certificates are good for, for people who look after them.

use super::identity::{certificates, content};
use super::{TlsError, TlsFiles};
use frontdesk_core::time::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// One certificate of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateTerm {
    /// The file.
    pub path: PathBuf,
    /// Whom it is for.
    pub subject: String,
    /// Not good before.
    pub from: Timestamp,
    /// Not good after.
    pub until: Timestamp,
}

impl TlsFiles {
    /// Every certificate in these files, the authorities' included.
    pub fn terms(&self) -> Result<Vec<CertificateTerm>, TlsError> {
        let mut terms = terms_of(&self.cert)?;
        if let Some(ca) = &self.ca {
            terms.extend(terms_of(ca)?);
        }
        Ok(terms)
    }
}

fn terms_of(path: &Path) -> Result<Vec<CertificateTerm>, TlsError> {
    let pem = fs::read(path).map_err(|source| TlsError::Read { path: path.to_owned(), source })?;
    let term = |der: &[u8]| {
        let (_, parsed) = X509Certificate::from_der(der).map_err(|e| content(path, e))?;
        let validity = parsed.validity();
        Ok(CertificateTerm {
            path: path.to_owned(),
            subject: parsed.subject().to_string(),
            from: time(validity.not_before.timestamp()),
            until: time(validity.not_after.timestamp()),
        })
    };
    certificates(path, &pem)?.iter().map(|der| term(der)).collect()
}

/// Seconds before 1970 count as then.
fn time(seconds: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000))
}
