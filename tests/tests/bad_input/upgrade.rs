//! Handshakes that are not for us: subprotocols and origins.

use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::{ClientBatch, ClientFrame, Hello};
use frontdesk_tests::server::Server;
use futures::{SinkExt as _, StreamExt as _};
use http::{HeaderName, HeaderValue, Method, header};
use serde_json::json;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, Error, MaybeTlsStream, Message, WebSocketStream};

const JSON: &str = "frontdesk.v1.json";

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Asks for a WebSocket with these headers; gives the subprotocol agreed on.
async fn upgrade(
    address: SocketAddr,
    headers: &[(HeaderName, &str)],
) -> Result<(Socket, Option<String>), Error> {
    let uri = format!("ws://{address}/v1/ws").parse().expect("a valid address");
    let mut builder = ClientBuilder::from_uri(uri);
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).expect("a valid header");
        builder = builder.add_header(name.clone(), value)?;
    }
    let (socket, answer) = builder.connect().await?;
    let agreed = answer.headers().get(header::SEC_WEBSOCKET_PROTOCOL);
    Ok((socket, agreed.and_then(|v| v.to_str().ok()).map(str::to_owned)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subprotocol_that_is_not_known_is_refused() {
    let server = Server::start().await;
    for offered in ["frontdesk.v2.json", "chat", ""] {
        let headers = [(header::SEC_WEBSOCKET_PROTOCOL, offered)];
        assert!(upgrade(server.address(), &headers).await.is_err(), "{offered:?}");
    }
    assert!(upgrade(server.address(), &[]).await.is_err(), "none offered");
    let several = [(header::SEC_WEBSOCKET_PROTOCOL, "frontdesk.v9, frontdesk.v1.proto")];
    let (_, agreed) = upgrade(server.address(), &several).await.expect("one of them is known");
    assert_eq!(agreed.as_deref(), Some("frontdesk.v1.proto"));
    assert_eq!(server.http().get("/v1/ws").await.status, 426);
}

/// Connects as a page of this origin would; gives the close code, 0 if welcome.
async fn connect_from(server: &Server, origin: &str, token: &str) -> u16 {
    let headers = [(header::SEC_WEBSOCKET_PROTOCOL, JSON), (header::ORIGIN, origin)];
    let (mut socket, _) = upgrade(server.address(), &headers).await.expect("upgraded");
    let hello = Hello { token: token.to_owned(), ..Hello::default() };
    let frames = vec![ClientFrame { id: 1, request: Some(Request::Hello(hello)) }];
    let text = serde_json::to_string(&ClientBatch { frames }).expect("JSON");
    socket.send(Message::text(text)).await.expect("the server reads");
    while let Some(Ok(message)) = socket.next().await {
        if let Some((code, _)) = message.as_close() {
            return code.into();
        }
        if message.as_text().is_some_and(|text| text.contains("\"welcome\"")) {
            return 0;
        }
    }
    panic!("neither welcome nor a code");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_origins_are_refused() {
    let server = Server::start().await;
    let token = server.visitor_token().await.token;
    let staff = server.sign_in(&server.agent(0)).await.token;
    for evil in ["https://evil.example", "null", "http://127.0.0.1.evil.example", "file://"] {
        assert_eq!(connect_from(&server, evil, &token).await, 4200, "{evil}");
        assert_eq!(connect_from(&server, evil, &staff).await, 4200, "{evil}");
        let call = server.http().call(Method::POST, "/v1/visitor/token");
        let body = json!({ "siteKey": server.ready().site_key }).to_string();
        let answer = server.http().send(call.header(header::ORIGIN, evil), body.into()).await;
        assert_eq!(answer.status, 403, "{evil}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{evil}");
    }
    assert_eq!(connect_from(&server, server.url(), &token).await, 0);
    assert_eq!(connect_from(&server, server.url(), &staff).await, 0);
}
