//! The listener for the other processes of the cluster.

use super::ClusterError;
use frontdesk_cluster::tls::{ServerStream, Tls};
use frontdesk_telemetry::tasks;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;

/// How often a quiet connection is pinged, and how long the answer may take.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Window of a stream and of a connection: links carry thousands of commands.
const WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// Handshakes at once: each node has a few connections to each other.
const MAX_HANDSHAKES: usize = 256;
/// Pause after a failed accept: the process may be out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

type Accepted = mpsc::Sender<io::Result<ServerStream>>;

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
    pub(super) fn serve(
        self,
        routes: Routes,
        tls: Option<Tls>,
        stop: CancellationToken,
    ) -> JoinHandle<()> {
        let (accepted, incoming) = mpsc::channel(MAX_HANDSHAKES);
        let server = Server::builder()
            .http2_keepalive_interval(Some(KEEP_ALIVE))
            .http2_keepalive_timeout(Some(KEEP_ALIVE))
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES)
            .add_routes(routes);
        tasks::spawn("cluster.listener", async move {
            let shutdown = stop.clone().cancelled_owned();
            let serving =
                server.serve_with_incoming_shutdown(ReceiverStream::new(incoming), shutdown);
            let accepting = stop.run_until_cancelled(accept(self.listener, tls, accepted));
            let (served, _) = tokio::join!(serving, accepting);
            if let Err(error) = served {
                tracing::error!(%error, "the internal listener has ended");
            }
        })
    }
}

/// Accepts until it is dropped.
async fn accept(listener: TcpListener, tls: Option<Tls>, accepted: Accepted) {
    let handshakes = Arc::new(Semaphore::new(MAX_HANDSHAKES));
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // One too many is hung up on: the other side comes again.
                let Ok(permit) = handshakes.clone().try_acquire_owned() else { continue };
                let (tls, accepted) = (tls.clone(), accepted.clone());
                // Ends with the handshake, which has a deadline.
                tasks::spawn("cluster.handshake", async move {
                    begin(stream, tls, accepted).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn begin(stream: TcpStream, tls: Option<Tls>, accepted: Accepted) {
    // Without this an answer would wait for the other side's next acknowledgement.
    let _ = stream.set_nodelay(true);
    let ready = match tls {
        Some(tls) => tls.accept(stream).await,
        None => Ok(ServerStream::Plain(stream)),
    };
    match ready {
        // Fails only when the listener has ended.
        Ok(stream) => drop(accepted.send(Ok(stream)).await),
        Err(error) => tracing::warn!(%error, "a peer was refused at the handshake"),
    }
}
