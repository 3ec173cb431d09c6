//! The conformance suite on a real server, and what is particular to an object store.

use super::testing::LocalS3;
use super::{BucketExamination, S3Attachments, S3Settings, Step, Versioning, examine};
use crate::attachments::AttachmentStore;
use crate::conformance::attachments::AttachmentsSubject;
use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::ids::{AttachmentId, SiteId};
use futures::TryStreamExt as _;
use futures::future::join_all;
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

static SERVER: LazyLock<LocalS3> = LazyLock::new(server);
static NEXT: AtomicU32 = AtomicU32::new(0);

fn server() -> LocalS3 {
    LocalS3::start().expect("the tests need an object store")
}

/// An empty prefix of the shared server's bucket.
fn fresh() -> S3Settings {
    SERVER.settings(&format!("tests/{}", NEXT.fetch_add(1, Ordering::Relaxed)))
}

fn open(settings: &S3Settings) -> Arc<S3Attachments> {
    Arc::new(S3Attachments::open(settings).expect("opens"))
}

struct InBucket {
    settings: S3Settings,
    store: Arc<S3Attachments>,
}

impl InBucket {
    fn new() -> Self {
        let settings = fresh();
        Self { store: open(&settings), settings }
    }
}

#[async_trait]
impl AttachmentsSubject for InBucket {
    fn store(&self) -> Arc<dyn AttachmentStore> {
        self.store.clone()
    }

    async fn reopen(&mut self) {
        self.store = open(&self.settings);
    }
}

crate::attachments_conformance!(InBucket::new());

fn site() -> SiteId {
    "one".parse().unwrap()
}

fn id(n: u128) -> AttachmentId {
    AttachmentId::from_uuid(Uuid::from_u128(n))
}

fn bytes(count: usize) -> Bytes {
    vec![7; count].into()
}

/// Bytes of a file; `None` when there is none.
async fn size(store: &S3Attachments, id: AttachmentId) -> Option<usize> {
    let body = store.open(&site(), id).await.unwrap()?;
    Some(body.chunks.try_collect::<Vec<_>>().await.unwrap().concat().len())
}

/// Below the prefix, with keys as the files of a local folder have them, and gone when
/// they are removed.
#[tokio::test]
async fn a_file_is_one_object_and_nothing_is_left_of_it() {
    let settings = fresh();
    let store = open(&settings);
    store.put(&site(), id(0x2a), bytes(70_000)).await.unwrap();
    let key = format!("{}/files/one/2a/{}", settings.prefix, id(0x2a));
    let objects = SERVER.objects(&settings.prefix).unwrap();
    assert!(objects == [(key, vec![7; 70_000])], "{:?}", objects.first().map(|(key, _)| key));
    store.remove(&site(), id(0x2a)).await.unwrap();
    assert_eq!(SERVER.objects(&settings.prefix).unwrap(), []);
}

/// It finds the server again by itself.
#[tokio::test]
async fn a_store_that_is_away_fails_what_is_asked_and_loses_nothing() {
    let mut server = server();
    let store = open(&server.settings(""));
    store.put(&site(), id(1), bytes(300_000)).await.unwrap();
    server.kill();
    assert!(store.put(&site(), id(2), bytes(1)).await.is_err());
    assert!(store.open(&site(), id(1)).await.is_err());
    assert!(store.remove(&site(), id(1)).await.is_err());
    server.start_again().unwrap();
    assert_eq!(size(&store, id(1)).await, Some(300_000));
    assert_eq!(size(&store, id(2)).await, None);
    store.put(&site(), id(2), bytes(1)).await.unwrap();
}

/// Each is there or is not, and those that were acknowledged are.
#[tokio::test]
async fn a_crash_of_the_store_leaves_whole_files() {
    let mut server = server();
    let store = open(&server.settings(""));
    let uploads: Vec<_> = (1..=8)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.put(&site(), id(n), bytes(2_000_000)).await })
        })
        .collect();
    while server.objects("files").unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    server.kill();
    let outcomes: Vec<_> = join_all(uploads).await.into_iter().map(Result::unwrap).collect();
    server.start_again().unwrap();
    for (n, outcome) in (1..).zip(outcomes) {
        let found = size(&store, id(n)).await;
        assert!(matches!(found, None | Some(2_000_000)), "{found:?}");
        assert!(outcome.is_err() || found.is_some(), "acknowledged, and lost");
    }
}

/// A file that is not there is one thing, a bucket or a right that is missing another.
#[tokio::test]
async fn what_cannot_be_read_is_not_taken_to_be_absent() {
    let settings = fresh();
    let key = S3Settings { access_key_id: Some("NOBODY".into()), ..settings.clone() };
    let secret = S3Settings { secret_access_key: Some("wrong".into()), ..settings.clone() };
    let bucket = S3Settings { bucket: "frontdesk-nothing".into(), ..settings.clone() };
    for (settings, code) in [
        (&key, "InvalidAccessKeyId"),
        (&secret, "SignatureDoesNotMatch"),
        (&bucket, "NoSuchBucket"),
    ] {
        let store = open(settings);
        let error = store.open(&site(), id(1)).await.err().expect(code).to_string();
        assert!(error.contains(code), "{error}");
        assert!(store.put(&site(), id(1), bytes(1)).await.is_err(), "{code}");
        assert!(store.remove(&site(), id(1)).await.is_err(), "{code}");
        let found = examine(settings).await.unwrap();
        assert_eq!(found.look, Step::Refused(code.into()));
    }
    assert_eq!(size(&open(&settings), id(1)).await, None);
    let stranger = open(&S3Settings { endpoint: Some(not_found().await), ..settings });
    assert!(stranger.open(&site(), id(1)).await.is_err());
    assert!(stranger.remove(&site(), id(1)).await.is_err(), "else an erasure would be done");
}

/// A server that has heard of nothing, and is no object store.
async fn not_found() -> String {
    const ANSWER: &[u8] = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    // Ends with the test's runtime.
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 4_096];
            if socket.read(&mut request).await.is_ok() {
                let _ = socket.write_all(ANSWER).await;
            }
        }
    });
    endpoint
}

#[tokio::test]
async fn a_bucket_is_examined_and_left_as_it_was() {
    let settings = fresh();
    let found = examine(&settings).await.unwrap();
    let well = BucketExamination {
        look: Step::Done,
        put: Step::Done,
        get: Step::Done,
        remove: Step::Done,
        // This server keeps none and answers another question.
        versioning: Versioning::Untold,
    };
    assert_eq!(found, well);
    assert_eq!(SERVER.objects(&settings.prefix).unwrap(), []);
    let away = S3Settings { endpoint: Some("http://127.0.0.1:1".into()), ..settings };
    let found = examine(&away).await.unwrap();
    assert!(matches!(found.look, Step::Away(_)) && found.put == Step::Skipped, "{found:?}");
}

/// Takes connections, and says nothing.
#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let store = open(&S3Settings { endpoint: Some(endpoint), ..fresh() });
    let within = async |limit: u64, failed: bool, begun: tokio::time::Instant| {
        assert!(failed && begun.elapsed() <= Duration::from_secs(limit), "{:?}", begun.elapsed());
    };
    let now = tokio::time::Instant::now;
    let (begun, put) = (now(), store.put(&site(), id(1), bytes(1_000_000)).await);
    within(56, put.is_err(), begun).await;
    let (begun, opened) = (now(), store.open(&site(), id(1)).await);
    within(21, opened.is_err(), begun).await;
    let (begun, removed) = (now(), store.remove(&site(), id(1)).await);
    within(5, removed.is_err(), begun).await;
}

/// Speaks TLS before the real server, with a certificate for 127.0.0.1; gives it in PEM.
async fn tls_before(settings: &S3Settings) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let own = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], own)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("https://{}", listener.local_addr().unwrap());
    let behind = settings.endpoint.as_deref().and_then(|e| e.strip_prefix("http://"));
    let behind = behind.unwrap().to_owned();
    // Ends with the test's runtime.
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (acceptor, behind) = (acceptor.clone(), behind.clone());
            tokio::spawn(async move {
                let Ok(mut outside) = acceptor.accept(socket).await else { return };
                let Ok(mut inside) = TcpStream::connect(behind).await else { return };
                let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
            });
        }
    });
    (endpoint, certificate.pem())
}

#[tokio::test]
async fn a_store_is_spoken_with_only_if_its_certificate_is_good() {
    let settings = fresh();
    let (endpoint, pem) = tls_before(&settings).await;
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.crt");
    std::fs::write(&ca, pem).unwrap();
    let trusting = S3Settings {
        endpoint: Some(endpoint.clone()),
        ca: Some(ca.clone()),
        allow_http: false,
        ..settings.clone()
    };
    let store = open(&trusting);
    store.put(&site(), id(1), bytes(100_000)).await.unwrap();
    assert_eq!(size(&store, id(1)).await, Some(100_000));

    let strange = S3Settings { ca: None, ..trusting.clone() };
    let error = open(&strange).put(&site(), id(2), bytes(1)).await.unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");
    let other = endpoint.replace("127.0.0.1", "localhost");
    let misnamed = S3Settings { endpoint: Some(other), ..trusting.clone() };
    assert!(open(&misnamed).put(&site(), id(2), bytes(1)).await.is_err());
    assert_eq!(size(&store, id(2)).await, None);

    std::fs::write(&ca, "nothing").unwrap();
    let error = S3Attachments::open(&trusting).err().expect("no certificate").to_string();
    assert!(error.contains("ca.crt"), "{error}");
}
