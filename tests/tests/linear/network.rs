//! Loopback with a proxy on every way from one host to another, each of which can
//! be cut, or held so that what was sent arrives late.

use frontdesk_cluster::Channels;
use http::Uri;
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::service_fn;

/// Bytes that are on their way through a proxy.
const BUFFER: usize = 16 * 1024;

/// A place from which, or at which, somebody is reached.
pub(crate) type Host = usize;

/// How one way is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Open,
    /// Connections stay and nothing arrives until it is open again.
    Held,
    /// Connections break, and new ones too.
    Cut,
}

/// A proxy's listener and how its way is.
struct Link {
    entrance: SocketAddr,
    way: watch::Sender<Way>,
}

/// All hosts and the ways between them. Ended, with all connections, when dropped.
pub(crate) struct Network {
    links: BTreeMap<(Host, Host), Link>,
    /// Where each host really listens, while it does.
    listeners: Vec<watch::Sender<Option<SocketAddr>>>,
    /// The proxies; each owns its connections.
    _proxies: JoinSet<()>,
}

impl Network {
    pub(crate) async fn new(hosts: usize) -> Self {
        let listeners: Vec<_> = (0..hosts).map(|_| watch::channel(None).0).collect();
        let (mut links, mut proxies) = (BTreeMap::new(), JoinSet::new());
        for (from, to) in pairs(0..hosts).filter(|(from, to)| from != to) {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let entrance = listener.local_addr().expect("it is bound");
            let way = watch::channel(Way::Open).0;
            proxies.spawn(proxy(listener, way.subscribe(), listeners[to].subscribe()));
            links.insert((from, to), Link { entrance, way });
        }
        Self { links, listeners, _proxies: proxies }
    }

    /// The name by which a host is known to all.
    pub(crate) fn address(host: Host) -> String {
        format!("host-{host}:1")
    }

    /// The channels of whoever is at this host: every address leads through the
    /// proxy of its way.
    pub(crate) fn channels(&self, from: Host) -> Channels {
        let of_this = self.links.iter().filter(|((start, _), _)| *start == from);
        let entrances = of_this.map(|((_, to), link)| (Self::address(*to), link.entrance));
        let entrances: Arc<BTreeMap<String, SocketAddr>> = Arc::new(entrances.collect());
        Channels::with(Box::new(move |endpoint| {
            let entrances = entrances.clone();
            endpoint.connect_with_connector_lazy(service_fn(move |address: Uri| {
                let host = address.authority().map(|a| a.as_str()).unwrap_or_default();
                connect(entrances.get(host).copied())
            }))
        }))
    }

    /// Where the process at a host listens now; `None` when there is none.
    pub(crate) fn listens(&self, host: Host, at: Option<SocketAddr>) {
        self.listeners[host].send_replace(at);
    }

    pub(crate) fn set(&self, from: Host, to: Host, way: Way) {
        self.links[&(from, to)].way.send_replace(way);
    }

    /// Sets every way, in both directions, between a host and the others of these.
    pub(crate) fn part(&self, host: Host, others: &[Host], way: Way) {
        for other in others.iter().filter(|other| **other != host) {
            self.set(host, *other, way);
            self.set(*other, host, way);
        }
    }

    pub(crate) fn heal(&self) {
        for link in self.links.values() {
            link.way.send_replace(Way::Open);
        }
    }
}

fn pairs(hosts: std::ops::Range<Host>) -> impl Iterator<Item = (Host, Host)> {
    hosts.clone().flat_map(move |from| hosts.clone().map(move |to| (from, to)))
}

async fn connect(entrance: Option<SocketAddr>) -> io::Result<TokioIo<TcpStream>> {
    let entrance = entrance.ok_or(io::ErrorKind::AddrNotAvailable)?;
    let stream = TcpStream::connect(entrance).await?;
    stream.set_nodelay(true)?;
    Ok(TokioIo::new(stream))
}

/// Accepts for one way, and owns its connections.
async fn proxy(
    listener: TcpListener,
    way: watch::Receiver<Way>,
    upstream: watch::Receiver<Option<SocketAddr>>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (client, _) = accepted.expect("the listener works");
                connections.spawn(connection(client, way.clone(), upstream.clone()));
            }
            Some(ended) = connections.join_next() => ended.expect("a proxy panicked"),
        }
    }
}

/// Carries one connection until it ends, its way is cut or its host is another.
async fn connection(
    client: TcpStream,
    way: watch::Receiver<Way>,
    mut upstream: watch::Receiver<Option<SocketAddr>>,
) {
    let server = *upstream.borrow_and_update();
    let mut cut = way.clone();
    tokio::select! {
        // What breaks on one side ends the other.
        _ = carry(client, server, way) => {}
        _ = cut.wait_for(|way| *way == Way::Cut) => {}
        _ = upstream.changed() => {}
    }
}

async fn carry(
    mut client: TcpStream,
    server: Option<SocketAddr>,
    way: watch::Receiver<Way>,
) -> io::Result<()> {
    let mut server = TcpStream::connect(server.ok_or(io::ErrorKind::ConnectionRefused)?).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    tokio::select! {
        ended = pump(from_client, to_server, way.clone()) => ended,
        ended = pump(from_server, to_client, way) => ended,
    }
}

/// Passes bytes on while the way is open, until there are no more.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut way: watch::Receiver<Way>,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 || way.wait_for(|way| *way == Way::Open).await.is_err() {
            return Ok(());
        }
        to.write_all(&buffer[..read]).await?;
    }
}
