//! A small HTTP client that sends exactly what it is told and never follows
//! or repairs anything.

use crate::deadline::step;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, Method, Request, StatusCode, request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// Calls one server, each call over a connection of its own.
#[derive(Debug, Clone, Copy)]
pub struct Http {
    address: SocketAddr,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Http {
    /// A client of this server.
    pub fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// A call to be completed with a body and sent.
    pub fn call(&self, method: Method, path: &str) -> request::Builder {
        Request::builder().method(method).uri(path).header(HOST, self.address.to_string())
    }

    /// A call with a bearer token.
    pub fn call_as(&self, token: &str, method: Method, path: &str) -> request::Builder {
        self.call(method, path).header(AUTHORIZATION, format!("Bearer {token}"))
    }

    /// Gets a resource without a token.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.call(Method::GET, path), Bytes::new()).await
    }

    /// Gets a resource with a token.
    pub async fn get_as(&self, token: &str, path: &str) -> Answer {
        self.send(self.call_as(token, Method::GET, path), Bytes::new()).await
    }

    /// Posts JSON without a token.
    pub async fn post(&self, path: &str, body: &impl Serialize) -> Answer {
        let body = serde_json::to_vec(body).expect("test data is JSON");
        let call = self.call(Method::POST, path).header(CONTENT_TYPE, "application/json");
        self.send(call, body.into()).await
    }

    /// Sends a call; panics when there is no answer.
    pub async fn send(&self, call: request::Builder, body: Bytes) -> Answer {
        self.try_send(call, body).await.unwrap_or_else(|e| panic!("no answer: {e}"))
    }

    /// Sends a call; an error when the server hangs up before it has answered.
    pub async fn try_send(
        &self,
        call: request::Builder,
        body: Bytes,
    ) -> Result<Answer, hyper::Error> {
        let request = call.body(Full::new(body)).expect("a valid request");
        step(format!("{} {}", request.method(), request.uri()), self.exchange(request)).await
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, hyper::Error> {
        let stream = TcpStream::connect(self.address).await.expect("the server listens");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // Ends with the exchange: the sender is dropped at its end.
        let driver = tokio::spawn(connection);
        let answer = async {
            let (parts, body) = sender.send_request(request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok(Answer { status: parts.status, headers: parts.headers, body })
        }
        .await;
        driver.abort();
        answer
    }
}

impl Answer {
    /// Panics unless the call succeeded.
    #[track_caller]
    pub fn expect_ok(self) -> Self {
        assert!(self.status.is_success(), "status {}: {}", self.status, self.text());
        self
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("not the expected JSON ({e}): {}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header as text; empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }
}
