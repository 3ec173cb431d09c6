//! This process as a member: joins, says that it lives, joins again when it was
//! taken for dead, and leaves in order.

use super::question::{ClusterQuestion, PresenceQuestion, Question};
use super::voters::Voters;
use frontdesk_core::ids::NodeId;
use frontdesk_core::presence::{Action, NodeRole, Refusal, Reply, RequestId};
use frontdesk_proto::api::ApiError;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

/// How often it says that it lives: the group waits six times as long.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// The longest one heartbeat may take.
const HEARTBEAT_DEADLINE: Duration = Duration::from_secs(2);
/// The longest a proposal may take, with all its attempts.
pub(super) const PROPOSAL_DEADLINE: Duration = Duration::from_secs(5);

/// What this process is.
#[derive(Debug, Clone)]
pub(super) struct Own {
    pub(super) node: NodeId,
    pub(super) roles: Vec<NodeRole>,
    pub(super) address: Arc<str>,
}

/// Joins and heartbeats until the task is aborted. `joined` tells whether the
/// group knows this process.
pub(super) async fn run(own: Own, voters: Arc<Voters>, joined: watch::Sender<bool>) {
    let mut beats = interval(HEARTBEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        let question = Question::Cluster(ClusterQuestion::Heartbeat { node: own.node.clone() });
        match voters.ask::<bool>(&question, HEARTBEAT_DEADLINE).await {
            Ok(true) => drop(joined.send_replace(true)),
            Ok(false) => {
                joined.send_replace(false);
                match join(&own, &voters).await {
                    Ok(()) => {
                        tracing::info!(node = %own.node, "joined the cluster");
                        joined.send_replace(true);
                    }
                    Err(error) => {
                        tracing::warn!(%error, "could not join the cluster; trying again")
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "the presence group was not reached"),
        }
    }
}

async fn join(own: &Own, voters: &Voters) -> Result<(), ApiError> {
    for role in &own.roles {
        let (node, role, address) = (own.node.clone(), *role, own.address.clone());
        match propose(voters, Action::JoinNode { node, role, address }).await? {
            Reply::Refused(refusal @ Refusal::StaleNode) => {
                return Err(ApiError::State(refusal.to_string()));
            }
            Reply::Refused(refusal) => return Err(ApiError::unavailable(refusal.to_string())),
            _ => {}
        }
    }
    Ok(())
}

/// Has the group do something, once however often it has to be asked.
pub(super) async fn propose(voters: &Voters, action: Action) -> Result<Reply, ApiError> {
    let request = RequestId::from_uuid(Uuid::now_v7());
    let question = Question::Presence(PresenceQuestion::Propose { request, action });
    voters.ask(&question, PROPOSAL_DEADLINE).await
}
