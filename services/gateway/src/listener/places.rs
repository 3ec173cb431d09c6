//! How many sockets there may be, and how many in the middle of a TLS handshake: in
//! all, and from one address.

use crate::limits::{CountGuard, Counts, Limit};
use crate::network::Network;
use crate::peer::Peer;
use crate::settings::Settings;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Sockets beside those of live connections: pages, API calls, handshakes.
const EXTRA_SOCKETS: usize = 1_024;
/// The same from one address.
const EXTRA_SOCKETS_PER_ADDRESS: u32 = 256;
/// TLS handshakes under way: each costs buffers and a signature.
const MAX_HANDSHAKES: usize = 2_048;
/// The same from one address: who is slow on purpose must not keep others out.
const MAX_HANDSHAKES_PER_ADDRESS: u32 = 512;

/// The places there are.
pub(super) struct Places {
    sockets: Pool,
    handshakes: Pool,
    trusted: Vec<Network>,
}

/// One socket's place; given back when dropped.
pub(super) struct Place {
    _socket: Held,
    handshake: Option<Held>,
}

impl Place {
    /// The handshake is over.
    pub(super) fn opened(&mut self) {
        self.handshake = None;
    }
}

impl Places {
    pub(super) fn new(settings: &Settings) -> Self {
        let sockets = settings.max_connections.saturating_add(EXTRA_SOCKETS);
        let each = settings.max_connections_per_address.saturating_add(EXTRA_SOCKETS_PER_ADDRESS);
        Self {
            sockets: Pool::new((sockets, Limit::Sockets), (each, Limit::AddressSockets)),
            handshakes: Pool::new(
                (MAX_HANDSHAKES, Limit::Handshakes),
                (MAX_HANDSHAKES_PER_ADDRESS, Limit::AddressHandshakes),
            ),
            trusted: settings.trusted_proxies.clone(),
        }
    }

    /// A place for one more socket, or which limit it is over.
    pub(super) fn take(&self, peer: Peer, tls: bool) -> Result<Place, Limit> {
        // Behind a proxy are many: there is no telling yet who this is.
        let address = (!peer.is_one_of(&self.trusted)).then_some(peer.0);
        let socket = self.sockets.take(address)?;
        let handshake = if tls { Some(self.handshakes.take(address)?) } else { None };
        Ok(Place { _socket: socket, handshake })
    }
}

/// Places of one kind, in all and for each address, and what the bounds are called.
struct Pool {
    all: (Arc<Semaphore>, Limit),
    addresses: (Arc<Counts<IpAddr>>, Limit),
}

struct Held {
    _one: OwnedSemaphorePermit,
    _of_address: Option<CountGuard<IpAddr>>,
}

impl Pool {
    fn new(all: (usize, Limit), each: (u32, Limit)) -> Self {
        let semaphore = Semaphore::new(all.0.min(Semaphore::MAX_PERMITS));
        Self { all: (Arc::new(semaphore), all.1), addresses: (Counts::new(each.0), each.1) }
    }

    fn take(&self, address: Option<IpAddr>) -> Result<Held, Limit> {
        let (addresses, limit) = &self.addresses;
        let of_address = match address {
            Some(address) => Some(addresses.open(address).ok_or(*limit)?),
            None => None,
        };
        let (all, limit) = &self.all;
        let one = all.clone().try_acquire_owned().map_err(|_| *limit)?;
        Ok(Held { _one: one, _of_address: of_address })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> Peer {
        Peer(text.parse().unwrap())
    }

    fn take(places: &Places, from: &str, n: usize) -> Vec<Place> {
        (0..n).map(|_| places.take(peer(from), false).ok().unwrap()).collect()
    }

    #[test]
    fn sockets_in_all_are_counted_and_given_back() {
        let settings = Settings { max_connections: 1, ..Settings::default() };
        let places = Places::new(&settings);
        let mut held = take(&places, "192.0.2.1", 1 + EXTRA_SOCKETS);
        assert_eq!(places.take(peer("192.0.2.2"), false).err(), Some(Limit::Sockets));
        held.pop();
        assert!(places.take(peer("192.0.2.2"), false).is_ok());
    }

    #[test]
    fn one_address_cannot_take_all_places_but_a_trusted_proxy_can() {
        let settings = Settings {
            max_connections_per_address: 1,
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            ..Settings::default()
        };
        let places = Places::new(&settings);
        let most = 1 + EXTRA_SOCKETS_PER_ADDRESS as usize;
        let _one = take(&places, "192.0.2.1", most);
        assert_eq!(places.take(peer("192.0.2.1"), false).err(), Some(Limit::AddressSockets));
        let _other = take(&places, "192.0.2.2", most);
        let _proxy = take(&places, "10.1.2.3", most + 1);
    }

    #[test]
    fn handshakes_are_counted_until_they_are_over() {
        let settings =
            Settings { trusted_proxies: vec!["10.0.0.1".parse().unwrap()], ..Settings::default() };
        let places = Places::new(&settings);
        let take = |from| places.take(peer(from), true);
        let mut held: Vec<_> =
            (0..MAX_HANDSHAKES_PER_ADDRESS).map(|_| take("192.0.2.1").ok().unwrap()).collect();
        assert_eq!(take("192.0.2.1").err(), Some(Limit::AddressHandshakes));
        let left = MAX_HANDSHAKES - held.len();
        held.extend((0..left).map(|_| take("10.0.0.1").ok().unwrap()));
        assert_eq!(take("192.0.2.2").err(), Some(Limit::Handshakes));
        // Without TLS there is no handshake to wait for.
        assert!(places.take(peer("192.0.2.1"), false).is_ok());
        held[0].opened();
        assert!(take("192.0.2.1").is_ok());
    }
}
