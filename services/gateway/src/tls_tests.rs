//! The one listener with certificates: WebSocket and gRPC through TLS, and new
//! certificates while old connections go on.

use crate::testing::{TestClient, World};
use frontdesk_cluster::tls::{TlsFiles, local_ca};
use frontdesk_proto::v1::auth_service_client::AuthServiceClient;
use frontdesk_proto::v1::{Hello, ListConversations};
use frontdesk_proto::v1::{IssueVisitorTokenRequest, client_frame::Request, server_frame::Frame};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Endpoint, Uri};

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
    let ask = IssueVisitorTokenRequest { site_key: "no such key".into(), ..Default::default() };
    let refused = AuthServiceClient::new(channel).issue_visitor_token(ask).await.unwrap_err();
    assert_ne!(refused.code(), tonic::Code::Unavailable, "{refused}");

    let plain = format!("http://{address}/livez");
    let plain = Endpoint::from_shared(plain).unwrap().connect().await;
    let answered = match plain {
        Ok(channel) => {
            let ask = IssueVisitorTokenRequest::default();
            AuthServiceClient::new(channel).issue_visitor_token(ask).await.map_err(|s| s.code())
        }
        Err(_) => return,
    };
    assert!(answered.is_err_and(|code| code != tonic::Code::NotFound), "without TLS nobody speaks");
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
