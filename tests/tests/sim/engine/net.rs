//! The simulated network under the real protocols: HTTP/2 over its streams.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::Uri;
use frontdesk_client::Dial;
use frontdesk_cluster::Channels;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tonic::codegen::Service as _;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;
use turmoil::net::{TcpListener, TcpStream};

/// Port of the other processes.
pub(crate) const INTERNAL: u16 = 7_100;
/// Port of the clients.
pub(crate) const PUBLIC: u16 = 8_080;
/// As the real listeners have it.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

async fn dial(uri: Uri) -> io::Result<TokioIo<TcpStream>> {
    let host = uri.host().unwrap_or_default().to_owned();
    let port = uri.port_u16().unwrap_or(PUBLIC);
    TcpStream::connect((host, port)).await.map(TokioIo::new)
}

fn channel(endpoint: Endpoint) -> Channel {
    endpoint.connect_with_connector_lazy(service_fn(dial))
}

/// The channels of one process.
pub(crate) fn channels() -> Arc<Channels> {
    Arc::new(Channels::with(Box::new(channel)))
}

/// How clients connect.
pub(crate) fn client_dial() -> Dial {
    Dial::new(channel)
}

/// Serves routes at a port of this host until the host ends.
pub(crate) async fn serve(port: u16, router: Router) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let router = router.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            router.clone().call(request.map(Body::new))
        });
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new());
        builder.keep_alive_interval(KEEP_ALIVE).keep_alive_timeout(KEEP_ALIVE);
        let serving = builder.serve_connection(TokioIo::new(stream), service);
        // Ends with the connection or the host; a cut is part of the game.
        tokio::spawn(async move { drop(serving.await) });
    }
}
