//! A voter of the presence group, or one that is to become one.

use super::ClusterError;
use super::founding::{self, Identity};
use super::process::Process;
use crate::ops::DebugPages;
use frontdesk_cluster::{GrpcTransport, Offer};
use frontdesk_presence::{PresenceService, PresenceSettings, SystemClock};
use futures::FutureExt as _;
use std::sync::Arc;

pub(super) async fn run(mut process: Process) -> Result<(), ClusterError> {
    let folder = process.settings.data.join("presence");
    std::fs::create_dir_all(&folder)?;
    let Some(identity) = founding::identity(&mut process, &folder).await? else { return Ok(()) };
    let Identity { voter, founders } = identity;
    let listener = process.listen().await?;
    let section = process.settings.cluster.clone();
    let settings = PresenceSettings {
        folder,
        voter,
        members: founders,
        ready_within_secs: 30,
        node_ttl_secs: section.node_ttl_seconds.max(1),
    };
    let transport = Arc::new(GrpcTransport::new(process.channels.clone()));
    let presence = PresenceService::open(&settings, transport, Arc::new(SystemClock)).await?;
    let offer = Offer { presence: Some(presence.group().clone()), ..Offer::default() };
    let group = presence.group().clone();
    let readiness = Arc::new(move || {
        let led = group.status().leader.is_some();
        let ready = if led { Ok(()) } else { Err("the group has no leader".to_owned()) };
        std::future::ready(ready).boxed()
    });
    let served = process
        .serve(listener, &offer, readiness, DebugPages::default().raft(presence.group()))
        .await?;
    tracing::info!(voter, "presence runs");
    process.until_stopped().await;
    if let Err(error) = presence.group().hand_over().await {
        tracing::warn!(%error, "leadership was not handed over");
    }
    served.stop().await;
    presence.shutdown().await;
    Ok(())
}
