//! A faulty network: it stands before a real server and breaks one promise, once
//! and on purpose. The tests of the load-test harness compare what it reports
//! with what was done here.
//!
//! Only WebSockets with Protobuf are looked into; everything else (HTTP, gRPC,
//! JSON) passes byte by byte. It must never alter anything but its one fault.

mod forge;
mod plot;
mod relay;
mod tamper;

pub use plot::{Deed, Fault, Plot};
pub use tamper::Tamper;

use crate::deadline::until;
use frontdesk_client::Address;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A running proxy. Ended, with all its connections, when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    plot: Arc<Plot>,
    /// The one task that accepts; it owns those of the connections.
    _accepting: JoinSet<()>,
}

impl Proxy {
    /// Stands before this server, on a port of its own.
    pub async fn before(server: SocketAddr, plot: Plot) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let plot = Arc::new(plot);
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, server, plot.clone()));
        Self { address, plot, _accepting: accepting }
    }

    /// Where it listens.
    pub fn address(&self) -> Address {
        let address = format!("http://{}", self.address);
        address.parse().expect("the address of a socket")
    }

    /// Waits until it was done.
    pub async fn struck(&self) {
        until("an occasion for the fault", async || self.plot.deed()).await;
    }

    /// What was done; panics when there was no occasion.
    #[track_caller]
    pub fn deed(&self) -> Deed {
        self.plot.deed().expect("there was no occasion for the fault")
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, plot: Arc<Plot>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (client, _) = accepted.expect("the listener works");
                connections.spawn(relay::connection(client, server, plot.clone()));
            }
            Some(ended) = connections.join_next() => ended.expect("a relay panicked"),
        }
    }
}
