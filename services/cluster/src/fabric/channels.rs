//! One channel for each address, made when it is first asked for. A channel
//! reconnects by itself; keep-alive finds out that the other side is gone.

use crate::tls::Tls;
use frontdesk_proto::api::ApiError;
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

/// The longest a connection attempt may take.
const CONNECT_DEADLINE: Duration = Duration::from_secs(2);
/// How often a quiet connection is pinged, and how long the answer may take:
/// without this a channel that lived through a partition might never recover.
const KEEP_ALIVE: Duration = Duration::from_secs(2);
const KEEP_ALIVE_DEADLINE: Duration = Duration::from_secs(3);
/// Addresses remembered: twice the nodes of the largest cluster, as restarted
/// ones come back elsewhere.
const MAX_CHANNELS: usize = 2_048;
/// Window of a stream and of a connection: links carry thousands of commands.
const WINDOW_BYTES: u32 = 4 * 1024 * 1024;

/// Makes the channel of an endpoint, connected when it is first used.
type Connect = Box<dyn Fn(Endpoint) -> Channel + Send + Sync>;

/// The channels of this process.
pub struct Channels {
    open: Mutex<HashMap<Arc<str>, Channel>>,
    connect: Connect,
}

impl Channels {
    /// With certificates, or in the clear.
    pub fn new(tls: Option<Tls>) -> Self {
        match tls {
            Some(tls) => Self::with(Box::new(move |endpoint| {
                let tls = tls.clone();
                let connector = service_fn(move |address| secured(tls.clone(), address));
                endpoint.connect_with_connector_lazy(connector)
            })),
            None => Self::with(Box::new(|endpoint| endpoint.connect_lazy())),
        }
    }

    /// Over any other kind of connection.
    pub fn with(connect: Connect) -> Self {
        Self { open: Mutex::default(), connect }
    }

    /// The channel to `host:port`; connects when first used.
    pub fn to(&self, address: &str) -> Result<Channel, ApiError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = open.get(address) {
            return Ok(channel.clone());
        }
        if open.len() >= MAX_CHANNELS {
            // Those in use are made again; the rest are of nodes long gone.
            open.clear();
        }
        let channel = (self.connect)(endpoint(address)?);
        open.insert(Arc::from(address), channel.clone());
        Ok(channel)
    }
}

/// A connection with TLS to an address.
async fn secured(
    tls: Tls,
    address: Uri,
) -> io::Result<TokioIo<tokio_rustls::client::TlsStream<TcpStream>>> {
    let host = address.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = address.port_u16().unwrap_or_default();
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    tls.connect(stream).await.map(TokioIo::new)
}

fn endpoint(address: &str) -> Result<Endpoint, ApiError> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))
        .map_err(|e| ApiError::Internal(format!("{address} is not an address: {e}")))?;
    Ok(endpoint
        .connect_timeout(CONNECT_DEADLINE)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_DEADLINE)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .tcp_nodelay(true))
}
