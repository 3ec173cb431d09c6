//! Where the database is and how it is spoken to: the URL, read once. `sslmode` and the
//! files beside it are taken out first, as the driver knows fewer of them than libpq.

use super::error::PostgresError;
use super::settings::PostgresSettings;
use super::tls::{Files, Tls};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::net::IpAddr;
use std::path::PathBuf;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// What stands for something in a query; a path stays readable.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

/// See the module.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) tls: Option<Tls>,
}

/// Reads the URL of the settings.
pub(super) fn parse(settings: &PostgresSettings) -> Result<(Config, Option<Tls>), PostgresError> {
    let (mut mode, mut from_url) = (None, Files::default());
    let (mut cert, mut key) = (None, None);
    let (place, query) = settings.url.split_once('?').unwrap_or((&settings.url, ""));
    let mut rest = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8().map_err(|_| PostgresError::Url)?;
        match name {
            "sslmode" => mode = Some(value.into_owned()),
            // What libpq calls the system's authorities.
            "sslrootcert" if value == "system" => {}
            "sslrootcert" => from_url.ca = Some(PathBuf::from(value.as_ref())),
            "sslcert" => cert = Some(PathBuf::from(value.as_ref())),
            "sslkey" => key = Some(PathBuf::from(value.as_ref())),
            _ => rest.push(pair),
        }
    }
    let url = match rest.is_empty() {
        true => place.to_owned(),
        false => format!("{place}?{}", rest.join("&")),
    };
    // The message of a bad URL may repeat it.
    let mut config: Config = url.parse().map_err(|_| PostgresError::Url)?;
    let own = (cert.or(settings.client_cert.clone()), key.or(settings.client_key.clone()));
    let files = Files {
        ca: from_url.ca.or(settings.ca.clone()),
        own: match own {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            _ => return Err(PostgresError::HalfPair),
        },
    };
    // What is not a URL may ask for it in the driver's own way.
    let asked = config.get_ssl_mode() == SslMode::Require;
    let unsaid = if asked { "require" } else { "disable" };
    let tls = Tls::from_mode(mode.as_deref().unwrap_or(unsaid), files)?;
    config.ssl_mode(match &tls {
        None => SslMode::Disable,
        Some(tls) if tls.optional => SslMode::Prefer,
        Some(_) => SslMode::Require,
    });
    Ok((config, tls))
}

impl PostgresSettings {
    /// The URL as PostgreSQL's own programs take it, without a password; `None` when it is
    /// written in another way than as a URL.
    pub fn url_without_password(&self) -> Option<String> {
        let (scheme, rest) = self.url.split_once("://")?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = place.split_once('/').unwrap_or((place, ""));
        let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let user = login.split_once(':').map_or(login, |(user, _)| user);
        let files = [
            ("sslrootcert", &self.ca),
            ("sslcert", &self.client_cert),
            ("sslkey", &self.client_key),
        ];
        let files = files.into_iter().filter_map(|(name, path)| {
            let path = path.as_ref()?.to_str()?;
            let is_said = query.split('&').any(|pair| pair.split('=').next() == Some(name));
            (!is_said).then(|| format!("{name}={}", utf8_percent_encode(path, IN_QUERY)))
        });
        let said = query.split('&').filter(|p| !p.is_empty() && !p.starts_with("password="));
        let query: Vec<String> = said.map(str::to_owned).chain(files).collect();
        let at = if user.is_empty() { "" } else { "@" };
        let ask = if query.is_empty() { "" } else { "?" };
        Some(format!("{scheme}://{user}{at}{hosts}/{database}{ask}{}", query.join("&")))
    }

    /// A host that is reached in plain text, or by TLS that does not check whose
    /// certificate it is, although it is not this machine.
    ///
    /// # Errors
    /// As a connection would fail that is not even tried.
    pub fn exposed_host(&self) -> Result<Option<String>, PostgresError> {
        let (config, tls) = parse(self)?;
        if tls.is_some_and(|tls| tls.is_checked()) {
            return Ok(None);
        }
        let elsewhere = |host: &&Host| match host {
            Host::Tcp(name) => {
                let local = name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
                !local && name != "localhost"
            }
            // A socket in the file system.
            Host::Unix(_) => false,
        };
        let found = config.get_hosts().iter().find(elsewhere);
        Ok(found.map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        let shown = |url: &str| {
            let ca = url.contains("verify").then(|| PathBuf::from("/etc/a b/ca.pem"));
            PostgresSettings { url: url.into(), ca, ..Default::default() }.url_without_password()
        };
        let all = [
            ("postgresql://u:p%40x@db:5432/f", "postgresql://u@db:5432/f"),
            ("postgres://u@a,b:6/f?sslmode=require", "postgres://u@a,b:6/f?sslmode=require"),
            ("postgresql://db", "postgresql://db/"),
            ("postgresql://db/f?password=x&user=u", "postgresql://db/f?user=u"),
            (
                "postgresql://u:p@db/f?sslmode=verify-full",
                "postgresql://u@db/f?sslmode=verify-full&sslrootcert=/etc/a%20b/ca.pem",
            ),
        ];
        for (url, expected) in all {
            assert_eq!(shown(url).as_deref(), Some(expected), "{url}");
        }
        assert_eq!(shown("host=db password=secret"), None);
    }
}
