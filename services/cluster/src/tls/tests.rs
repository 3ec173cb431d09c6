//! Who gets in, and what a renewal does.

use super::{Tls, TlsError, TlsFiles, local_ca};
use crate::fabric::Channels;
use crate::serve::{Offer, routes};
use frontdesk_proto::internal::Document;
use frontdesk_proto::internal::role_service_client::RoleServiceClient;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tonic::transport::Server;

/// A process without any role, behind TLS.
async fn serve(tls: Tls) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (accepted, incoming) = mpsc::channel(8);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = tls.accept(stream).await {
                let _ = accepted.send(Ok::<_, std::io::Error>(stream)).await;
            }
        }
    });
    let server = Server::builder().add_routes(routes(&Offer::default()));
    tokio::spawn(server.serve_with_incoming(ReceiverStream::new(incoming)));
    address
}

/// Whether a question over these channels is heard: the process says that it has no
/// such role.
async fn is_heard(channels: &Channels, address: SocketAddr) -> bool {
    let channel = channels.to(&address.to_string()).unwrap();
    let question = Document { json: r#"{"desk":"sites"}"#.into() };
    let answer = RoleServiceClient::new(channel).ask(question).await;
    answer.unwrap_err().code() == Code::Unimplemented
}

fn in_folder(folder: &Path) -> TlsFiles {
    local_ca(folder).unwrap()
}

#[tokio::test]
async fn only_a_process_of_the_same_authority_gets_in() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let tls = Tls::load(in_folder(ours.path())).unwrap();
    let address = serve(tls.clone()).await;
    let known = Channels::new(Some(tls));
    assert!(is_heard(&known, address).await);
    let stranger = Channels::new(Some(Tls::load(in_folder(theirs.path())).unwrap()));
    assert!(!is_heard(&stranger, address).await);
    assert!(!is_heard(&Channels::new(None), address).await, "without TLS");
}

#[tokio::test]
async fn new_certificates_are_used_for_new_connections() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls::load(in_folder(folder.path())).unwrap();
    let address = serve(tls.clone()).await;
    let before = Channels::new(Some(tls.clone()));
    assert!(is_heard(&before, address).await);
    assert!(!tls.reload().unwrap(), "nothing has changed");
    // Another authority altogether: what is open goes on, what is new needs it.
    in_folder(folder.path());
    assert!(tls.reload().unwrap());
    assert!(is_heard(&before, address).await);
    assert!(is_heard(&Channels::new(Some(tls)), address).await);
}

#[tokio::test]
async fn wrong_files_leave_the_old_ones_in_use() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let files = in_folder(folder.path());
    let tls = Tls::load(files.clone()).unwrap();
    let address = serve(tls.clone()).await;
    fs::copy(in_folder(other.path()).key, &files.key).unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::Mismatch(_))));
    fs::write(&files.cert, "no certificate").unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::Content { .. })));
    fs::remove_file(&files.cert).unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::Read { .. })));
    assert!(is_heard(&Channels::new(Some(tls)), address).await);
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_hung_up_on() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls::load(in_folder(folder.path())).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _silent = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let accepted = tls.accept(stream).await;
    assert_eq!(accepted.err().map(|e| e.kind()), Some(std::io::ErrorKind::TimedOut));
}
