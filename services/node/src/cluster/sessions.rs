//! An owner of conversations.

use super::ClusterError;
use super::parts::{FanOut, joined, once_reachable};
use super::process::{Process, drain, leave};
use crate::ops::DebugPages;
use frontdesk_cluster::{Cluster, Offer, RemoteObserver, keep};
use frontdesk_core::ids::{ConversationId, NodeId};
use frontdesk_core::presence::NodeRole;
use frontdesk_sessions::{SessionsDeps, SessionsService, SystemClock};
use frontdesk_store::journal::Journal;
use frontdesk_store::postgres::PostgresJournal;
use frontdesk_telemetry::tasks;
use futures::FutureExt as _;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// The longest a readiness check may take.
const READINESS_DEADLINE: Duration = Duration::from_secs(1);
/// A gateway that has been gone for this long does not come back as itself.
const GONE_FOR: Duration = Duration::from_secs(60);
/// How often gone gateways are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(10);

pub(super) async fn run(mut process: Process) -> Result<(), ClusterError> {
    let listener = process.listen().await?;
    let open = async |settings: &_| PostgresJournal::open(settings).await;
    let Some(journal) = once_reachable(&mut process, open).await? else { return Ok(()) };
    let journal = Arc::new(journal);
    let (cluster, tasks) = process.join(&listener, vec![NodeRole::Sessions])?;
    let fan_out = FanOut::start(&process, &cluster, None)?;
    let deps = SessionsDeps {
        journal: journal.clone(),
        bus: fan_out.as_bus(),
        observers: vec![
            Arc::new(RemoteObserver::queueing(cluster.clone())),
            Arc::new(RemoteObserver::routing(cluster.clone())),
        ],
        clock: Arc::new(SystemClock::default()),
    };
    let mut settings = process.settings.sessions.clone();
    settings.beacons = true;
    let sessions = Arc::new(SessionsService::start(settings, &[], deps).await?);
    let offer = Offer {
        sessions: Some(sessions.clone()),
        feed_directly: Some(fan_out.feed_directly()),
        ..Offer::default()
    };
    let (known, read) = (cluster.joined(), journal.clone());
    let readiness = Arc::new(move || {
        let (known, read) = (known.clone(), read.clone());
        async move {
            joined(&known)?;
            // Any id will do; that there is no such conversation is an answer.
            let id = ConversationId::from_uuid(Uuid::max());
            match tokio::time::timeout(READINESS_DEADLINE, read.summary(id)).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err("the journal does not answer".to_owned()),
            }
        }
        .boxed()
    });
    let served = process
        .serve(
            listener,
            &offer,
            readiness,
            DebugPages::default().placement(&cluster).sessions(&sessions).bus(&fan_out.as_bus()),
        )
        .await?;
    // Both end below, once nothing is owned any more.
    let tenure = tasks::spawn(
        "sessions.tenure",
        keep(cluster.clone(), NodeRole::Sessions, sessions.clone()),
    );
    let undertaker =
        tasks::spawn("sessions.undertaker", forget_gateways(cluster.clone(), sessions.clone()));
    process.until_stopped().await;
    drain(&cluster, process.patience()).await;
    tenure.abort();
    undertaker.abort();
    sessions.stop().await;
    leave(&cluster, tasks).await;
    served.stop().await;
    journal.close().await;
    Ok(())
}

/// Has gateways forgotten that were members and have been gone for long.
async fn forget_gateways(cluster: Arc<Cluster>, sessions: Arc<SessionsService>) {
    let mut last_seen: BTreeMap<NodeId, Instant> = BTreeMap::new();
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        looks.tick().await;
        let (view, now) = (cluster.view().borrow().clone(), Instant::now());
        for member in view.of_role(NodeRole::Gateway) {
            last_seen.insert(member.node.clone(), now);
        }
        last_seen.retain(|_, seen| now.duration_since(*seen) < GONE_FOR * 10);
        let is_gone = |seen: &Instant| now.duration_since(*seen) >= GONE_FOR;
        let gone = last_seen.iter().filter(|(_, seen)| is_gone(seen));
        sessions.forget_gateways(gone.map(|(node, _)| node.clone()).collect::<BTreeSet<_>>());
    }
}
