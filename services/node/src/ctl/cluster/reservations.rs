//! What takes agents' room.

use super::{CtlError, DEADLINE, Link, until};
use crate::cli::Output;
use crate::ctl::{print_json, table};
use frontdesk_cluster::{PresenceQuestion, Question};
use frontdesk_core::ids::{AgentId, ConversationId, SiteId};
use frontdesk_core::presence::{AgentView, Hold};
use frontdesk_core::time::Timestamp;
use frontdesk_proto::convert::timestamp_to_proto;
use frontdesk_proto::wkt;
use serde::Serialize;
use std::sync::Arc;

/// A reservation, for machines.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    site: &'a SiteId,
    agent: AgentId,
    name: &'a str,
    conversation: ConversationId,
    weight: u32,
    hold: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<wkt::Timestamp>,
    #[serde(skip)]
    ends: Option<Timestamp>,
}

/// All reservations, or those of one agent.
pub(super) async fn list(link: &Link, output: Output, of: Option<&str>) -> Result<(), CtlError> {
    let question = Question::Presence(PresenceQuestion::Agents { site: None });
    let agents: Vec<Arc<AgentView>> = link.cluster.ask_voters(&question, DEADLINE).await?;
    let wanted = |agent: &&Arc<AgentView>| {
        of.is_none_or(|of| agent.id.to_string() == of || *agent.profile.name == *of)
    };
    let rows: Vec<Row<'_>> = agents.iter().filter(wanted).flat_map(rows_of).collect();
    match output {
        Output::Json => print_json(&rows)?,
        Output::Table => table::print(
            &["SITE", "AGENT", "CONVERSATION", "WEIGHT", "HOLD", "ENDS IN"],
            rows.iter().map(cells).collect(),
        ),
    }
    Ok(())
}

fn rows_of(agent: &Arc<AgentView>) -> impl Iterator<Item = Row<'_>> {
    agent.reservations.iter().map(|reservation| {
        let (hold, ends) = match reservation.hold {
            Hold::Reserved(until) => ("offer", Some(until)),
            Hold::Active => ("chat", None),
            Hold::WrapUp(until) => ("wrap-up", Some(until)),
        };
        Row {
            site: &agent.site,
            agent: agent.id,
            name: &agent.profile.name,
            conversation: reservation.conversation,
            weight: reservation.weight,
            hold,
            until: ends.map(timestamp_to_proto),
            ends,
        }
    })
}

fn cells(row: &Row<'_>) -> Vec<String> {
    vec![
        row.site.to_string(),
        row.name.to_owned(),
        row.conversation.to_string(),
        row.weight.to_string(),
        row.hold.to_owned(),
        row.ends.map_or_else(|| "-".to_owned(), until),
    ]
}
