//! The one listener with certificates: WebSocket and gRPC through TLS, and new
//! certificates while old connections go on.

use crate::testing::{SITE_KEY, TestClient, World};
use frontdesk_cluster::tls::{TlsFiles, local_ca};
use frontdesk_proto::v1::auth_service_client::AuthServiceClient;
use frontdesk_proto::v1::{Hello, IssueVisitorTokenRequest, ListConversations};
use frontdesk_proto::v1::{client_frame::Request, server_frame::Frame};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Endpoint, Uri};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Trusts the authority in a folder, and speaks one protocol.
fn trusting(folder: &Path, alpn: &[u8]) -> TlsConnector {
    let authority = CertificateDer::from_pem_file(folder.join("ca.pem")).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    TlsConnector::from(Arc::new(config))
}

async fn connect(
    connector: &TlsConnector,
    address: SocketAddr,
) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    connector.connect(ServerName::try_from("localhost").unwrap(), stream).await
}

async fn world(folder: &Path) -> World {
    let TlsFiles { cert, key, .. } = local_ca(folder).unwrap();
    World::with(|s| s.tls = Some(TlsFiles { cert, key, ca: None })).await
}

async fn chat(world: &World, connector: &TlsConnector) -> io::Result<TestClient> {
    let stream = connect(connector, world.gateway.local_addr()).await?;
    let mut client = TestClient::over(stream, true).await;
    let hello = Hello { token: world.visitor(), ..Hello::default() };
    assert!(matches!(client.ask(Request::Hello(hello)).await, Frame::Welcome(_)));
    Ok(client)
}

async fn list(client: &mut TestClient) {
    let answer = client.ask(Request::ListConversations(ListConversations::default())).await;
    assert!(matches!(answer, Frame::ConversationList(_)), "{answer:?}");
}

#[tokio::test]
async fn chats_and_calls_go_through_tls_and_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path()).await;
    let mut client = chat(&world, &trusting(folder.path(), b"http/1.1")).await.unwrap();
    list(&mut client).await;

    let (connector, address) = (trusting(folder.path(), b"h2"), world.gateway.local_addr());
    let dial = tower::service_fn(move |_: Uri| {
        let connector = connector.clone();
        async move { connect(&connector, address).await.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_static("http://localhost");
    let channel = endpoint.connect_with_connector(dial).await.unwrap();
    let ask = IssueVisitorTokenRequest { site_key: SITE_KEY.into(), ..Default::default() };
    let token = AuthServiceClient::new(channel).issue_visitor_token(ask).await.unwrap();
    assert!(!token.get_ref().token.is_empty());

    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let answer = until_the_end(&mut plain).await;
    assert!(!answer.starts_with(b"HTTP/"), "without TLS nobody speaks");
}

#[tokio::test]
async fn browsers_are_told_to_stay_with_tls() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path()).await;
    let connector = trusting(folder.path(), b"http/1.1");
    let mut stream = connect(&connector, world.gateway.local_addr()).await.unwrap();
    let ask = b"GET /console/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(ask).await.unwrap();
    let answer = String::from_utf8_lossy(&until_the_end(&mut stream).await).to_lowercase();
    assert!(answer.starts_with("http/1.1 200"), "{answer}");
    assert!(answer.contains("\r\nstrict-transport-security: max-age="), "{answer}");
}

/// All that comes until the server hangs up, however it does.
async fn until_the_end(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let reading = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes));
    // An error is an end as well.
    let _ = reading.await.expect("the server hangs up");
    bytes
}

#[tokio::test]
async fn who_falls_silent_after_the_handshake_is_hung_up_on() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path()).await;
    for alpn in [b"http/1.1".as_slice(), b"h2"] {
        let connector = trusting(folder.path(), alpn);
        let mut silent = connect(&connector, world.gateway.local_addr()).await.unwrap();
        assert_eq!(silent.get_ref().1.alpn_protocol(), Some(alpn));
        // From here on only deadlines pass.
        tokio::time::pause();
        eprintln!("{}", String::from_utf8_lossy(alpn));
        until_the_end(&mut silent).await;
        tokio::time::resume();
    }
}

#[tokio::test]
async fn new_certificates_are_taken_while_old_connections_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path()).await;
    let before = trusting(folder.path(), b"http/1.1");
    let mut old = chat(&world, &before).await.unwrap();

    // Another authority: whoever trusts it alone sees that they have changed.
    local_ca(folder.path()).unwrap();
    let after = trusting(folder.path(), b"http/1.1");
    let mut new = loop {
        match chat(&world, &after).await {
            Ok(client) => break client,
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    };
    list(&mut new).await;
    list(&mut old).await;
    assert!(chat(&world, &before).await.is_err(), "the old ones are served no more");
}
