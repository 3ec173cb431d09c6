//! The object store's HTTP, for the library: a pool of connections over hyper and rustls.
//! Every wait has a limit, and an answer that is no file has a size. Follows no redirect
//! and knows no proxy.

use super::settings::{S3Error, S3Settings};
use crate::trust;
use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector as TcpConnector;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use rustls::ClientConfig;
use rustls::crypto::ring;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep, timeout};

/// Until a connection is there, without TLS.
const CONNECT: Duration = Duration::from_secs(3);
/// From a request to the head of its answer, besides what its body takes.
const ANSWER: Duration = Duration::from_secs(10);
/// Bytes a second at which a body goes up at least.
const SLOWEST: u64 = 512 * 1024;
/// Between two pieces of a body that comes down.
const SILENCE: Duration = Duration::from_secs(10);
/// A dead server is noticed by the system after this idle time.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Connections kept for the next request, and for how long: servers end idle ones.
const IDLE_CONNECTIONS: usize = 16;
const IDLE: Duration = Duration::from_secs(15);
/// Bytes of an answer that says why not.
const MOST_OF_A_REFUSAL: u64 = 64 * 1024;

/// See the module. Clones share their connections.
#[derive(Clone)]
pub(super) struct Transport {
    client: Client<HttpsConnector<TcpConnector>, HttpRequestBody>,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

impl Transport {
    /// Trusts the authorities that the settings name as they are now.
    pub(super) fn new(settings: &S3Settings) -> Result<Self, S3Error> {
        let roots = trust::roots(settings.ca.as_deref());
        let roots = roots.map_err(|error| S3Error::File(error.to_string()))?;
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| S3Error::Refused(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut tcp = TcpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_keepalive(Some(KEEP_ALIVE));
        // What may go without TLS was decided with the endpoint; addresses that machines
        // of a cloud get their keys from have none.
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { client })
    }
}

impl HttpConnector for Transport {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Transport {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let size = request.body().content_length() as u64;
        let limit = ANSWER + Duration::from_secs(size / SLOWEST);
        let answer = match timeout(limit, self.client.request(request)).await {
            Ok(answer) => answer.map_err(|error| of_client(&error))?,
            Err(_) => return Err(late()),
        };
        let room = if is_file(answer.status()) { u64::MAX } else { MOST_OF_A_REFUSAL };
        Ok(answer.map(|body| HttpResponseBody::new(Coming::new(body, room))))
    }
}

fn is_file(status: StatusCode) -> bool {
    status.is_success()
}

/// Why a request has brought nothing, with what lies beneath it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Told(String);

impl Told {
    fn of(error: &dyn Error) -> Self {
        let (mut text, mut next) = (error.to_string(), error.source());
        while let Some(cause) = next {
            text = format!("{text}: {cause}");
            next = cause.source();
        }
        Self(text)
    }
}

/// All requests that are made may be made again.
fn of_client(error: &ClientError) -> HttpError {
    let kind = if error.is_connect() { HttpErrorKind::Connect } else { HttpErrorKind::Interrupted };
    HttpError::new(kind, Told::of(error))
}

fn late() -> HttpError {
    HttpError::new(HttpErrorKind::Timeout, Told("no answer in time".to_owned()))
}

/// A body on its way down.
struct Coming {
    body: Incoming,
    /// Bytes that it may still have.
    room: u64,
    silence: Pin<Box<Sleep>>,
}

impl Coming {
    fn new(body: Incoming, room: u64) -> Self {
        Self { body, room, silence: Box::pin(sleep(SILENCE)) }
    }

    fn take(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, HttpError> {
        let size = frame.data_ref().map_or(0, |bytes| bytes.len() as u64);
        let too_long = || HttpError::new(HttpErrorKind::Decode, Told("too long".to_owned()));
        self.room = self.room.checked_sub(size).ok_or_else(too_long)?;
        Ok(frame)
    }
}

impl Body for Coming {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                self.silence.as_mut().reset(Instant::now() + SILENCE);
                Poll::Ready(Some(self.take(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                let told = HttpError::new(HttpErrorKind::Interrupted, Told::of(&error));
                Poll::Ready(Some(Err(told)))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                ready!(self.silence.as_mut().poll(context));
                Poll::Ready(Some(Err(late())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
