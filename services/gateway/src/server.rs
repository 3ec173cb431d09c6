//! Starting and stopping a gateway, and its one listener.

use crate::admin::Admin;
use crate::carriers::grpc::ChatService;
use crate::deps::GatewayDeps;
use crate::dispatch;
use crate::drain;
use crate::grpc_auth::Auth;
use crate::http;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::tokens::{KeyError, Tokens};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use frontdesk_cluster::tls::{ServerStream, Tls, TlsError, TlsFiles};
use frontdesk_proto::DESCRIPTORS;
use frontdesk_proto::status::CloseCode;
use frontdesk_proto::v1::admin_service_server::AdminServiceServer;
use frontdesk_proto::v1::auth_service_server::AuthServiceServer;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::codegen::Service as _;

/// How long a client may take for the first bytes and for each request's head.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// How often HTTP/2 connections are pinged, and how long a pong may take.
const HTTP2_KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Streams of one HTTP/2 connection.
const MAX_STREAMS: u32 = 256;
/// Bytes of a request's head.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Sockets beside those of live connections: pages, API calls, handshakes.
const EXTRA_SOCKETS: usize = 1_024;
/// Pause after a failed accept: the process may be out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Pause while the first bytes could still become either protocol.
const PREFACE_PAUSE: Duration = Duration::from_millis(20);
const HTTP2_PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The address that a request came from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl Default for Peer {
    fn default() -> Self {
        Self(Ipv4Addr::UNSPECIFIED.into())
    }
}

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The keys of tokens cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The certificates cannot be used.
    #[error("gateway.tls: {0}")]
    Tls(#[from] TlsError),
    /// Clients show no certificates.
    #[error("gateway.tls.ca: clients show no certificates")]
    ClientCertificates,
    /// The schema cannot be offered for reflection.
    #[error("the schema cannot be read: {0}")]
    Schema(String),
}

/// The gateway role.
pub struct Gateway;

impl Gateway {
    /// Starts listening and delivering. Everything runs in tasks that the result
    /// owns.
    pub async fn start(settings: Settings, deps: GatewayDeps) -> Result<Running, StartError> {
        let tokens = Tokens::new(&settings.keys)?;
        let address = settings.listen;
        let tls = settings.tls.clone().map(load_tls).transpose()?;
        let listen_error = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen_error)?;
        let local_addr = listener.local_addr().map_err(listen_error)?;
        let (shared, router) = begin(settings, deps, tokens)?;
        // Ends when `stopping` is cancelled.
        shared.tasks.spawn(accept(shared.clone(), listener, tls, router));
        tracing::info!(address = %local_addr, "the gateway listens");
        Ok(Running { local_addr, shared })
    }

    /// As `start`, but whoever calls listens and serves the routes: for networks
    /// that are not this machine's. WebSockets need a real socket.
    pub fn start_unbound(
        settings: Settings,
        deps: GatewayDeps,
    ) -> Result<(Running, Router), StartError> {
        let tokens = Tokens::new(&settings.keys)?;
        let local_addr = settings.listen;
        let (shared, router) = begin(settings, deps, tokens)?;
        Ok((Running { local_addr, shared }, router))
    }
}

/// Begins to deliver.
fn begin(
    settings: Settings,
    deps: GatewayDeps,
    tokens: Tokens,
) -> Result<(Arc<Shared>, Router), StartError> {
    // The subscription comes before the first connection: nothing is missed.
    let subscription = deps.bus.subscribe(deps.node_id.clone());
    let shared = Shared::new(settings, deps, tokens);
    let router = router(&shared)?;
    // Three tasks, each ends when `stopping` is cancelled.
    shared.tasks.spawn(dispatch::consume(shared.clone(), subscription));
    shared.tasks.spawn(dispatch::watch_presence(shared.clone()));
    shared.tasks.spawn(dispatch::watch_owners(shared.clone()));
    Ok((shared, router))
}

/// A gateway that runs. Dropping it stops nothing; call `stop`.
pub struct Running {
    local_addr: SocketAddr,
    pub(crate) shared: Arc<Shared>,
}

impl Running {
    /// Where it listens; the port is the real one even if 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Before a planned stop, where clients have another gateway to go to: lets
    /// nobody in any more, asks everybody to go elsewhere at the rate that is set,
    /// and waits until they have, at most `drain_deadline_seconds` after
    /// `drain_notice_seconds`.
    pub async fn drain(&self) {
        drain::run(&self.shared).await;
    }

    /// Stops in order: takes no more connections, says Bye 4000 to those that
    /// are open, then waits for all tasks, at most `stop_grace_seconds`.
    pub async fn stop(self) {
        let shared = self.shared;
        shared.stopping.cancel();
        shared.close_all(CloseCode::Draining);
        shared.tasks.close();
        let grace = Duration::from_secs(shared.settings.stop_grace_seconds);
        if tokio::time::timeout(grace, shared.tasks.wait()).await.is_err() {
            let left = shared.tasks.len();
            tracing::warn!(left, "the gateway stopped before all its tasks had ended");
        }
    }
}

fn router(shared: &Arc<Shared>) -> Result<Router, StartError> {
    let schema_error = |e: tonic_reflection::server::Error| StartError::Schema(e.to_string());
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .with_service_name("frontdesk.v1.ChatService")
            .with_service_name("frontdesk.v1.AuthService")
            .with_service_name("frontdesk.v1.AdminService")
    };
    let grpc = tonic::service::Routes::new(ChatService::new(shared.clone()))
        .add_service(AuthServiceServer::new(Auth::new(shared.clone())))
        .add_service(AdminServiceServer::new(Admin::new(shared.clone())))
        .add_service(reflection().build_v1().map_err(schema_error)?)
        // What older clients, such as grpcurl before 1.8.8, ask for.
        .add_service(reflection().build_v1alpha().map_err(schema_error)?)
        .prepare()
        .into_axum_router();
    // The HTTP routes' fallback answers for what neither knows.
    Ok(grpc.reset_fallback().merge(http::router(shared.clone())))
}

fn load_tls(files: TlsFiles) -> Result<Tls, StartError> {
    match files.ca {
        Some(_) => Err(StartError::ClientCertificates),
        None => Ok(Tls::load(files)?),
    }
}

async fn accept(shared: Arc<Shared>, listener: TcpListener, tls: Option<Tls>, router: Router) {
    // Ends with this task.
    let _reload = tls.as_ref().map(Tls::follow);
    let sockets = shared.settings.max_connections.saturating_add(EXTRA_SOCKETS);
    let sockets = Arc::new(Semaphore::new(sockets.min(Semaphore::MAX_PERMITS)));
    loop {
        let accepted = tokio::select! {
            () = shared.stopping.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                // One too many is hung up on at once: there is no protocol yet.
                let Ok(permit) = sockets.clone().try_acquire_owned() else {
                    continue;
                };
                let tls = tls.clone();
                let serving = serve(shared.clone(), stream, tls, address, router.clone(), permit);
                // One task for each socket; ends with it or soon after a stop.
                shared.tasks.spawn(serving);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves HTTP on one socket, until it ends or becomes a WebSocket.
async fn serve(
    shared: Arc<Shared>,
    stream: TcpStream,
    tls: Option<Tls>,
    address: SocketAddr,
    router: Router,
    _permit: OwnedSemaphorePermit,
) {
    // Without this a reply would wait for the client's next acknowledgement.
    let _ = stream.set_nodelay(true);
    let opened = tokio::time::timeout(HEAD_DEADLINE, open(stream, tls)).await;
    let (stream, builder) = match opened {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => return tracing::debug!(%address, %error, "nothing came of a connection"),
        Err(_) => return,
    };
    let peer = Peer(address.ip().to_canonical());
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        router.clone().call(request)
    });
    let mut connection =
        pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = shared.stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%address, %error, "an HTTP connection ended early");
    }
}

/// What the client speaks: with TLS that is agreed on in its handshake, without it
/// the first bytes tell.
async fn open(
    stream: TcpStream,
    tls: Option<Tls>,
) -> io::Result<(ServerStream, Builder<TokioExecutor>)> {
    let Some(tls) = tls else {
        first_bytes(&stream).await?;
        return Ok((ServerStream::Plain(stream), http_builder()));
    };
    let stream = tls.accept(stream).await?;
    let builder = match stream.is_http2() {
        true => http_builder().http2_only(),
        false => http_builder().http1_only(),
    };
    Ok((stream, builder))
}

fn http_builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(MAX_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HTTP2_KEEP_ALIVE)
        .keep_alive_timeout(HTTP2_KEEP_ALIVE)
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD_BYTES as u32);
    builder
}

/// Waits until it is clear which version of HTTP the client speaks: the parser
/// itself would wait without end.
async fn first_bytes(stream: &TcpStream) -> io::Result<()> {
    let mut bytes = [0; HTTP2_PREFACE.len()];
    loop {
        let n = stream.peek(&mut bytes).await?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if n == bytes.len() || bytes[..n] != HTTP2_PREFACE[..n] {
            return Ok(());
        }
        tokio::time::sleep(PREFACE_PAUSE).await;
    }
}
