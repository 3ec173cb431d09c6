//! What stands on the pages: rows of JSON, made from what the roles tell of themselves.
//! Takes no lock that work waits for longer than it takes to copy numbers.

use frontdesk_cluster::{Cluster, GroupStatus};
use frontdesk_core::ids::SiteId;
use frontdesk_core::presence::NodeRole;
use frontdesk_core::shard::ShardId;
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::{ApiError, QueueView, Queueing};
use frontdesk_telemetry::{tasks, threads};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::runtime::Handle;

/// Slow commits, and slow readers, that are shown.
pub(super) const SLOWEST: usize = 50;
/// Sites whose queues are shown.
const MAX_SITES: usize = 200;
/// Roles whose shards are placed.
const PLACED: [NodeRole; 3] = [NodeRole::Sessions, NodeRole::Queueing, NodeRole::Routing];

pub(super) fn rows<T: Serialize>(rows: &[T]) -> Value {
    // Numbers and texts always are JSON.
    serde_json::to_value(rows).unwrap_or_default()
}

/// The tasks that have names, then all others of the runtime together.
pub(super) fn tasks() -> Value {
    let groups = tasks::all();
    let named: usize = groups.iter().map(|group| group.alive).sum();
    let mut all = rows(&groups);
    if let (Ok(runtime), Some(all)) = (Handle::try_current(), all.as_array_mut()) {
        let runtime = runtime.metrics();
        let others = runtime.num_alive_tasks().saturating_sub(named);
        let mut row = serde_json::Map::new();
        if let Some(Value::Object(first)) = all.first() {
            row.extend(first.keys().map(|field| (field.clone(), Value::Null)));
        }
        row.insert("name".into(), "(not named)".into());
        row.insert("alive".into(), others.into());
        all.push(Value::Object(row));
    }
    all
}

pub(super) fn threads() -> Value {
    rows(&threads::all())
}

pub(super) fn placement(cluster: &Cluster) -> Value {
    let view = cluster.view().borrow().clone();
    let row = |(role, shard): (NodeRole, ShardId)| {
        let place = view.place(role, shard)?;
        Some(json!({
            "role": role.as_str(),
            "shard": shard.get(),
            "owner": place.node.to_string(),
            "epoch": place.epoch.get(),
            "moving_to": place.moving.as_ref().map(|moving| moving.to.to_string()),
        }))
    };
    let all = PLACED.into_iter().flat_map(|role| ShardId::all().map(move |shard| (role, shard)));
    Value::Array(all.filter_map(row).collect())
}

/// The queues of all sites with anybody waiting.
pub(super) async fn queues(queueing: &dyn Queueing, now: Timestamp) -> Result<Value, ApiError> {
    let active = queueing.active().await?;
    let sites: BTreeSet<SiteId> = active.into_iter().map(|queue| queue.site).collect();
    let mut shown = Vec::new();
    for site in sites.iter().take(MAX_SITES) {
        match queueing.queues(site).await {
            Ok(views) => shown.extend(views.iter().map(|view| queue(view, now))),
            // It has gone to another keeper, or is no more.
            Err(ApiError::Moved | ApiError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Value::Array(shown))
}

fn queue(view: &QueueView, now: Timestamp) -> Value {
    let seconds = |ms: u64| ms / 1_000;
    json!({
        "site": view.queue.site.as_str(),
        "queue": view.queue.queue.as_str(),
        "waiting": view.waiting,
        "offered": view.offered,
        "assigned": view.assigned,
        "oldest_seconds": view.oldest_since.map(|since| seconds(now.since(since).get())),
        "estimate_seconds": view.estimated_wait.map(|wait| seconds(wait.get())),
        "agents_online": view.agents_online,
    })
}

/// A row for each who takes part; this voter's own has what only it knows.
pub(super) fn raft(status: &GroupStatus) -> Value {
    let row = |voter: &frontdesk_cluster::VoterStatus| {
        let own = voter.id == status.by;
        let own = |value: u64| own.then_some(value);
        json!({
            "voter": voter.id,
            "address": voter.address,
            "votes": voter.votes,
            "leads": status.leader == Some(voter.id),
            "lag": voter.lag,
            "silent_ms": voter.silent_ms,
            "term": own(status.term),
            "last_log": own(status.last_log),
            "applied": own(status.applied),
            "snapshot": own(status.snapshot),
        })
    };
    Value::Array(status.voters.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_cluster::VoterStatus;

    #[test]
    fn a_voter_tells_of_all_and_most_of_itself() {
        let voter = |id, lag| VoterStatus {
            id,
            address: format!("v{id}"),
            votes: true,
            lag,
            silent_ms: None,
        };
        let status = GroupStatus {
            by: 2,
            leader: Some(1),
            term: 7,
            last_log: 30,
            applied: 29,
            snapshot: 10,
            changing: false,
            voters: vec![voter(1, None), voter(2, Some(3))],
            now: None,
        };
        let rows = raft(&status);
        assert_eq!((&rows[0]["leads"], &rows[1]["leads"]), (&json!(true), &json!(false)));
        assert_eq!((&rows[0]["term"], &rows[1]["term"]), (&Value::Null, &json!(7)));
        assert_eq!((&rows[1]["lag"], &rows[1]["applied"]), (&json!(3), &json!(29)));
    }

    #[test]
    fn how_long_the_first_has_waited_is_counted_to_now() {
        let view = QueueView {
            queue: frontdesk_proto::api::QueueKey {
                site: "demo".parse().unwrap(),
                queue: "sales".parse().unwrap(),
            },
            waiting: 2,
            offered: 0,
            oldest_since: Some(Timestamp::from_millis(10_000)),
            estimated_wait: None,
            agents_online: 1,
            assigned: 0,
            estimated_wait_upper: None,
        };
        let row = queue(&view, Timestamp::from_millis(75_400));
        assert_eq!((&row["oldest_seconds"], &row["waiting"]), (&json!(65), &json!(2)));
    }
}
