//! `frontdesk ctl audit`: what supervisors did, page by page.

use super::figures::{moment, zone};
use super::{Admin, CtlError, print_json, table};
use crate::chat::screen;
use crate::cli::{AuditArgs, Output};
use crate::signin::with_deadline;
use frontdesk_proto::v1::{AuditRecord, ListAuditRequest};
use serde_json::Value;

/// Entries of one page.
const PAGE: usize = 100;
/// Characters of the details that a table shows.
const SHOWN: usize = 80;

/// Asks for the log and prints it.
pub(super) async fn audit(
    mut admin: Admin,
    output: Output,
    args: AuditArgs,
) -> Result<(), CtlError> {
    let zone = zone(&args.time_zone)?;
    let mut request = ListAuditRequest {
        from: Some(moment(&args.from, &zone)?),
        to: args.to.as_deref().map(|to| moment(to, &zone)).transpose()?,
        actor: args.actor,
        act: args.act,
        subject: args.subject,
        ..ListAuditRequest::default()
    };
    let mut records = Vec::new();
    while records.len() < args.limit {
        let wanted = (args.limit - records.len()).min(PAGE);
        request.limit = u32::try_from(wanted).unwrap_or(1);
        let page = admin.list_audit(with_deadline(request.clone())).await?.into_inner();
        records.extend(page.records);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    match output {
        Output::Json => print_json(&json(&records)?)?,
        Output::Table => print_table(&records),
    }
    Ok(())
}

/// With the details as what they are: a document of their own.
fn json(records: &[AuditRecord]) -> Result<Vec<Value>, serde_json::Error> {
    let record = |record: &AuditRecord| {
        let mut value = serde_json::to_value(record)?;
        if let Ok(details) = serde_json::from_str::<Value>(&record.details) {
            value["details"] = details;
        }
        Ok(value)
    };
    records.iter().map(record).collect()
}

fn print_table(records: &[AuditRecord]) {
    let rows = records.iter().map(|record| {
        let at = record.at.as_ref();
        let at = at.and_then(|at| jiff::Timestamp::new(at.seconds, 0).ok());
        let details: String = record.details.chars().take(SHOWN).collect();
        let is_whole = details.len() == record.details.len();
        vec![
            at.map(|at| at.to_string()).unwrap_or_default(),
            record.actor.as_ref().map(screen::name).unwrap_or_default(),
            record.act.clone(),
            record.subject.clone(),
            record.origin.clone(),
            if is_whole { details } else { format!("{details}…") },
        ]
    });
    table::print(&["AT", "WHO", "ACT", "SUBJECT", "FROM", "DETAILS"], rows.collect());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_a_document_and_what_is_none_stays_text() {
        let with =
            |details: &str| AuditRecord { details: details.into(), ..AuditRecord::default() };
        let records = json(&[with(r#"{"version":3}"#), with("no json")]).unwrap();
        assert_eq!(records[0]["details"]["version"], 3);
        assert_eq!(records[1]["details"], "no json");
    }
}
