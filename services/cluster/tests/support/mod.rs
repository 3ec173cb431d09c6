//! Voters in one process, over a network that can be cut.

#![allow(unreachable_pub, reason = "a test binary has no outside; `pub` marks what the tests use")]

use async_trait::async_trait;
use frontdesk_cluster::{
    Disk, GroupError, GroupSettings, LocalRouter, Peer, PeerRequest, PresenceGroup, RaftTransport,
    RequestKind, SystemClock, TransportError, VoterId,
};
use frontdesk_core::ids::{AgentId, ConnectionId, ConversationId, NodeId};
use frontdesk_core::presence::{
    Action, AgentKey, AgentProfile, AgentStatus, NodeRole, RequestId, incarnation_id,
};
use frontdesk_core::time::Timestamp;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

/// Longest that anything in these tests may take: for hangs, not for speed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Every voter's way out; voters that are cut neither send nor receive.
#[derive(Default)]
pub struct Network {
    router: LocalRouter,
    cut: Mutex<HashSet<VoterId>>,
    snapshots: AtomicU64,
}

impl Network {
    pub fn cut(&self, id: VoterId) {
        self.cut.lock().expect("not poisoned").insert(id);
    }

    pub fn mend(&self, id: VoterId) {
        self.cut.lock().expect("not poisoned").remove(&id);
    }

    /// Snapshots that have travelled.
    pub fn snapshots(&self) -> u64 {
        self.snapshots.load(Ordering::Relaxed)
    }

    fn is_cut(&self, id: VoterId) -> bool {
        self.cut.lock().expect("not poisoned").contains(&id)
    }
}

#[async_trait]
impl RaftTransport for Network {
    async fn call(
        &self,
        peer: &Peer,
        request: PeerRequest,
        deadline: Duration,
    ) -> Result<Vec<u8>, TransportError> {
        if self.is_cut(peer.id) {
            return Err(TransportError::Unreachable(peer.id));
        }
        if request.kind == RequestKind::Snapshot {
            self.snapshots.fetch_add(1, Ordering::Relaxed);
        }
        self.router.call(peer, request, deadline).await
    }
}

/// The way out of one voter.
struct Outlet {
    own: VoterId,
    network: Arc<Network>,
}

#[async_trait]
impl RaftTransport for Outlet {
    async fn call(
        &self,
        peer: &Peer,
        request: PeerRequest,
        deadline: Duration,
    ) -> Result<Vec<u8>, TransportError> {
        if self.network.is_cut(self.own) {
            return Err(TransportError::Unreachable(peer.id));
        }
        self.network.call(peer, request, deadline).await
    }
}

pub struct Cluster {
    settings: GroupSettings,
    pub network: Arc<Network>,
    folders: BTreeMap<VoterId, TempDir>,
    running: BTreeMap<VoterId, PresenceGroup>,
}

impl Cluster {
    pub async fn of(voters: VoterId) -> Self {
        Self::with(voters, GroupSettings::default()).await
    }

    pub async fn with(voters: VoterId, settings: GroupSettings) -> Self {
        let folder = |id| (id, tempfile::tempdir().expect("a folder"));
        Self {
            settings,
            network: Arc::default(),
            folders: (1..=voters).map(folder).collect(),
            running: BTreeMap::new(),
        }
    }

    pub async fn open_as(&self, id: VoterId) -> Result<PresenceGroup, GroupError> {
        let members = self.folders.keys().map(|id| peer(*id)).collect();
        let folder = self.folders.get(&id).unwrap_or(&self.folders[&1]);
        let outlet = Outlet { own: id, network: self.network.clone() };
        PresenceGroup::open(
            self.settings.clone(),
            Disk::Folder(folder.path().to_owned()),
            id,
            members,
            Arc::new(outlet),
            Arc::new(SystemClock),
        )
        .await
    }

    pub async fn start(&mut self, id: VoterId) -> PresenceGroup {
        let group = self.launch(id).await;
        group.ready(PATIENCE).await.expect("becomes ready");
        group
    }

    pub async fn start_all(&mut self) {
        for id in self.folders.keys().copied().collect::<Vec<_>>() {
            self.launch(id).await;
        }
        for group in self.running.values() {
            group.ready(PATIENCE).await.expect("becomes ready");
        }
    }

    async fn launch(&mut self, id: VoterId) -> PresenceGroup {
        let group = self.open_as(id).await.expect("opens");
        self.network.router.add(group.clone());
        self.running.insert(id, group.clone());
        group
    }

    pub async fn stop(&mut self, id: VoterId) {
        self.network.router.remove(id);
        self.running.remove(&id).expect("it runs").shutdown().await;
    }

    pub async fn stop_all(&mut self) {
        for id in self.running.keys().copied().collect::<Vec<_>>() {
            self.stop(id).await;
        }
    }

    pub fn group(&self, id: VoterId) -> PresenceGroup {
        self.running[&id].clone()
    }

    pub async fn leader(&self) -> VoterId {
        let find = || async {
            self.running.iter().find(|(_, g)| *g.leading().borrow()).map(|(id, _)| *id)
        };
        eventually(find).await
    }

    pub fn others(&self, id: VoterId) -> Vec<VoterId> {
        self.running.keys().copied().filter(|other| *other != id).collect()
    }

    pub fn copy_files(&self, id: VoterId) -> TempDir {
        let copy = tempfile::tempdir().expect("a folder");
        copy_folder(self.folders[&id].path(), copy.path());
        copy
    }

    pub fn put_files(&mut self, id: VoterId, files: &TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        copy_folder(files.path(), folder.path());
        self.folders.insert(id, folder);
    }

    /// Entries in the file of a voter that does not run.
    pub fn logged_entries(&self, id: VoterId) -> i64 {
        let path = self.folders[&id].path().join("raft.sqlite");
        let db = rusqlite::Connection::open(path).expect("opens");
        db.query_row("SELECT COUNT(*) FROM log", [], |row| row.get(0)).expect("counts")
    }
}

fn copy_folder(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).expect("is read") {
        let file = file.expect("is read");
        std::fs::copy(file.path(), to.join(file.file_name())).expect("is copied");
    }
}

/// Asks until there is an answer.
pub async fn eventually<T, F: Future<Output = Option<T>>>(ask: impl Fn() -> F) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("happens at last")
}

pub fn peer(id: VoterId) -> Peer {
    Peer { id, address: format!("voter-{id}") }
}

pub fn request() -> RequestId {
    RequestId::from_uuid(Uuid::now_v7())
}

pub fn agent() -> AgentKey {
    let agent = AgentId::from_uuid(Uuid::from_u128(1));
    AgentKey { site: "acme".parse().expect("a slug"), agent }
}

pub fn conversation(n: u128) -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(n + 1))
}

pub fn gateway(incarnation: u64) -> NodeId {
    incarnation_id("gw", incarnation).expect("a slug")
}

/// Room for a conversation, for longer than any test lasts.
pub fn reserve(n: u128) -> Action {
    Action::Reserve {
        key: agent(),
        conversation: conversation(n),
        weight: 1,
        expires_at: Timestamp::from_millis(u64::MAX / 2),
        claim: None,
    }
}

/// Brings the agent online with this capacity.
pub async fn online(group: &PresenceGroup, capacity: u32) {
    let profile = AgentProfile { name: Arc::from("Ann"), capacity, ..AgentProfile::default() };
    let connection = ConnectionId::from_uuid(Uuid::from_u128(1));
    let steps = [
        Action::JoinNode { node: gateway(1), role: NodeRole::Gateway, address: "".into() },
        Action::Connect { key: agent(), profile, gateway: gateway(1), connection },
        Action::SetStatus { key: agent(), status: AgentStatus::Online, reason: Arc::from("") },
    ];
    for step in steps {
        group.propose(request(), step).await.expect("is proposed");
    }
}
