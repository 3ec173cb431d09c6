//! Which processes there are and where each listens. Asks the system for free ports
//! and networks; starts nothing.

use super::UpError;
use super::network::Network;
use super::roster::Namespace;
use crate::cli::UpArgs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Kinds of processes, in the order in which they start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Presence,
    Desk,
    Sessions,
    Queueing,
    Routing,
    Gateway,
}

impl Kind {
    /// As on the command line.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Presence => "presence",
            Self::Desk => "desk",
            Self::Sessions => "sessions",
            Self::Queueing => "queueing",
            Self::Routing => "routing",
            Self::Gateway => "gateway",
        }
    }
}

/// One process.
#[derive(Debug, Clone)]
pub(super) struct Process {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) internal: SocketAddr,
    pub(super) health: SocketAddr,
    /// For clients; gateways only.
    pub(super) public: Option<SocketAddr>,
}

/// The whole cluster.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) postgres: SocketAddr,
    pub(super) redis: SocketAddr,
    /// With one namespace for each process.
    pub(super) network: Option<Network>,
    processes: Vec<Process>,
}

impl Layout {
    /// On the loopback, or with a namespace for each process.
    pub(super) async fn plan(args: &UpArgs) -> Result<Self, UpError> {
        if ![1, 3, 5].contains(&args.presence) {
            return Err(UpError::Settings("--presence takes 1, 3 or 5".into()));
        }
        match args.namespaces {
            true => Self::in_namespaces(args, Network::plan(&args.data).await?),
            false => Self::on_loopback(args),
        }
    }

    /// Gateways listen from the base port on, everything else well above it.
    fn on_loopback(args: &UpArgs) -> Result<Self, UpError> {
        let mut ports = Ports::new(args.base_port)?;
        let publics = (0..args.gateways).map(|_| ports.next()).collect::<Result<Vec<_>, _>>()?;
        ports.skip_to(100);
        let (postgres, redis) = (ports.next()?, ports.next()?);
        ports.skip_to(110);
        let mut processes = Vec::new();
        for (kind, n) in members(args) {
            processes.push(Process {
                kind,
                name: format!("{}-{n}", kind.as_str()),
                internal: ports.next()?,
                health: ports.next()?,
                public: (kind == Kind::Gateway).then(|| publics[usize::from(n) - 1]),
            });
        }
        Ok(Self { postgres, redis, network: None, processes })
    }

    /// Every process has all ports to itself.
    fn in_namespaces(args: &UpArgs, mut network: Network) -> Result<Self, UpError> {
        let postgres = SocketAddr::from((network.host("postgres")?, 5_432));
        let redis = SocketAddr::from((network.host("redis")?, 6_379));
        let mut processes = Vec::new();
        for (kind, n) in members(args) {
            let name = format!("{}-{n}", kind.as_str());
            let host = network.host(&name)?;
            let public = (kind == Kind::Gateway).then(|| SocketAddr::from((host, 8_080)));
            let (internal, health) = ((host, 7_100).into(), (host, 7_101).into());
            processes.push(Process { kind, name, internal, health, public });
        }
        Ok(Self { postgres, redis, network: Some(network), processes })
    }

    /// The network of whoever listens on this address.
    pub(super) fn namespace(&self, address: SocketAddr) -> Option<Namespace> {
        self.network.as_ref()?.namespace(address.ip()).cloned()
    }

    pub(super) fn processes(&self) -> impl Iterator<Item = &Process> {
        self.processes.iter()
    }

    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Process> {
        self.processes.iter().filter(move |p| p.kind == kind)
    }

    /// Addresses for clients, as URLs.
    pub(super) fn gateways(&self) -> Vec<String> {
        self.of_kind(Kind::Gateway)
            .filter_map(|p| p.public)
            .map(|address| format!("http://{address}"))
            .collect()
    }

    /// Pages of this machine that may carry the demo's widget.
    pub(super) fn origins(&self) -> Vec<String> {
        let publics = self.of_kind(Kind::Gateway).filter_map(|p| p.public);
        publics
            .flat_map(|address| {
                [format!("http://{address}"), format!("http://localhost:{}", address.port())]
            })
            .collect()
    }
}

/// Each process, by its kind and its number among those.
fn members(args: &UpArgs) -> impl Iterator<Item = (Kind, u16)> {
    let counts = [
        (Kind::Presence, args.presence),
        (Kind::Desk, args.desks),
        (Kind::Sessions, args.sessions),
        (Kind::Queueing, args.queueing),
        (Kind::Routing, args.routing),
        (Kind::Gateway, args.gateways),
    ];
    counts.into_iter().flat_map(|(kind, count)| (1..=count).map(move |n| (kind, n)))
}

/// Hands out ports of the loopback: from a base on, or any that are free.
struct Ports {
    base: u16,
    next: u16,
    /// Kept bound until all are chosen, so that none is chosen twice.
    taken: Vec<TcpListener>,
}

impl Ports {
    fn new(base: u16) -> Result<Self, UpError> {
        if base > u16::MAX - 400 {
            return Err(UpError::Settings("--base-port must leave room for 400 ports".into()));
        }
        Ok(Self { base, next: base, taken: Vec::new() })
    }

    fn skip_to(&mut self, offset: u16) {
        self.next = self.base + offset;
    }

    fn next(&mut self) -> Result<SocketAddr, UpError> {
        if self.base > 0 {
            let port = self.next;
            self.next += 1;
            return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        self.taken.push(listener);
        Ok(address)
    }
}
