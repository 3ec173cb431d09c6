//! Voters of the presence group in this process, and the way to them that other
//! processes take.

use crate::network::{Host, Network};
use frontdesk_cluster::{
    Cluster, ClusterSettings, ClusterTasks, GrpcTransport, MembershipChange, Offer, RemotePresence,
    SystemClock, VoterId, routes,
};
use frontdesk_core::presence::incarnation_id;
use frontdesk_presence::{MemberSettings, PresenceService, PresenceSettings};
use frontdesk_tests::deadline::{step, until};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

/// Where those are who ask.
pub(crate) const CALLERS: Host = 0;
/// Where those are who found the group; their ids are the same numbers.
pub(crate) const FOUNDERS: [Host; 3] = [1, 2, 3];
/// Where the one is who joins later.
pub(crate) const JOINER: Host = 4;
const HOSTS: usize = 5;
/// Longer than any test: nobody is taken for dead, so agents stay online.
const NODE_TTL_SECS: u64 = 3_600;

/// For one attempt at a change of who votes; a change can be asked for again.
const CHANGE: Duration = Duration::from_secs(5);

/// A process with a voter.
struct Process {
    id: VoterId,
    service: Arc<PresenceService>,
    /// Serves until it is aborted in `stop`.
    server: JoinHandle<()>,
}

/// The group. `stop_all` ends it.
pub(crate) struct Group {
    pub(crate) network: Arc<Network>,
    folders: Vec<TempDir>,
    ids: BTreeMap<Host, VoterId>,
    running: BTreeMap<Host, Process>,
}

impl Group {
    /// Three voters that have a leader.
    pub(crate) async fn found() -> Self {
        let mut group = Self {
            network: Arc::new(Network::new(HOSTS).await),
            folders: (0..HOSTS).map(|_| tempfile::tempdir().expect("a folder")).collect(),
            ids: FOUNDERS.iter().map(|host| (*host, *host as VoterId)).collect(),
            running: BTreeMap::new(),
        };
        for host in FOUNDERS {
            group.start(host).await;
        }
        group.leader().await;
        group
    }

    /// Starts the voter of a host on what it left on disk.
    pub(crate) async fn start(&mut self, host: Host) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let id = self.ids[&host];
        let founders = FOUNDERS
            .map(|host| MemberSettings { id: host as VoterId, address: Network::address(host) });
        let settings = PresenceSettings {
            folder: self.folders[host].path().to_owned(),
            voter: id,
            members: if FOUNDERS.contains(&host) { founders.into() } else { Vec::new() },
            ready_within_secs: 30,
            node_ttl_secs: NODE_TTL_SECS,
        };
        let transport = GrpcTransport::new(Arc::new(self.network.channels(host)));
        let opened = PresenceService::open(&settings, Arc::new(transport), Arc::new(SystemClock));
        let service = opened.await.expect("opens");
        let offer = Offer { presence: Some(service.group().clone()), ..Offer::default() };
        let server = Server::builder().add_routes(routes(&offer));
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let server = tokio::spawn(async move {
            server.serve_with_incoming(incoming).await.expect("the listener works");
        });
        self.running.insert(host, Process { id, service, server });
        self.network.listens(host, Some(address));
    }

    /// Breaks all connections of a host, then stops its voter.
    pub(crate) async fn stop(&mut self, host: Host) {
        let process = self.running.remove(&host).expect("it runs");
        self.network.listens(host, None);
        process.server.abort();
        // Cancelled is what was asked for.
        let _ = process.server.await;
        step("a voter stops", process.service.shutdown()).await;
    }

    pub(crate) async fn stop_all(&mut self) {
        for host in self.hosts() {
            self.stop(host).await;
        }
    }

    /// The hosts with a voter that runs.
    pub(crate) fn hosts(&self) -> Vec<Host> {
        self.running.keys().copied().collect()
    }

    pub(crate) fn service(&self, host: Host) -> &PresenceService {
        &self.running[&host].service
    }

    /// Waits for the host that leads, by the latest term that any voter knows of.
    pub(crate) async fn leader(&self) -> Host {
        until("a leader", async || self.known_leader()).await
    }

    fn known_leader(&self) -> Option<Host> {
        let statuses = self.running.values().map(|process| process.service.group().status());
        let (_, leader) = statuses.filter_map(|s| Some((s.term, s.leader?))).max()?;
        self.running.iter().find(|(_, process)| process.id == leader).map(|(host, _)| *host)
    }

    /// Makes the joiner a voter, however often it has to be tried.
    pub(crate) async fn grow(&mut self) {
        let address = Network::address(JOINER);
        let id = self.change(|_| MembershipChange::Add { address: address.clone() }).await;
        self.ids.insert(JOINER, id);
        self.start(JOINER).await;
        self.change(|_| MembershipChange::Promote { voter: id }).await;
    }

    /// Takes a voter out, however often it has to be tried. It goes on running.
    pub(crate) async fn shrink(&self, leaves: Host) {
        let voter = self.ids[&leaves];
        let heir = self.hosts().into_iter().find(|host| *host != leaves).expect("there are more");
        let heir = self.ids[&heir];
        self.change(|leader| match leader == leaves {
            // Then it is asked again whom to remove.
            true => MembershipChange::Transfer { voter: heir },
            false => MembershipChange::Remove { voter },
        })
        .await;
    }

    /// Asks a voter to lead in place of who does; whether it came to that is open.
    pub(crate) async fn transfer(&self, to: Host) {
        let change = MembershipChange::Transfer { voter: self.ids[&to] };
        // Refused or late is as good a fault as done.
        let _ = self.service(to).group().change_voters(change).await;
    }

    /// Repeats a change, which depends on who leads, until it is not a transfer of
    /// leadership and it was made.
    async fn change(&self, change: impl Fn(Host) -> MembershipChange) -> VoterId {
        until("a change of who votes", async || {
            let leader = self.known_leader()?;
            let change = change(leader);
            let only_prepares = matches!(change, MembershipChange::Transfer { .. });
            let made = self.service(leader).group().change_voters(change);
            let made = timeout(CHANGE, made).await.ok()?.ok()?;
            (!only_prepares).then_some(made)
        })
        .await
    }
}

/// The way of a process elsewhere to one voter.
pub(crate) struct Remote {
    pub(crate) presence: RemotePresence,
    pub(crate) cluster: Arc<Cluster>,
    tasks: ClusterTasks,
}

impl Remote {
    pub(crate) fn to(host: Host, network: &Network) -> Self {
        let settings = ClusterSettings {
            node: incarnation_id("callers", 1).expect("a slug"),
            roles: Vec::new(),
            address: Arc::from(""),
            voters: vec![Arc::from(Network::address(host))],
        };
        let channels = Arc::new(network.channels(CALLERS));
        let (cluster, tasks) = Cluster::start(settings, channels);
        Self { presence: RemotePresence::new(cluster.clone()), cluster, tasks }
    }

    pub(crate) async fn stop(self) {
        self.tasks.stop().await;
    }
}
