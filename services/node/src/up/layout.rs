//! Which processes there are and where each listens. Pure, but for asking the
//! system for free ports.

use super::UpError;
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
    processes: Vec<Process>,
}

impl Layout {
    /// Gateways listen from the base port on, everything else well above it.
    pub(super) fn plan(args: &UpArgs) -> Result<Self, UpError> {
        if ![1, 3, 5].contains(&args.presence) {
            return Err(UpError::Settings("--presence takes 1, 3 or 5".into()));
        }
        let mut ports = Ports::new(args.base_port)?;
        let publics = (0..args.gateways).map(|_| ports.next()).collect::<Result<Vec<_>, _>>()?;
        ports.skip_to(100);
        let (postgres, redis) = (ports.next()?, ports.next()?);
        ports.skip_to(110);
        let counts = [
            (Kind::Presence, args.presence),
            (Kind::Desk, args.desks),
            (Kind::Sessions, args.sessions),
            (Kind::Queueing, args.queueing),
            (Kind::Routing, args.routing),
            (Kind::Gateway, args.gateways),
        ];
        let mut processes = Vec::new();
        for (kind, count) in counts {
            for n in 1..=count {
                processes.push(Process {
                    kind,
                    name: format!("{}-{n}", kind.as_str()),
                    internal: ports.next()?,
                    health: ports.next()?,
                    public: (kind == Kind::Gateway).then(|| publics[usize::from(n) - 1]),
                });
            }
        }
        Ok(Self { postgres, redis, processes })
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
        let ports = self.of_kind(Kind::Gateway).filter_map(|p| p.public).map(|a| a.port());
        ports
            .flat_map(|port| {
                [format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}")]
            })
            .collect()
    }
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
