//! What can be set of the object store, and what of it makes no sense.

use http::Uri;
use http::uri::{Authority, Scheme};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// What can be set of the object store. `Debug` hides the key's secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct S3Settings {
    /// `https://host:port` of the store; AWS's own of the region when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// As the store calls it; signatures are made for it.
    pub region: String,
    /// The bucket, which must be there.
    pub bucket: String,
    /// What all keys in it begin with, such as `frontdesk/eu`.
    pub prefix: String,
    /// The bucket's name stands in the path; else before the host's name.
    pub path_style: bool,
    /// Key to sign with. Without one, and without a file, the process's surroundings say
    /// who it is, as AWS's own programs are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// Its secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_access_key: Option<String>,
    /// Rather than a key here: a file with one, as AWS's programs keep it
    /// (`aws_access_key_id = …`), which is read again when it may have changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_file: Option<PathBuf>,
    /// Authorities that the server's certificate may be of, in PEM; else the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Take an endpoint without TLS: whoever is on the way can read along.
    pub allow_http: bool,
}

impl Default for S3Settings {
    fn default() -> Self {
        Self {
            endpoint: None,
            region: "us-east-1".to_owned(),
            bucket: String::new(),
            prefix: String::new(),
            path_style: true,
            access_key_id: None,
            secret_access_key: None,
            credentials_file: None,
            ca: None,
            allow_http: false,
        }
    }
}

impl fmt::Debug for S3Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Settings")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// Why an object store cannot be used as it is set; one line.
#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    /// Nothing but the origin of a server will do.
    #[error("attachments.s3.endpoint is not of the form https://host or https://host:port")]
    Endpoint,
    /// It would be spoken to in the open.
    #[error("attachments.s3.endpoint has no TLS: use https://, or set allow_http")]
    Plain,
    /// A name that no bucket has.
    #[error("attachments.s3.bucket is not the name of a bucket")]
    Bucket,
    /// What no key may begin with.
    #[error("attachments.s3.prefix: letters, digits and -_. only, in parts between slashes")]
    Prefix,
    /// A name that no region has.
    #[error("attachments.s3.region: letters, digits and - only")]
    Region,
    /// A key without its secret, the other way round, or two sources of keys.
    #[error(
        "attachments.s3: access_key_id and secret_access_key belong together, and go without \
         credentials_file"
    )]
    Key,
    /// A file cannot be used.
    #[error("attachments.s3: {0}")]
    File(String),
    /// The library refuses what it was given.
    #[error("attachments.s3: {0}")]
    Refused(String),
}

/// Where a bucket is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Address of the bucket, without a slash at its end.
    pub(super) url: String,
    /// The server's name or address.
    pub(super) host: String,
    pub(super) tls: bool,
}

impl S3Settings {
    /// Checks everything that can be checked without asking anybody.
    pub(super) fn place(&self) -> Result<Place, S3Error> {
        let name = |text: &str, more: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        if !name(&self.region, "-") {
            return Err(S3Error::Region);
        }
        if !name(&self.bucket, "-_.") || self.bucket.starts_with('.') {
            return Err(S3Error::Bucket);
        }
        let part = |part: &str| name(part, "-_.") && !part.chars().all(|c| c == '.');
        if !self.parts().all(part) {
            return Err(S3Error::Prefix);
        }
        if self.access_key_id.is_some() != self.secret_access_key.is_some()
            || self.access_key_id.is_some() && self.credentials_file.is_some()
        {
            return Err(S3Error::Key);
        }
        let (scheme, authority) = self.origin()?;
        let tls = scheme == Scheme::HTTPS;
        if !tls && !self.allow_http {
            return Err(S3Error::Plain);
        }
        let url = match self.path_style {
            true => format!("{scheme}://{authority}/{}", self.bucket),
            false => format!("{scheme}://{}.{authority}", self.bucket),
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Place { url, host, tls })
    }

    fn origin(&self) -> Result<(Scheme, Authority), S3Error> {
        let aws = || format!("https://s3.{}.amazonaws.com", self.region);
        let endpoint = self.endpoint.clone().unwrap_or_else(aws);
        let uri: Uri = endpoint.parse().map_err(|_| S3Error::Endpoint)?;
        let scheme = uri.scheme().filter(|s| **s == Scheme::HTTPS || **s == Scheme::HTTP);
        let bare = uri.path_and_query().is_none_or(|path| path.as_str() == "/");
        let authority = uri.authority().filter(|a| bare && !a.as_str().contains('@'));
        match (scheme, authority) {
            (Some(scheme), Some(authority)) if !authority.host().is_empty() => {
                Ok((scheme.clone(), authority.clone()))
            }
            _ => Err(S3Error::Endpoint),
        }
    }

    /// The parts of the prefix.
    pub(super) fn parts(&self) -> impl Iterator<Item = &str> {
        let prefix = self.prefix.trim_matches('/');
        prefix.split('/').filter(move |_| !prefix.is_empty())
    }

    /// The host, if it is another machine that is spoken to without TLS.
    pub fn exposed_host(&self) -> Result<Option<String>, S3Error> {
        let Place { host, tls, .. } = self.place()?;
        let local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        Ok((!tls && !local).then_some(host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(change: impl FnOnce(&mut S3Settings)) -> S3Settings {
        let mut settings = S3Settings { bucket: "files".into(), ..Default::default() };
        change(&mut settings);
        settings
    }

    fn at(endpoint: &str) -> S3Settings {
        settings(|s| s.endpoint = Some(endpoint.into()))
    }

    #[test]
    fn a_bucket_is_found_by_path_or_by_name() {
        let url = |settings: &S3Settings| settings.place().unwrap().url;
        let aws = settings(|s| s.region = "eu-central-1".into());
        assert_eq!(url(&aws), "https://s3.eu-central-1.amazonaws.com/files");
        let by_name = settings(|s| s.path_style = false);
        assert_eq!(url(&by_name), "https://files.s3.us-east-1.amazonaws.com");
        assert_eq!(url(&at("https://minio.example:9000")), "https://minio.example:9000/files");
        assert_eq!(url(&at("https://minio.example/")), "https://minio.example/files");
    }

    #[test]
    fn what_makes_no_sense_is_told_by_its_name() {
        for endpoint in
            ["", "minio", "ftp://a", "https://", "https://u:p@a", "https://a/b", "https://a?b"]
        {
            assert!(matches!(at(endpoint).place(), Err(S3Error::Endpoint)), "{endpoint}");
        }
        for bucket in ["", "..", "a/b", "a b", "ä"] {
            let settings = settings(|s| s.bucket = bucket.into());
            assert!(matches!(settings.place(), Err(S3Error::Bucket)), "{bucket}");
        }
        for prefix in ["a//b", "..", "a/../b", "a b", "a/./b"] {
            let settings = settings(|s| s.prefix = prefix.into());
            assert!(matches!(settings.place(), Err(S3Error::Prefix)), "{prefix}");
        }
        for prefix in ["", "/", "a", "/a/b.c/"] {
            assert!(settings(|s| s.prefix = prefix.into()).place().is_ok(), "{prefix}");
        }
        let region = settings(|s| s.region = "eu/1".into());
        assert!(matches!(region.place(), Err(S3Error::Region)));
        let half = settings(|s| s.access_key_id = Some("a".into()));
        assert!(matches!(half.place(), Err(S3Error::Key)));
        let two = settings(|s| {
            s.access_key_id = Some("a".into());
            s.secret_access_key = Some("b".into());
            s.credentials_file = Some("c".into());
        });
        assert!(matches!(two.place(), Err(S3Error::Key)));
    }

    #[test]
    fn plain_text_has_to_be_asked_for() {
        let mut plain = at("http://minio.example:9000");
        assert!(matches!(plain.place(), Err(S3Error::Plain)));
        plain.allow_http = true;
        assert_eq!(plain.exposed_host().unwrap().as_deref(), Some("minio.example"));
        for local in ["http://127.0.0.1:9000", "http://[::1]", "https://minio.example"] {
            let settings = S3Settings { allow_http: true, ..at(local) };
            assert_eq!(settings.exposed_host().unwrap(), None, "{local}");
        }
    }

    #[test]
    fn settings_of_the_store_never_show_the_secret() {
        let settings = settings(|s| s.secret_access_key = Some("wJalrXUt".into()));
        assert!(!format!("{settings:?}").contains("wJalrXUt"));
    }
}
