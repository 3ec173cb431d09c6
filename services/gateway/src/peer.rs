//! Which address a request counts for. A proxy in front of the gateway says whom it
//! speaks for in `X-Forwarded-For`; anybody else may say there what they like, so
//! only proxies that the settings name are believed.

use crate::network::Network;
use axum::http::{HeaderMap, HeaderName};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address that a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl Default for Peer {
    fn default() -> Self {
        Self(Ipv4Addr::UNSPECIFIED.into())
    }
}

impl Peer {
    /// Whom a request counts for that came over a socket from here: the nearest
    /// that is no trusted proxy. Each proxy has added at the right whom it heard.
    pub(crate) fn behind(self, trusted: &[Network], headers: &HeaderMap) -> Self {
        let entries = headers
            .get_all(FORWARDED_FOR)
            .into_iter()
            // Other bytes than text are no address.
            .flat_map(|value| value.to_str().unwrap_or("?").split(','))
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        let mut nearest = self;
        for entry in entries.rev() {
            if !nearest.is_one_of(trusted) {
                break;
            }
            match address(entry) {
                Some(address) => nearest = Self(address),
                // What is left of it may be made up: the proxy stands for it.
                None => break,
            }
        }
        nearest
    }

    /// Whether it is in one of these networks.
    pub(crate) fn is_one_of(self, networks: &[Network]) -> bool {
        networks.iter().any(|network| network.contains(self.0))
    }
}

impl From<SocketAddr> for Peer {
    fn from(socket: SocketAddr) -> Self {
        Self(socket.ip().to_canonical())
    }
}

/// An entry: an address, with a port or without.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = || entry.parse::<IpAddr>().ok();
    let with_port = || entry.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    let in_brackets = || {
        let inner = entry.strip_prefix('[')?.strip_suffix(']')?;
        inner.parse().ok().map(IpAddr::V6)
    };
    bare().or_else(with_port).or_else(in_brackets).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    const PROXY: &str = "10.0.0.1";
    const PROXIES: [&str; 3] = ["10.0.0.0/8", "2001:db8:1::/48", "192.0.2.9"];

    fn trusted() -> Vec<Network> {
        PROXIES.map(|text| text.parse().unwrap()).to_vec()
    }

    /// Whom a request from `peer` with these headers counts for.
    fn client(peer: &str, headers: &[&[u8]]) -> String {
        let mut map = HeaderMap::new();
        for value in headers {
            map.append(FORWARDED_FOR, HeaderValue::from_bytes(value).unwrap());
        }
        Peer(peer.parse().unwrap()).behind(&trusted(), &map).0.to_string()
    }

    #[test]
    fn a_stranger_says_nothing_about_others() {
        assert_eq!(client("203.0.113.5", &[b"198.51.100.1"]), "203.0.113.5");
        assert_eq!(client("2001:db8:2::1", &[b"198.51.100.1"]), "2001:db8:2::1");
        let mut headers = HeaderMap::new();
        headers.insert(FORWARDED_FOR, HeaderValue::from_static("198.51.100.1"));
        let peer = Peer(PROXY.parse().unwrap());
        assert_eq!(peer.behind(&[], &headers), peer);
    }

    #[test]
    fn the_nearest_stranger_is_the_client() {
        assert_eq!(client(PROXY, &[]), PROXY);
        assert_eq!(client(PROXY, &[b"198.51.100.1"]), "198.51.100.1");
        // What the client itself has sent stands left of it.
        assert_eq!(client(PROXY, &[b"1.1.1.1, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(client(PROXY, &[b"198.51.100.1, 10.9.9.9, 192.0.2.9"]), "198.51.100.1");
        assert_eq!(client("192.0.2.9", &[b"1.1.1.1,198.51.100.1,10.2.3.4"]), "198.51.100.1");
        // Somebody inside: nobody is left to ask.
        assert_eq!(client(PROXY, &[b"10.0.0.77, 10.0.0.2"]), "10.0.0.77");
    }

    #[test]
    fn several_headers_are_one_list() {
        assert_eq!(client(PROXY, &[b"1.1.1.1", b"198.51.100.1", b"10.0.0.2"]), "198.51.100.1");
        assert_eq!(client(PROXY, &[b"198.51.100.1", b"", b" , ,"]), "198.51.100.1");
    }

    #[test]
    fn ports_and_both_kinds_of_address() {
        assert_eq!(client(PROXY, &[b"198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(client(PROXY, &[b"2001:db8:2::5"]), "2001:db8:2::5");
        assert_eq!(client(PROXY, &[b"[2001:db8:2::5]"]), "2001:db8:2::5");
        assert_eq!(client(PROXY, &[b"[2001:db8:2::5]:443"]), "2001:db8:2::5");
        assert_eq!(client("2001:db8:1::1", &[b"\t2001:DB8:2:0::5 "]), "2001:db8:2::5");
        assert_eq!(client(PROXY, &[b"::ffff:198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("::ffff:10.0.0.1", &[b"198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn what_is_no_address_ends_the_search() {
        let bad: [&[u8]; 10] = [
            b"unknown",
            b"_hidden",
            b"198.51.100",
            b"198.51.100.1:",
            b"198.51.100.1:99999",
            b"[198.51.100.1]",
            b"[2001:db8:2::5",
            b"2001:db8:2::5%eth0",
            b"\"198.51.100.1\"",
            b"\xff\xfe",
        ];
        for bad in bad {
            assert_eq!(client(PROXY, &[bad]), PROXY, "{}", String::from_utf8_lossy(bad));
            assert_eq!(client(PROXY, &[b"1.1.1.1", bad, b"10.0.0.2"]), "10.0.0.2");
            assert_eq!(client(PROXY, &[bad, b"198.51.100.1"]), "198.51.100.1");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_client_sends_the_last_hop_is_believed_alone(made_up in "[ -~]{0,60}") {
            let list = format!("{made_up}, 198.51.100.1");
            prop_assert_eq!(client(PROXY, &[list.as_bytes()]), "198.51.100.1");
            prop_assert_eq!(client("203.0.113.5", &[made_up.as_bytes()]), "203.0.113.5");
        }
    }
}
