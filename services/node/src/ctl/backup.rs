//! `frontdesk ctl backup` and `restore`: copies of a data folder. No gateway is asked: it
//! is the folder that counts, whether its server runs or not.

use super::{CtlError, now, print_json};
use crate::cli::{BackupArgs, Output, RestoreArgs, SettingsArgs};
use crate::settings;
use frontdesk_store::postgres::PostgresSettings;
use frontdesk_store::sqlite::backup::{self, BackupError, Contents, Manifest};
use std::path::{Path, PathBuf};

/// What a voter has in its data folder, beside what an embedded store has.
const OF_A_VOTER: &str = "presence";
/// The settings of a cluster that was started with `frontdesk cluster up`.
const OF_A_CLUSTER: &str = "cluster.toml";

/// Makes a backup, or looks at one. `config` is the settings file, if one is named.
pub(super) async fn back_up(
    args: BackupArgs,
    config: Option<PathBuf>,
    output: Output,
) -> Result<(), CtlError> {
    let BackupArgs { backup: place, data, check } = args;
    if !check {
        refuse_cluster(config, &data, "back it up with", |url| {
            format!(
                "pg_dump --format=custom --exclude-table-data=shards --file={} {url}",
                quoted(&place.display().to_string())
            )
        })?;
    }
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
pub(super) async fn restore(
    args: RestoreArgs,
    config: Option<PathBuf>,
    output: Output,
) -> Result<(), CtlError> {
    let RestoreArgs { backup: place, data } = args;
    refuse_cluster(config, &data, "restore a dump, into a new database, with", |url| {
        let dump = quoted(&place.display().to_string());
        format!("pg_restore --no-owner --dbname={url} {dump}")
    })?;
    let restored = blocking(move || backup::restore(&place, &data).map(|m| (m, data)));
    let (manifest, data) = restored.await?;
    print(output, "was restored", &data, &manifest)
}

/// What lasts in a cluster is in PostgreSQL, which has programs of its own for this: says
/// which, with the settings' URL but no password.
fn refuse_cluster(
    config: Option<PathBuf>,
    data: &Path,
    what_to_do: &str,
    command: impl FnOnce(&str) -> String,
) -> Result<(), CtlError> {
    let config = config.or_else(|| Some(data.join(OF_A_CLUSTER)).filter(|file| file.is_file()));
    let postgres = match config {
        Some(config) => {
            let args = SettingsArgs { config: Some(config), data: None, listen: None, log: None };
            let settings = settings::load(&args)?;
            (!settings.cluster.voters.is_empty()).then_some(settings.postgres)
        }
        None => None,
    };
    let is_voter = || data.join(OF_A_VOTER).is_dir() && !backup::is_data(data);
    if postgres.is_none() && !is_voter() {
        return Ok(());
    }
    let url = postgres.as_ref().and_then(PostgresSettings::url_without_password);
    let url = url.map_or_else(|| "\"$URL\"".to_owned(), |url| quoted(&url));
    Err(CtlError::Cluster(format!(
        "what lasts in a cluster is in PostgreSQL: {what_to_do} `{}` (it takes the password from \
         PGPASSWORD, or asks for it); see \"Backup, restore and privacy\" in OPERATIONS.md",
        command(&url)
    )))
}

/// One word of a shell's.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
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
