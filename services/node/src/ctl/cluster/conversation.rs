//! Which process has a conversation.

use super::{CtlError, DEADLINE, Link};
use crate::cli::Output;
use crate::ctl::{print_json, table};
use frontdesk_cluster::{Question, SessionsQuestion};
use frontdesk_core::conversation::{Phase, Summary};
use frontdesk_core::ids::{ConversationId, Epoch, NodeId};
use frontdesk_core::presence::{NodeRole, node_name};
use frontdesk_core::shard::ShardId;
use serde::Serialize;

/// Where it is and how it stands, for machines.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Whereabouts {
    conversation: ConversationId,
    shard: ShardId,
    node: NodeId,
    address: String,
    epoch: Epoch,
    site: String,
    phase: &'static str,
    head_seq: u32,
}

/// Asks the group who owns it, and the owner how it stands.
pub(super) async fn locate(link: &Link, output: Output, id: &str) -> Result<(), CtlError> {
    let conversation: ConversationId =
        id.parse().map_err(|_| CtlError::Usage(format!("{id} is no conversation's id")))?;
    let shard = ShardId::of(conversation);
    let view = link.view().await?;
    let nobody = || CtlError::Usage(format!("shard {} has no live owner now", shard.get()));
    let placement = view.place(NodeRole::Sessions, shard).ok_or_else(nobody)?;
    let owner = view.member(&placement.node).ok_or_else(nobody)?;
    let question = Question::Sessions(SessionsQuestion::Summary { conversation, who: None });
    let summary: Summary = link.cluster.ask_at(&owner.address, &question, DEADLINE).await?;
    let found = Whereabouts {
        conversation,
        shard,
        node: owner.node.clone(),
        address: owner.address.to_string(),
        epoch: placement.epoch,
        site: summary.site.to_string(),
        phase: phase(&summary.phase),
        head_seq: summary.head.get(),
    };
    match output {
        Output::Json => print_json(&found)?,
        Output::Table => table::print(
            &["CONVERSATION", "SHARD", "OWNER", "ADDRESS", "EPOCH", "SITE", "PHASE", "EVENTS"],
            vec![vec![
                found.conversation.to_string(),
                found.shard.get().to_string(),
                node_name(&found.node).to_owned(),
                found.address,
                found.epoch.get().to_string(),
                found.site,
                found.phase.to_owned(),
                found.head_seq.to_string(),
            ]],
        ),
    }
    Ok(())
}

fn phase(phase: &Phase) -> &'static str {
    match phase {
        Phase::Waiting => "waiting",
        Phase::Offered(_) => "offered",
        Phase::Assigned { .. } => "assigned",
        Phase::Closed { .. } => "closed",
    }
}
