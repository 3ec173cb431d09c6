//! `frontdesk ctl audit`: what supervisors did and who signed in, page by page, and all of
//! a time to be kept elsewhere.

use super::figures::{moment, zone};
use super::{Admin, CtlError, print_json, table};
use crate::chat::screen;
use crate::cli::{AuditArgs, AuditCommand, AuditFilter, Output};
use crate::signin::with_deadline;
use frontdesk_proto::v1::{AuditRecord, ListAuditRequest};
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Entries of one page.
const PAGE: usize = 100;
/// Characters of the details that a table shows.
const SHOWN: usize = 80;

/// Asks for the log and prints it, or takes it out.
pub(super) async fn audit(admin: Admin, output: Output, args: AuditArgs) -> Result<(), CtlError> {
    let mut log = Log::new(admin, args.filter)?;
    if let Some(AuditCommand::Export { to_file }) = args.command {
        return export(log, to_file.as_deref()).await;
    }
    let mut records = Vec::new();
    while records.len() < args.limit
        && let Some(page) = log.page(args.limit - records.len()).await?
    {
        records.extend(page);
    }
    match output {
        Output::Json => print_json(&records.iter().map(json).collect::<Result<Vec<_>, _>>()?)?,
        Output::Table => print_table(&records),
    }
    Ok(())
}

/// The log, page by page.
struct Log {
    admin: Admin,
    request: ListAuditRequest,
    ended: bool,
}

impl Log {
    fn new(admin: Admin, filter: AuditFilter) -> Result<Self, CtlError> {
        let zone = zone(&filter.time_zone)?;
        let request = ListAuditRequest {
            from: Some(moment(&filter.from, &zone)?),
            to: filter.to.as_deref().map(|to| moment(to, &zone)).transpose()?,
            actor: filter.actor,
            act: filter.act,
            subject: filter.subject,
            ..ListAuditRequest::default()
        };
        Ok(Self { admin, request, ended: false })
    }

    /// The next entries, at most so many; `None` after the last.
    async fn page(&mut self, most: usize) -> Result<Option<Vec<AuditRecord>>, CtlError> {
        if self.ended {
            return Ok(None);
        }
        self.request.limit = u32::try_from(most.min(PAGE)).unwrap_or(1);
        let asked = self.admin.list_audit(with_deadline(self.request.clone()));
        let page = asked.await?.into_inner();
        self.request.page_token = page.next_page_token;
        self.ended = self.request.page_token.is_empty();
        Ok(Some(page.records))
    }
}

/// Writes one entry a line; a file that could not be finished is removed.
async fn export(mut log: Log, file: Option<&Path>) -> Result<(), CtlError> {
    let Some(path) = file else {
        lines(&mut log, &mut io::stdout(), "standard output").await?;
        return Ok(());
    };
    let name = path.display().to_string();
    let failed = |source| CtlError::File { file: name.clone(), source };
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut writer = BufWriter::new(opened.map_err(failed)?);
    let written = async {
        let count = lines(&mut log, &mut writer, &name).await?;
        writer.flush().and_then(|()| writer.get_ref().sync_all()).map_err(failed)?;
        Ok::<_, CtlError>(count)
    };
    match written.await {
        Ok(count) => {
            println!("{count} entries are in {name}");
            Ok(())
        }
        Err(error) => {
            // What is left would look like a whole one. It may be gone already.
            let _ = fs::remove_file(path);
            Err(error)
        }
    }
}

async fn lines(log: &mut Log, to: &mut impl Write, name: &str) -> Result<usize, CtlError> {
    let mut count = 0;
    while let Some(page) = log.page(PAGE).await? {
        for record in &page {
            let line = json(record)?.to_string();
            writeln!(to, "{line}")
                .map_err(|source| CtlError::File { file: name.to_owned(), source })?;
            count += 1;
        }
    }
    Ok(count)
}

/// With the details as what they are: a document of their own.
fn json(record: &AuditRecord) -> Result<Value, serde_json::Error> {
    let mut value = serde_json::to_value(record)?;
    if let Ok(details) = serde_json::from_str::<Value>(&record.details) {
        value["details"] = details;
    }
    Ok(value)
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
        assert_eq!(json(&with(r#"{"version":3}"#)).unwrap()["details"]["version"], 3);
        assert_eq!(json(&with("no json")).unwrap()["details"], "no json");
    }
}
