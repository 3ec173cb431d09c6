//! `GET /v1/ws`: from HTTP to a WebSocket.

use super::error::Failure;
use super::origin_of;
use crate::carriers::ws::WebSocket;
use crate::codec::WireFormat;
use crate::connection::{self, Arrival, BrowserOrigin};
use crate::listener::Socket;
use crate::metrics::CarrierKind;
use crate::peer::Peer;
use crate::shared::Shared;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use frontdesk_proto::api::ApiError;
use frontdesk_telemetry::tasks;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;
use sha1_smol::Sha1;
use std::sync::Arc;
use std::time::Duration;

const PROTOBUF: &str = "frontdesk.v1.proto";
const JSON: &str = "frontdesk.v1.json";
/// RFC 6455, section 1.3.
const ACCEPT_GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// How long the switch may take after it was promised.
const SWITCH_DEADLINE: Duration = Duration::from_secs(10);

pub(super) async fn websocket(
    State(shared): State<Arc<Shared>>,
    Extension(peer): Extension<Peer>,
    mut request: Request,
) -> Result<Response, Failure> {
    let headers = request.headers();
    let accept = check(headers)?;
    let (kind, protocol) = subprotocol(headers)?;
    let origin =
        origin_of(headers).map(|(o, h)| BrowserOrigin { origin: o.to_owned(), host: h.to_owned() });
    let arrival = Arrival::new(kind, peer, origin).within(headers);
    let switching = request
        .extensions_mut()
        .remove::<OnUpgrade>()
        .ok_or_else(|| ApiError::Invalid("this connection cannot be upgraded".into()))?;
    // Ends with the switch or its deadline.
    tasks::spawn_tracked(
        &shared.tasks,
        "gateway.upgrade",
        switch(shared.clone(), switching, arrival),
    );

    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let out = response.headers_mut();
    out.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    out.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    out.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    out.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    Ok(response)
}

async fn switch(shared: Arc<Shared>, switching: OnUpgrade, arrival: Arrival) {
    let Ok(Ok(upgraded)) = tokio::time::timeout(SWITCH_DEADLINE, switching).await else {
        return;
    };
    // The bare socket comes back: HTTP's buffers are freed with the rest.
    let Ok(parts) = downcast::<TokioIo<Socket>>(upgraded) else {
        tracing::error!("an upgraded connection is not a socket");
        return;
    };
    let format = match arrival.kind {
        CarrierKind::WebSocketJson => WireFormat::Json,
        CarrierKind::WebSocketProtobuf | CarrierKind::Grpc => WireFormat::Protobuf,
    };
    let carrier = WebSocket::new(parts.io.into_inner().into_stream(), format, &parts.read_buf);
    // A task of its own, so that what the switch needed is freed; ends with the
    // connection, or with the gateway's stop.
    tasks::spawn_tracked(
        &shared.tasks,
        "gateway.connection",
        connection::run(shared.clone(), carrier, arrival),
    );
}

/// Checks the handshake and gives the answer to its key.
pub(super) fn check(headers: &HeaderMap) -> Result<HeaderValue, Failure> {
    if !has(headers, &header::CONNECTION, "upgrade") || !has(headers, &header::UPGRADE, "websocket")
    {
        let error = ApiError::Invalid("this address is for WebSockets".into());
        return Err(Failure::with_status(StatusCode::UPGRADE_REQUIRED, error));
    }
    if !has(headers, &header::SEC_WEBSOCKET_VERSION, "13") {
        return Err(ApiError::Invalid("Sec-WebSocket-Version must be 13".into()).into());
    }
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .filter(|k| STANDARD.decode(k).is_ok_and(|k| k.len() == 16))
        .ok_or_else(|| ApiError::Invalid("Sec-WebSocket-Key is absent or malformed".into()))?;
    let mut hash = Sha1::from(key.as_bytes());
    hash.update(ACCEPT_GUID);
    HeaderValue::from_str(&STANDARD.encode(hash.digest().bytes()))
        .map_err(|e| ApiError::Internal(e.to_string()).into())
}

/// The first subprotocol offered that is known.
pub(super) fn subprotocol(headers: &HeaderMap) -> Result<(CarrierKind, &'static str), Failure> {
    tokens(headers, &header::SEC_WEBSOCKET_PROTOCOL)
        .find_map(|offered| match offered {
            PROTOBUF => Some((CarrierKind::WebSocketProtobuf, PROTOBUF)),
            JSON => Some((CarrierKind::WebSocketJson, JSON)),
            _ => None,
        })
        .ok_or_else(|| {
            let why = format!("offer the subprotocol {PROTOBUF} or {JSON}");
            ApiError::Invalid(why).into()
        })
}

fn has(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|t| t.eq_ignore_ascii_case(token))
}

fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (header::CONNECTION, "keep-alive, Upgrade"),
            (header::UPGRADE, "websocket"),
            (header::SEC_WEBSOCKET_VERSION, "13"),
            (header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        assert_eq!(check(&headers).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn an_unknown_subprotocol_is_refused() {
        let mut headers = HeaderMap::new();
        assert!(subprotocol(&headers).is_err());
        let offered = HeaderValue::from_static("graphql-ws, frontdesk.v1.json");
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, offered);
        assert_eq!(subprotocol(&headers).unwrap().1, JSON);
    }
}
