//! How long certificates are good for, for people who look after them.

use super::identity::{certificates, content};
use super::{TlsError, TlsFiles};
use frontdesk_core::time::Timestamp;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// One certificate of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateTerm {
    /// The file.
    pub path: PathBuf,
    /// Whom it is for.
    pub subject: String,
    /// Names that it is good for; an authority's has none.
    pub names: Vec<String>,
    /// Not good before.
    pub from: Timestamp,
    /// Not good after.
    pub until: Timestamp,
}

impl TlsFiles {
    /// Every certificate in these files, the authorities' included.
    pub fn terms(&self) -> Result<Vec<CertificateTerm>, TlsError> {
        let mut terms = certificate_terms(&self.cert)?;
        if let Some(ca) = &self.ca {
            terms.extend(certificate_terms(ca)?);
        }
        Ok(terms)
    }
}

/// Every certificate of a file in PEM.
pub fn certificate_terms(path: &Path) -> Result<Vec<CertificateTerm>, TlsError> {
    let pem = fs::read(path).map_err(|source| TlsError::Read { path: path.to_owned(), source })?;
    let term = |der: &[u8]| {
        let (_, parsed) = X509Certificate::from_der(der).map_err(|e| content(path, e))?;
        let validity = parsed.validity();
        Ok(CertificateTerm {
            path: path.to_owned(),
            subject: parsed.subject().to_string(),
            names: names(&parsed),
            from: time(validity.not_before.timestamp()),
            until: time(validity.not_after.timestamp()),
        })
    };
    certificates(path, &pem)?.iter().map(|der| term(der)).collect()
}

/// DNS names and addresses, as they are written in settings.
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let named = alternative.into_iter().flat_map(|found| &found.value.general_names);
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|ip| IpAddr::from(ip).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|ip| IpAddr::from(ip).to_string()),
        },
        _ => None,
    };
    named.filter_map(text).collect()
}

/// Seconds before 1970 count as then.
fn time(seconds: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000))
}
