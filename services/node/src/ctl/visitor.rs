//! `frontdesk ctl visitor`: all that is kept of a visitor, handed out or forgotten.

use super::{Admin, CtlError, print_json};
use crate::cli::{Output, VisitorCommand};
use frontdesk_proto::v1::{
    Attachment, ConversationState, EraseVisitorRequest, Event, ExportVisitorPage,
    ExportVisitorRequest,
};
use serde::Serialize;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tonic::Request;

/// An embedded store writes its files anew: some seconds a gigabyte.
const ERASE_DEADLINE: Duration = Duration::from_secs(900);

/// What a database's server keeps of its own accord.
const UNTIL_VACUUM: &str = "\
Nothing reads it any more. PostgreSQL keeps the bytes in unused rows until autovacuum has
freed them and their room is used again, and in its log, replicas and backups for as long as
you keep those. Where that matters: VACUUM FULL, as OPERATIONS.md says under \"Backup,
restore and privacy\".";

/// One conversation of an export.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Exported {
    conversation: ConversationState,
    events: Vec<Event>,
    /// Their bytes are in `files`, under their ids.
    files: Vec<Attachment>,
}

/// Runs one command.
pub(super) async fn run(
    admin: Admin,
    output: Output,
    command: VisitorCommand,
) -> Result<(), CtlError> {
    match command {
        VisitorCommand::Export { visitor, to } => export(admin, output, visitor, to).await,
        VisitorCommand::Erase { visitor, dry_run } => erase(admin, output, visitor, dry_run).await,
    }
}

async fn erase(
    mut admin: Admin,
    output: Output,
    visitor: String,
    dry_run: bool,
) -> Result<(), CtlError> {
    let mut request = Request::new(EraseVisitorRequest { visitor, dry_run });
    request.set_timeout(ERASE_DEADLINE);
    let erased = admin.erase_visitor(request).await?.into_inner();
    if output == Output::Json {
        return Ok(print_json(&erased)?);
    }
    let what = if dry_run { "Would erase" } else { "Erased" };
    println!(
        "{what} {} conversations and {} files of visitor {}.",
        erased.conversations,
        erased.files,
        erased.visitors.join(", ")
    );
    if erased.until_vacuum {
        println!("{UNTIL_VACUUM}");
    }
    Ok(())
}

async fn export(
    mut admin: Admin,
    output: Output,
    visitor: String,
    out: PathBuf,
) -> Result<(), CtlError> {
    // Asked first: a visitor that is not there leaves no folder.
    let mut pages = admin.export_visitor(ExportVisitorRequest { visitor }).await?.into_inner();
    let folder = out.join("files");
    let made = DirBuilder::new().mode(0o700).create(&out);
    made.and_then(|()| DirBuilder::new().mode(0o700).create(&folder)).map_err(of(&out))?;
    let mut exported: Vec<Exported> = Vec::new();
    let mut open: Option<(PathBuf, File)> = None;
    while let Some(page) = pages.message().await? {
        let ExportVisitorPage { conversation, events, file, bytes } = page;
        if let Some(conversation) = conversation {
            exported.push(Exported { conversation, events: Vec::new(), files: Vec::new() });
        }
        let Some(last) = exported.last_mut() else { continue };
        last.events.extend(events);
        if let Some(file) = file {
            let path = folder.join(plain(&file.id)?);
            open = Some((path.clone(), create(&path).map_err(of(&path))?));
            last.files.push(file);
        }
        if let Some((path, file)) = &mut open {
            file.write_all(&bytes).map_err(of(path))?;
        }
    }
    let path = out.join("visitor.json");
    let json = serde_json::to_vec_pretty(&exported)?;
    create(&path).and_then(|mut file| file.write_all(&json)).map_err(of(&path))?;
    match output {
        Output::Json => print_json(&exported)?,
        Output::Table => {
            let files: usize = exported.iter().map(|e| e.files.len()).sum();
            println!("{}: {} conversations, {files} files.", out.display(), exported.len());
        }
    }
    Ok(())
}

/// An id is a file's name as it is; nothing else may become one.
fn plain(id: &str) -> Result<&str, CtlError> {
    let is_plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !id.is_empty();
    if is_plain { Ok(id) } else { Err(CtlError::Usage(format!("{id:?} is no id of a file"))) }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn of(path: &Path) -> impl FnOnce(io::Error) -> CtlError {
    let file = path.display().to_string();
    move |source| CtlError::File { file, source }
}
