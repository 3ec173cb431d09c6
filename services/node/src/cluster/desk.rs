//! The desk: any number of them may run on the same database.

use super::ClusterError;
use super::parts::{joined, once_reachable};
use super::process::{Process, leave};
use crate::ops::DebugPages;
use frontdesk_cluster::Offer;
use frontdesk_core::presence::NodeRole;
use frontdesk_desk::DeskService;
use frontdesk_store::postgres::PostgresDesk;
use futures::FutureExt as _;
use std::sync::Arc;

pub(super) async fn run(mut process: Process) -> Result<(), ClusterError> {
    let listener = process.listen().await?;
    let open = async |settings: &_| PostgresDesk::open(settings).await;
    let Some(store) = once_reachable(&mut process, open).await? else { return Ok(()) };
    let store = Arc::new(store);
    let desk = Arc::new(DeskService::new(store, &process.settings.desk).await?);
    let (cluster, tasks) = process.join(&listener, vec![NodeRole::Desk])?;
    let offer = Offer { desk: Some(desk), ..Offer::default() };
    let known = cluster.joined();
    let readiness = Arc::new(move || std::future::ready(joined(&known)).boxed());
    let served = process
        .serve(listener, &offer, readiness, DebugPages::default().placement(&cluster))
        .await?;
    process.until_stopped().await;
    // The others ask another desk from now on.
    leave(&cluster, tasks).await;
    served.stop().await;
    Ok(())
}
