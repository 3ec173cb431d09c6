//! Measures how many reservations one voter takes, with every one fsynced.
//!
//! `cargo run --release -p frontdesk-presence --example reservation_rate [CALLERS] [SECONDS]`

use frontdesk_core::ids::{AgentId, ConnectionId, ConversationId, NodeId, SiteId};
use frontdesk_core::presence::{AgentProfile, AgentStatus, NodeRole, incarnation_id};
use frontdesk_core::time::Millis;
use frontdesk_presence::{Clock, LocalRouter, PresenceService, PresenceSettings, SystemClock};
use frontdesk_proto::api::{AgentConnect, ApiError, Presence, ReserveRequest};
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// One agent for each caller, so that room is never the limit.
struct Caller {
    service: Arc<PresenceService>,
    site: SiteId,
    agent: AgentId,
}

impl Caller {
    async fn come_online(&self, gateway: NodeId) -> Result<(), ApiError> {
        let profile = AgentProfile {
            name: Arc::from("Ann"),
            capacity: 100,
            queues: Vec::new(),
            supervisor: false,
        };
        let connect = AgentConnect {
            site: self.site.clone(),
            agent: self.agent,
            profile,
            gateway,
            connection: ConnectionId::from_uuid(Uuid::now_v7()),
        };
        self.service.connect(connect).await?;
        let online = self.service.set_status(&self.site, self.agent, AgentStatus::Online, "");
        online.await.map(|_| ())
    }

    /// Reserves and releases until `end`; the time each reservation took.
    async fn work(self, end: Instant) -> Result<Vec<Duration>, ApiError> {
        let mut took = Vec::new();
        while Instant::now() < end {
            let conversation = ConversationId::from_uuid(Uuid::now_v7());
            let request = ReserveRequest {
                site: self.site.clone(),
                agent: self.agent,
                conversation,
                weight: 1,
                expires_at: SystemClock.now() + Millis::from_secs(60),
            };
            let started = Instant::now();
            self.service.reserve(request).await?;
            took.push(started.elapsed());
            self.service.release(&self.site, self.agent, conversation, Millis::ZERO).await?;
        }
        Ok(took)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let callers: u64 = arguments.next().map_or(Ok(64), |a| a.parse())?;
    let seconds: u64 = arguments.next().map_or(Ok(5), |a| a.parse())?;

    let folder = tempfile::tempdir()?;
    let settings = PresenceSettings::alone(folder.path());
    let router = Arc::new(LocalRouter::default());
    let service = PresenceService::start(&settings, router, Arc::new(SystemClock)).await?;
    let gateway = incarnation_id("bench", 1)?;
    service.join_node(gateway.clone(), NodeRole::Gateway).await?;

    let mut online = Vec::new();
    for _ in 0..callers {
        let agent = AgentId::from_uuid(Uuid::now_v7());
        let caller = Caller { service: service.clone(), site: "bench".parse()?, agent };
        caller.come_online(gateway.clone()).await?;
        online.push(caller);
    }
    let end = Instant::now() + Duration::from_secs(seconds);
    let tasks: Vec<_> = online.into_iter().map(|c| tokio::spawn(c.work(end))).collect();
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await??);
    }
    service.shutdown().await;

    took.sort_unstable();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    println!("callers             {callers}");
    println!("reservations/s      {:.0}", took.len() as f64 / seconds as f64);
    println!("(each also released: commands/s is twice that)");
    println!("p50                 {:?}", at(0.50));
    println!("p99                 {:?}", at(0.99));
    println!("max                 {:?}", at(1.0));
    Ok(())
}
