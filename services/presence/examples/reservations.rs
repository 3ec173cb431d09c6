//! How many reservations a second three voters agree on, and how long one takes:
//! three voters in this process, over gRPC on the loopback, each with its log synced
//! to disk. Prints a line for each number of callers.

#![allow(clippy::disallowed_methods, reason = "tasks of a measurement need no names")]

use frontdesk_cluster::{
    Channels, Disk, GroupSettings, GrpcTransport, Offer, Peer, PresenceGroup, SystemClock, routes,
};
use frontdesk_core::ids::{AgentId, ConnectionId, ConversationId, NodeId};
use frontdesk_core::presence::{
    Action, AgentKey, AgentProfile, AgentStatus, NodeRole, Reply, RequestId, incarnation_id,
};
use frontdesk_core::time::Millis;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use uuid::Uuid;

const VOTERS: u64 = 3;
const AGENTS: u128 = 500;
const COUNTED: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let groups = voters(folder.path()).await?;
    let node = incarnation_id("bench", 1)?;
    prepare(&groups[0], &node).await?;
    println!("callers  reservations/s  p50 ms  p99 ms");
    for callers in [1, 16, 64, 256] {
        let mut took = measure(&groups, callers).await;
        took.sort_unstable();
        let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        let rate = took.len() as f64 / COUNTED.as_secs_f64();
        println!("{callers:>7}  {rate:>14.0}  {:>6.2}  {:>6.2}", at(0.5), at(0.99));
    }
    for group in groups {
        group.shutdown().await;
    }
    Ok(())
}

/// Three voters that have a leader.
async fn voters(
    folder: &std::path::Path,
) -> Result<Vec<PresenceGroup>, Box<dyn std::error::Error>> {
    let mut listeners = Vec::new();
    let mut founders = Vec::new();
    for id in 1..=VOTERS {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        founders.push(Peer { id, address: listener.local_addr()?.to_string() });
        listeners.push(listener);
    }
    let mut groups = Vec::new();
    for (listener, peer) in listeners.into_iter().zip(&founders) {
        let group = PresenceGroup::open(
            GroupSettings::default(),
            Disk::Folder(folder.join(peer.id.to_string())),
            peer.id,
            founders.clone(),
            Arc::new(GrpcTransport::new(Arc::new(Channels::new(None)))),
            Arc::new(SystemClock),
        )
        .await?;
        let offer = Offer { presence: Some(group.clone()), ..Offer::default() };
        let server = Server::builder().add_routes(routes(&offer));
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        // Ends with the process.
        tokio::spawn(server.serve_with_incoming(incoming));
        groups.push(group);
    }
    for group in &groups {
        group.ready(Duration::from_secs(10)).await?;
    }
    Ok(groups)
}

fn agent(n: u128) -> Result<AgentKey, Box<dyn std::error::Error>> {
    Ok(AgentKey { site: "bench".parse()?, agent: AgentId::from_uuid(Uuid::from_u128(n + 1)) })
}

fn request() -> RequestId {
    RequestId::from_uuid(Uuid::now_v7())
}

/// Agents that are online and have room.
async fn prepare(group: &PresenceGroup, node: &NodeId) -> Result<(), Box<dyn std::error::Error>> {
    let join = Action::JoinNode { node: node.clone(), role: NodeRole::Gateway, address: "".into() };
    group.propose(request(), join).await?;
    for n in 0..AGENTS {
        let key = agent(n)?;
        let profile = AgentProfile { name: "Ana".into(), capacity: 100, ..AgentProfile::default() };
        let connection = ConnectionId::from_uuid(Uuid::from_u128(n + 1));
        let gateway = node.clone();
        let connect = Action::Connect { key: key.clone(), profile, gateway, connection };
        group.propose(request(), connect).await?;
        let status = AgentStatus::Online;
        group.propose(request(), Action::SetStatus { key, status, reason: "".into() }).await?;
    }
    Ok(())
}

/// Callers that reserve room and give it back, one after the other, at any voter;
/// how long each reservation took.
async fn measure(groups: &[PresenceGroup], callers: u128) -> Vec<Duration> {
    let begun = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|n| {
            let group = groups[n as usize % groups.len()].clone();
            tokio::spawn(async move {
                let mut took = Vec::new();
                while begun.elapsed() < COUNTED {
                    took.extend(reserve_and_release(&group, n).await);
                }
                took
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.unwrap_or_default());
    }
    all
}

async fn reserve_and_release(group: &PresenceGroup, n: u128) -> Option<Duration> {
    let key = agent(n % AGENTS).ok()?;
    let conversation = ConversationId::from_uuid(Uuid::now_v7());
    let expires_at = frontdesk_cluster::Clock::now(&SystemClock) + Millis::from_mins(1);
    let reserve =
        Action::Reserve { key: key.clone(), conversation, weight: 1, expires_at, claim: None };
    let begun = Instant::now();
    let reply = group.propose(request(), reserve).await.ok()?;
    let took = begun.elapsed();
    let release = Action::Release { key, conversation, wrap_up: Millis::ZERO, missed: None };
    group.propose(request(), release).await.ok()?;
    (!matches!(reply, Reply::Refused(_))).then_some(took)
}
