//! `frontdesk-relay`: the bare relay on a free port of this machine. Says which
//! in one line of JSON and ends on SIGTERM.

use frontdesk_rivals::relay;
use std::io;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;

fn main() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let mut terminated = signal(SignalKind::terminate())?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{{\"port\":{}}}", listener.local_addr()?.port());
        tokio::select! {
            served = relay::serve(listener) => served,
            _ = terminated.recv() => Ok(()),
        }
    })
}
