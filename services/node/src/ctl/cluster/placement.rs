//! Who owns which shards, and moving some by hand.

use super::written::about_to;
use super::{CtlError, Link, member};
use crate::cli::{Output, PlacedRole};
use crate::ctl::{print_json, table};
use frontdesk_cluster::ClusterView;
use frontdesk_core::audit::Act;
use frontdesk_core::ids::{Epoch, NodeId};
use frontdesk_core::presence::{Action, NodeRole, PlacedBy, Reply, node_name};
use frontdesk_core::shard::ShardId;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

/// A shard, for machines.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShardRow {
    role: &'static str,
    shard: ShardId,
    node: NodeId,
    epoch: Epoch,
    /// Whether the owner lives.
    live: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    moving_to: Option<NodeId>,
    placed_by: PlacedBy,
}

/// Every shard for machines; runs of shards with one owner for people.
pub(super) async fn list(
    link: &Link,
    output: Output,
    role: Option<PlacedRole>,
) -> Result<(), CtlError> {
    let role = role.map(NodeRole::from);
    let view = link.view().await?;
    let rows: Vec<ShardRow> = view
        .placement()
        .filter(|(place, _)| role.is_none_or(|role| place.role == role))
        .map(|(place, placement)| ShardRow {
            role: place.role.as_str(),
            shard: place.shard,
            node: placement.node.clone(),
            epoch: placement.epoch,
            live: view.member(&placement.node).is_some(),
            moving_to: placement.moving.as_ref().map(|m| m.to.clone()),
            placed_by: placement.by,
        })
        .collect();
    match output {
        Output::Json => print_json(&rows)?,
        Output::Table => {
            let heading = ["ROLE", "OWNER", "SHARDS", "STATE", "WHICH"];
            table::print(&heading, summed_up(&rows));
        }
    }
    Ok(())
}

/// One line for all shards of a role that are in the same state.
fn summed_up(rows: &[ShardRow]) -> Vec<Vec<String>> {
    let mut lines: BTreeMap<(&str, &str, String), Vec<u16>> = BTreeMap::new();
    for row in rows {
        let line = (row.role, node_name(&row.node), state(row));
        lines.entry(line).or_default().push(row.shard.get());
    }
    lines
        .into_iter()
        .map(|((role, owner, state), shards)| {
            let count = shards.len().to_string();
            vec![role.to_owned(), owner.to_owned(), count, state, ranges(&shards)]
        })
        .collect()
}

fn state(row: &ShardRow) -> String {
    match (&row.moving_to, row.live, row.placed_by) {
        (Some(to), ..) => format!("moves to {}", node_name(to)),
        (None, false, _) => "owner is dead".to_owned(),
        (None, true, PlacedBy::Operator) => "pinned".to_owned(),
        (None, true, PlacedBy::Plan) => "owned".to_owned(),
    }
}

/// `0-3,7` for 0, 1, 2, 3 and 7; `shards` ascends.
fn ranges(shards: &[u16]) -> String {
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for shard in shards {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *shard => *last = *shard,
            _ => runs.push((*shard, *shard)),
        }
    }
    let text = |(first, last): &(u16, u16)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    runs.iter().map(text).collect::<Vec<_>>().join(",")
}

/// Asks the owners to hand shards on; without a destination they stay where they
/// are and the plan may move them again.
pub(super) async fn move_shards(
    link: &Link,
    role: NodeRole,
    shards: &[u16],
    to: Option<&str>,
) -> Result<(), CtlError> {
    let shards = shards
        .iter()
        .map(|n| ShardId::new(*n).ok_or_else(|| CtlError::Usage(format!("no shard {n}"))))
        .collect::<Result<Vec<ShardId>, CtlError>>()?;
    let view = link.view().await?;
    let actions = match to {
        Some(name) => {
            let to = member(&view, name)?.node.clone();
            vec![Action::MoveShards { role, shards, to, by: PlacedBy::Operator }]
        }
        None => unpin(&view, role, &shards),
    };
    let which = shards_named(&actions);
    let details = json!({ "to": to });
    about_to(link, Act::MOVE_SHARDS, format!("{} {which}", role.as_str()), details).await?;
    for action in actions {
        if let Reply::Refused(why) = link.cluster.propose(action).await? {
            return Err(CtlError::Usage(why.to_string()));
        }
    }
    Ok(())
}

/// The shards that actions are about, in short.
fn shards_named(actions: &[Action]) -> String {
    let mut shards: Vec<u16> = Vec::new();
    for action in actions {
        if let Action::MoveShards { shards: some, .. } = action {
            shards.extend(some.iter().map(|shard| shard.get()));
        }
    }
    shards.sort_unstable();
    shards.dedup();
    ranges(&shards)
}

/// A move to where each is, wished by the plan.
fn unpin(view: &ClusterView, role: NodeRole, shards: &[ShardId]) -> Vec<Action> {
    let mut by_owner: BTreeMap<NodeId, Vec<ShardId>> = BTreeMap::new();
    for shard in shards {
        if let Some(placement) = view.place(role, *shard) {
            by_owner.entry(placement.node.clone()).or_default().push(*shard);
        }
    }
    let unpinned = by_owner.into_iter().map(|(to, shards)| {
        let by = PlacedBy::Plan;
        Action::MoveShards { role, shards, to, by }
    });
    unpinned.collect()
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn runs_of_shards_are_written_short() {
        assert_eq!(ranges(&[]), "");
        assert_eq!(ranges(&[5]), "5");
        assert_eq!(ranges(&[0, 1, 2, 3, 7, 9, 10]), "0-3,7,9-10");
    }
}
