//! `frontdesk ctl explain` and `route`: why a conversation went to whom, and which
//! queue one would go to.

use super::figures::moment;
use super::{Admin, CtlError, print_json, table};
use crate::cli::{Output, RouteArgs};
use crate::signin::with_deadline;
use frontdesk_proto::v1::{ExplainConversationRequest, ExplainRouteRequest};
use frontdesk_proto::wkt::Timestamp;
use jiff::tz::TimeZone;

/// What was required, and what came of each agent.
pub(super) async fn explain(
    mut admin: Admin,
    output: Output,
    conversation: String,
) -> Result<(), CtlError> {
    let ask = ExplainConversationRequest { conversation_id: conversation };
    let answer = admin.explain_conversation(with_deadline(ask)).await?.into_inner();
    if let Output::Json = output {
        return Ok(print_json(&answer)?);
    }
    let seconds = |t: Option<&Timestamp>| t.map_or(0, |t| t.seconds);
    let waited = seconds(answer.decided_at.as_ref()) - seconds(answer.waiting_since.as_ref());
    let mut required: Vec<String> =
        answer.required.iter().map(|(skill, level)| format!("{skill} {level}")).collect();
    required.sort();
    if !answer.language.is_empty() {
        required.push(format!("the language {}", answer.language));
    }
    let required = if required.is_empty() { "nothing".into() } else { required.join(", ") };
    println!("queue {}, {waited} s waited, required: {required}", answer.queue);
    let rows = answer.candidates.into_iter();
    let rows = rows.map(|c| vec![c.name, c.verdict.replace('_', " "), c.agent_id]).collect();
    table::print(&["AGENT", "VERDICT", "ID"], rows);
    Ok(())
}

/// The queue; with `--explain` the rule that holds, too, and why those before it do not.
pub(super) async fn route(
    mut admin: Admin,
    output: Output,
    args: RouteArgs,
) -> Result<(), CtlError> {
    let RouteArgs { page, language, attributes, text, channel, at, explain } = args;
    let at = at.map(|at| moment(&at, &TimeZone::UTC)).transpose()?;
    let attributes = attributes.into_iter().collect();
    let ask = ExplainRouteRequest { page, language, attributes, text, channel, at };
    let answer = admin.explain_route(with_deadline(ask)).await?.into_inner();
    if let Output::Json = output {
        return Ok(print_json(&answer)?);
    }
    println!("{}", answer.queue);
    if explain {
        let missed = answer.missed.into_iter();
        let mut rows: Vec<Vec<String>> =
            missed.map(|missed| vec![missed.rule, "no".into(), missed.condition]).collect();
        let rule = if answer.rule.is_empty() { "(default)".into() } else { answer.rule };
        let priority = match answer.priority_minutes {
            0 => String::new(),
            minutes => format!("priority {minutes}m"),
        };
        rows.push(vec![rule, "yes".into(), priority]);
        table::print(&["RULE", "HOLDS", "BECAUSE OF"], rows);
    }
    Ok(())
}
