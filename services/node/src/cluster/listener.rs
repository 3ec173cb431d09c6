//! The listener for the other processes of the cluster.

use super::ClusterError;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

/// How often a quiet connection is pinged, and how long the answer may take.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Window of a stream and of a connection: links carry thousands of commands.
const WINDOW_BYTES: u32 = 4 * 1024 * 1024;

/// Bound, not serving yet.
pub(super) struct InternalListener {
    listener: TcpListener,
    address: SocketAddr,
}

impl InternalListener {
    pub(super) async fn bind(address: SocketAddr) -> Result<Self, ClusterError> {
        let listen = |source| ClusterError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Self { listener, address })
    }

    /// Where it listens; the port is the real one even if 0 was asked for.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves in a task that ends after `stop`, once calls under way have ended.
    pub(super) fn serve(self, routes: Routes, stop: CancellationToken) -> JoinHandle<()> {
        let incoming = TcpIncoming::from(self.listener).with_nodelay(Some(true));
        let server = Server::builder()
            .http2_keepalive_interval(Some(KEEP_ALIVE))
            .http2_keepalive_timeout(Some(KEEP_ALIVE))
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES)
            .add_routes(routes);
        tokio::spawn(async move {
            let served = server.serve_with_incoming_shutdown(incoming, stop.cancelled_owned());
            if let Err(error) = served.await {
                tracing::error!(%error, "the internal listener has ended");
            }
        })
    }
}
