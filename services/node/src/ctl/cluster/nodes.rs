//! The processes of the cluster, and taking one's work away.

use super::written::about_to;
use super::{CtlError, DEADLINE, Link, member};
use crate::cli::Output;
use crate::ctl::{print_json, table};
use frontdesk_cluster::ClusterView;
use frontdesk_core::audit::Act;
use frontdesk_core::ids::NodeId;
use frontdesk_core::presence::{Action, Member, NodeRole, Reply, node_name};
use serde::Serialize;
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often it is looked how far a drain is.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A process, for machines.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeRow<'v> {
    name: &'v str,
    node: &'v NodeId,
    roles: Vec<&'static str>,
    draining: bool,
    address: &'v str,
    /// Shards it has, of all roles.
    shards: usize,
}

impl<'v> NodeRow<'v> {
    fn new(view: &'v ClusterView, member: &'v Member) -> Self {
        Self {
            name: node_name(&member.node),
            node: &member.node,
            roles: member.roles.iter().map(|role| role.as_str()).collect(),
            draining: member.draining,
            address: &member.address,
            shards: shards_of(view, &member.node),
        }
    }
}

fn shards_of(view: &ClusterView, node: &NodeId) -> usize {
    view.placement().filter(|(_, placement)| placement.node == *node).count()
}

/// All processes that live.
pub(super) async fn list(link: &Link, output: Output) -> Result<(), CtlError> {
    let view = link.view().await?;
    let rows: Vec<NodeRow<'_>> = view.members().map(|m| NodeRow::new(&view, m)).collect();
    match output {
        Output::Json => print_json(&rows)?,
        Output::Table => table::print(
            &["NAME", "ROLES", "STATE", "SHARDS", "ADDRESS", "NODE"],
            rows.iter().map(cells).collect(),
        ),
    }
    Ok(())
}

fn cells(row: &NodeRow<'_>) -> Vec<String> {
    let is_placed = row.roles.iter().any(|r| NodeRole::PLACED.iter().any(|p| p.as_str() == *r));
    vec![
        row.name.to_owned(),
        row.roles.join(","),
        if row.draining { "draining" } else { "live" }.to_owned(),
        if is_placed { row.shards.to_string() } else { "-".to_owned() },
        row.address.to_owned(),
        row.node.to_string(),
    ]
}

/// Asks the group to drain a process and waits until it has no shards.
pub(super) async fn drain(link: &Link, name: &str, patience: Duration) -> Result<(), CtlError> {
    let give_up = Instant::now() + patience.max(DEADLINE);
    let view = link.view().await?;
    let node = member(&view, name)?.node.clone();
    about_to(link, Act::DRAIN, node.to_string(), json!({})).await?;
    if let Reply::Refused(why) =
        link.cluster.propose(Action::DrainNode { node: node.clone() }).await?
    {
        return Err(CtlError::Usage(why.to_string()));
    }
    loop {
        let left = shards_of(&link.view().await?, &node);
        if left == 0 {
            println!("{name} is draining and has no shards");
            return Ok(());
        }
        if Instant::now() >= give_up {
            let why = format!("{name} is draining and still has {left} shards");
            return Err(CtlError::Usage(why));
        }
        sleep(LOOK_EVERY).await;
    }
}
