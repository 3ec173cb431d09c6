//! Connecting from a chosen address of this machine, so that more connections
//! to one gateway are possible than one address has ports.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd as _;
use tokio::net::{TcpSocket, TcpStream, lookup_host};

/// Connects to `HOST:PORT`, from `source` if given.
pub(crate) async fn connect(authority: &str, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let Some(source) = source else { return TcpStream::connect(authority).await };
    let fits = |target: &SocketAddr| target.is_ipv4() == source.is_ipv4();
    let target = lookup_host(authority).await?.find(fits).ok_or_else(|| {
        let reason = format!("{authority} cannot be reached from {source}");
        io::Error::new(io::ErrorKind::AddrNotAvailable, reason)
    })?;
    let socket = if source.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    choose_port_late(&socket)?;
    socket.bind(SocketAddr::new(source, 0))?;
    socket.connect(target).await
}

/// Leaves the choice of the port to `connect`, which knows the target: else
/// `bind` would take a port that no other connection from this address may have.
fn choose_port_late(socket: &TcpSocket) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the descriptor is open while `socket` lives, and the option's value
    // is a c_int whose address and size are given.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            libc::IP_BIND_ADDRESS_NO_PORT,
            (&raw const on).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn connections_come_from_the_chosen_address() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        for source in ["127.0.7.1", "127.0.7.2"] {
            let source: IpAddr = source.parse().unwrap();
            let stream = connect(&authority, Some(source)).await.unwrap();
            let (_, peer) = listener.accept().await.unwrap();
            assert_eq!((peer.ip(), stream.local_addr().unwrap()), (source, peer));
        }
        assert!(connect(&authority, None).await.is_ok());
        assert!(connect(&authority, Some("::1".parse().unwrap())).await.is_err());
    }
}
