//! `frontdesk ctl backup` and `restore`: copies of a data folder. No gateway is asked: it
//! is the folder that counts, whether its server runs or not.

use super::{CtlError, now, print_json};
use crate::cli::{BackupArgs, Output, RestoreArgs};
use frontdesk_store::sqlite::backup::{self, BackupError, Contents, Manifest};
use std::path::Path;

/// Makes a backup, or looks at one.
pub(super) async fn back_up(args: BackupArgs, output: Output) -> Result<(), CtlError> {
    let BackupArgs { backup: place, data, check } = args;
    if check {
        let manifest = blocking(move || backup::check(&place).map(|m| (m, place))).await?;
        return print(output, "is whole", &manifest.1, &manifest.0);
    }
    let made = blocking(move || {
        let version = env!("CARGO_PKG_VERSION");
        backup::make(&data, &place, version, now()).map(|manifest| (manifest, place))
    });
    let (manifest, place) = made.await?;
    print(output, "was made", &place, &manifest)
}

/// Makes a data folder.
pub(super) async fn restore(args: RestoreArgs, output: Output) -> Result<(), CtlError> {
    let RestoreArgs { backup: place, data } = args;
    let restored = blocking(move || backup::restore(&place, &data).map(|m| (m, data)));
    let (manifest, data) = restored.await?;
    print(output, "was restored", &data, &manifest)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, CtlError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

fn print(output: Output, what: &str, place: &Path, made: &Manifest) -> Result<(), CtlError> {
    if output == Output::Json {
        return Ok(print_json(made)?);
    }
    let Contents { conversations, events, sites, accounts, attachments, audit } = &made.contents;
    println!(
        "{} {what}: {conversations} conversations with {events} events, {attachments} files, \
         {sites} sites, {accounts} accounts, {audit} audit entries; made by {}.",
        place.display(),
        made.frontdesk,
    );
    Ok(())
}
