//! Asking the provider: one request on one connection, over TLS unless the provider is
//! on this machine, within a deadline and a size. It follows no redirect.

use axum::http::uri::{PathAndQuery, Scheme};
use axum::http::{Method, Request, Uri, header};
use bytes::Bytes;
use frontdesk_cluster::tls::outward;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde::de::DeserializeOwned;
use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The longest a request may take, from the look-up of the name to the last byte.
const DEADLINE: Duration = Duration::from_secs(5);
/// The largest answer that is taken.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Why an address is none of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum EndpointError {
    #[error("not an address of the form https://host/path")]
    Malformed,
    #[error("http:// is only for this machine itself; use https://")]
    Plain,
}

/// An address of the provider: https, or http on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    text: String,
    tls: bool,
    host: String,
    port: u16,
    path: PathAndQuery,
    authority: String,
}

impl Endpoint {
    pub(super) fn parse(text: &str) -> Result<Self, EndpointError> {
        let malformed = EndpointError::Malformed;
        if text.contains('#') {
            return Err(malformed);
        }
        let uri: Uri = text.parse().map_err(|_| malformed)?;
        let authority = uri.authority().ok_or(malformed)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() || authority.as_str().contains('@') {
            return Err(malformed);
        }
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(malformed),
        };
        let local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if !tls && !local {
            return Err(EndpointError::Plain);
        }
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let path = uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
        let authority = authority.to_string();
        Ok(Self { text: text.to_owned(), tls, host, port, path, authority })
    }

    /// Scheme, host and port.
    pub(super) fn origin(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.authority)
    }

    /// With more parameters, in order. Their values are encoded.
    pub(super) fn with_query(&self, parameters: &[(&str, &str)]) -> String {
        let separator = if self.path.query().is_some() { '&' } else { '?' };
        format!("{}{separator}{}", self.text, form(parameters))
    }

    pub(super) fn is_tls(&self) -> bool {
        self.tls
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Parameters as a form.
pub(super) fn form(parameters: &[(&str, &str)]) -> String {
    let pairs = parameters.iter().map(|(name, value)| format!("{name}={}", encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// All but letters and digits is written as `%XX`.
pub(super) fn encode(value: &str) -> String {
    percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("no answer within {DEADLINE:?}")]
    Late,
    #[error("{0}")]
    Connect(#[from] std::io::Error),
    #[error("{0}")]
    Http(#[from] hyper::Error),
    #[error("status {0}")]
    Status(u16),
    #[error("the answer is cut off, or larger than {MAX_ANSWER_BYTES} bytes")]
    Body,
    #[error("the answer is not the JSON that it should be")]
    Json,
    #[error("the request cannot be made")]
    Request,
}

/// Who asks.
pub(super) struct Fetch {
    tls: Arc<ClientConfig>,
}

impl Fetch {
    /// Trusts the authorities of a file, or else those that the system trusts.
    pub(super) fn new(ca: Option<&Path>) -> Result<Self, String> {
        Ok(Self { tls: outward(ca).map_err(|e| e.to_string())? })
    }

    /// A document, with a bearer token or without.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        from: &Endpoint,
        bearer: Option<&str>,
    ) -> Result<T, FetchError> {
        let authorization = bearer.map(|token| format!("Bearer {token}"));
        self.ask(Method::GET, from, authorization, String::new()).await
    }

    /// What comes of a form.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        to: &Endpoint,
        authorization: Option<String>,
        form: String,
    ) -> Result<T, FetchError> {
        self.ask(Method::POST, to, authorization, form).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        endpoint: &Endpoint,
        authorization: Option<String>,
        form: String,
    ) -> Result<T, FetchError> {
        let mut request = Request::builder()
            .method(method.clone())
            .uri(endpoint.path.as_str())
            .header(header::HOST, &endpoint.authority)
            .header(header::ACCEPT, "application/json")
            .header(header::CONNECTION, "close");
        if let Some(value) = authorization {
            request = request.header(header::AUTHORIZATION, value);
        }
        if method == Method::POST {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = request.body(Full::new(Bytes::from(form)));
        let request = request.map_err(|_| FetchError::Request)?;
        let asked = tokio::time::timeout(DEADLINE, self.exchange(endpoint, request)).await;
        let answer = asked.map_err(|_| FetchError::Late)??;
        serde_json::from_slice(&answer).map_err(|_| FetchError::Json)
    }

    async fn exchange(
        &self,
        endpoint: &Endpoint,
        request: Request<Full<Bytes>>,
    ) -> Result<Bytes, FetchError> {
        let socket = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await?;
        if !endpoint.tls {
            return converse(socket, request).await;
        }
        let name = ServerName::try_from(endpoint.host.clone()).map_err(|_| FetchError::Request)?;
        let connector = TlsConnector::from(self.tls.clone());
        converse(connector.connect(name, socket).await?, request).await
    }
}

async fn converse(
    socket: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<Full<Bytes>>,
) -> Result<Bytes, FetchError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
    let exchange = async move {
        let response = sender.send_request(request).await?;
        if !response.status().is_success() {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
        Ok(body.map_err(|_| FetchError::Body)?.to_bytes())
    };
    let (mut exchange, mut connection) = (pin!(exchange), pin!(connection));
    let mut open = true;
    loop {
        tokio::select! {
            answer = &mut exchange => return answer,
            // What it has read is still to be taken; a failure shows there as well.
            _ = &mut connection, if open => open = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_providers_address_is_https_or_on_this_machine() {
        for good in ["https://login.example", "https://[2001:db8::1]:8443/a?b=c"] {
            assert!(Endpoint::parse(good).unwrap().is_tls(), "{good}");
        }
        for good in ["http://127.0.0.1:3000/x", "http://localhost", "http://[::1]:80"] {
            assert!(!Endpoint::parse(good).unwrap().is_tls(), "{good}");
        }
        for plain in ["http://login.example", "http://10.0.0.1", "http://localhost.evil.example"] {
            assert_eq!(Endpoint::parse(plain), Err(EndpointError::Plain), "{plain}");
        }
        for bad in
            ["", "login.example", "/path", "ftp://a", "https://", "https://u:p@a", "https://a/#b"]
        {
            assert_eq!(Endpoint::parse(bad), Err(EndpointError::Malformed), "{bad}");
        }
    }

    #[test]
    fn parameters_are_encoded_and_come_after_those_that_are_there() {
        let plain = Endpoint::parse("https://a.example/x").unwrap();
        let more = [("q", "a&b=c d"), ("r", "é")];
        assert_eq!(plain.with_query(&more), "https://a.example/x?q=a%26b%3Dc%20d&r=%C3%A9");
        let some = Endpoint::parse("https://a.example/x?y=1").unwrap();
        assert_eq!(some.with_query(&[("q", "1")]), "https://a.example/x?y=1&q=1");
    }
}
