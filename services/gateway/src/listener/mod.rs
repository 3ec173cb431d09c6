//! The one listener: sockets become HTTP connections, with TLS or without. Who is
//! one too many is hung up on here, before there is a protocol to say so in.

mod places;
mod socket;

pub(crate) use socket::Socket;

use crate::peer::Peer;
use crate::shared::Shared;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use frontdesk_cluster::tls::Tls;
use frontdesk_telemetry::tasks;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use places::{Place, Places};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tonic::codegen::Service as _;

/// How long a client may take for the handshake and the first bytes, and then for
/// each request's head.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// How often HTTP/2 connections are pinged, and how long a pong may take.
const HTTP2_KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Streams of one HTTP/2 connection.
const MAX_STREAMS: u32 = 256;
/// Bytes of a request's head.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Pause after a failed accept: the process may be out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What every socket is served with.
#[derive(Clone)]
struct Service {
    shared: Arc<Shared>,
    router: Router,
    tls: Option<Tls>,
}

/// Accepts until the gateway stops. The certificates are followed meanwhile.
pub(crate) async fn accept(
    shared: Arc<Shared>,
    listener: TcpListener,
    tls: Option<Tls>,
    router: Router,
) {
    // Ends with this task.
    let _reload = tls.as_ref().map(Tls::follow);
    let places = Places::new(&shared.settings);
    let service = Service { shared, router, tls };
    let shared = &service.shared;
    loop {
        let accepted = tokio::select! {
            () = shared.stopping.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                match places.take(Peer::from(address), service.tls.is_some()) {
                    // One task for each socket; ends with it or soon after a stop.
                    Ok(place) => {
                        tasks::spawn_tracked(
                            &shared.tasks,
                            "gateway.socket",
                            serve(service.clone(), stream, address, place),
                        );
                    }
                    Err(limit) => shared.metrics.refused(limit),
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves HTTP on one socket, until it ends or becomes a WebSocket.
async fn serve(service: Service, stream: TcpStream, address: SocketAddr, mut place: Place) {
    // Without this a reply would wait for the client's next acknowledgement.
    let _ = stream.set_nodelay(true);
    let opening = timeout(HEAD_DEADLINE, Socket::open(stream, service.tls.as_ref()));
    let socket = match service.shared.stopping.run_until_cancelled(opening).await {
        Some(Ok(Ok(socket))) => socket,
        Some(Ok(Err(error))) => {
            return tracing::debug!(%address, %error, "nothing came of a connection");
        }
        Some(Err(_)) | None => return,
    };
    place.opened();
    let Service { shared, router, .. } = service;
    let (neighbour, known) = (Peer::from(address), shared.clone());
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        let peer = neighbour.behind(&known.settings.trusted_proxies, request.headers());
        request.extensions_mut().insert(peer);
        router.clone().call(request)
    });
    let builder = http_builder();
    let mut connection =
        pin!(builder.serve_connection_with_upgrades(TokioIo::new(socket), service));
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
