//! Ranges of network addresses, as settings name them. No I/O, no look-ups of names.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Leading bits of an IPv6 address that stands for an IPv4 address.
const MAPPED_BITS: u8 = 96;

/// One address, or all that begin with the same bits: `10.0.0.7`, `10.0.0.0/8`,
/// `fd00::/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    /// The first of them.
    address: IpAddr,
    /// Leading bits that all have in common.
    prefix: u8,
}

/// Text that is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNetwork {
    /// Neither an address nor a network.
    #[error("{0:?} is not an address or a network such as 10.0.0.0/8")]
    Malformed(String),
    /// An address inside of a network instead of its first one: perhaps a slip.
    #[error("{given:?} is not the first address of its network: {meant}")]
    NotFirst {
        /// As it was written.
        given: String,
        /// The network that holds it.
        meant: Network,
    },
}

impl Network {
    /// Whether the address is one of these. An IPv4 address that is written as an
    /// IPv6 address is that IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && first(address, self.prefix) == self.address
    }
}

/// The first address of those that share the leading bits.
fn first(address: IpAddr, prefix: u8) -> IpAddr {
    let prefix = u32::from(prefix);
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(u32::BITS.saturating_sub(prefix)).unwrap_or(0);
            Ipv4Addr::from_bits(v4.to_bits() & mask).into()
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(u128::BITS.saturating_sub(prefix)).unwrap_or(0);
            Ipv6Addr::from_bits(v6.to_bits() & mask).into()
        }
    }
}

/// The address and its leading bits; IPv4 as IPv4 however it is written.
fn parse(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let all: u8 = if address.is_ipv4() { 32 } else { 128 };
    let prefix: u8 = match bits {
        None => all,
        Some(bits) if bits.bytes().all(|b| b.is_ascii_digit()) => bits.parse().ok()?,
        Some(_) => return None,
    };
    match address.to_canonical() {
        _ if prefix > all => None,
        v4 @ IpAddr::V4(_) if address.is_ipv6() => Some((v4, prefix.checked_sub(MAPPED_BITS)?)),
        _ => Some((address, prefix)),
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let (address, prefix) =
            parse(text).ok_or_else(|| InvalidNetwork::Malformed(text.to_owned()))?;
        let network = Self { address: first(address, prefix), prefix };
        if network.address == address {
            Ok(network)
        } else {
            Err(InvalidNetwork::NotFirst { given: text.to_owned(), meant: network })
        }
    }
}

impl TryFrom<String> for Network {
    type Error = InvalidNetwork;

    fn try_from(text: String) -> Result<Self, InvalidNetwork> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    fn holds(text: &str, address: &str) -> bool {
        network(text).contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_holds_what_begins_alike() {
        assert!(holds("10.0.0.0/8", "10.255.1.2"));
        assert!(!holds("10.0.0.0/8", "11.0.0.0"));
        assert!(holds("192.0.2.128/25", "192.0.2.255"));
        assert!(!holds("192.0.2.128/25", "192.0.2.127"));
        assert!(holds("fd00::/8", "fdff::1"));
        assert!(!holds("fd00::/8", "fe80::1"));
    }

    #[test]
    fn an_address_holds_itself_alone() {
        assert!(holds("192.0.2.1", "192.0.2.1"));
        assert!(!holds("192.0.2.1", "192.0.2.2"));
        assert!(holds("2001:db8::1", "2001:db8::1"));
        assert!(!holds("2001:db8::1", "2001:db8::2"));
    }

    #[test]
    fn everything_of_one_kind_is_nothing_of_the_other() {
        assert!(holds("0.0.0.0/0", "255.255.255.255"));
        assert!(!holds("0.0.0.0/0", "::1"));
        assert!(holds("::/0", "ffff::"));
        assert!(!holds("::/0", "192.0.2.1"));
    }

    #[test]
    fn mapped_addresses_are_what_they_stand_for() {
        assert!(holds("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert_eq!(network("::ffff:10.0.0.0/104"), network("10.0.0.0/8"));
        assert_eq!(network("::ffff:10.0.0.7"), network("10.0.0.7/32"));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        let bad = [
            "",
            "/",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/-1",
            "10.0.0.0/8/8",
            "10.0.0.0/256",
            "10.0.0",
            "10.0.0.0 /8",
            "::/129",
            "::ffff:10.0.0.0/8",
            "[::1]",
            "fe80::1%eth0",
            "proxy.example",
        ];
        for text in bad {
            let parsed: Result<Network, _> = text.parse();
            assert_eq!(parsed, Err(InvalidNetwork::Malformed(text.to_owned())));
        }
    }

    #[test]
    fn a_slip_in_the_prefix_is_told() {
        let error = "10.0.0.7/8".parse::<Network>().unwrap_err();
        let said = "\"10.0.0.7/8\" is not the first address of its network: 10.0.0.0/8";
        assert_eq!(error.to_string(), said);
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_as_the_same(bits: u128, v4: bool, prefix in 0_u8..=128) {
            let address: IpAddr = match v4 {
                true => Ipv4Addr::from_bits(bits as u32).into(),
                false => Ipv6Addr::from_bits(bits).into(),
            };
            prop_assume!(address.to_canonical() == address);
            let prefix = if v4 { prefix % 33 } else { prefix };
            let given = Network { address: first(address, prefix), prefix };
            prop_assume!(given.address.to_canonical() == given.address);
            prop_assert_eq!(network(&given.to_string()), given);
            prop_assert!(given.contains(address));
        }
    }
}
