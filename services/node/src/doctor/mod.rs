//! `frontdesk doctor`: holds the settings of a cluster against its live parts and
//! says what is wrong and what to do about it. It changes nothing, but for a probe that
//! comes and goes where files are kept.

mod engines;
mod exposed;
mod files;
mod finding;
mod group;
mod local;
mod private;
mod processes;
mod provider;

use crate::cli::{DoctorArgs, Output};
use crate::ctl::{CtlError, Link, print_json};
use crate::settings::{self, Settings, SettingsError};
use finding::{Finding, Verdict};
use std::path::Path;

/// Why no diagnosis, or no good one, could be given.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DoctorError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Ctl(#[from] CtlError),
    #[error("cannot print as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("{0} of the checks failed")]
    Sick(usize),
}

/// Checks everything, prints what was found; fails when anything is wrong.
pub(crate) async fn run(args: &DoctorArgs) -> Result<(), DoctorError> {
    let settings = settings::load(&args.settings)?;
    let findings = examine(args.settings.config.as_deref(), settings).await?;
    match args.output {
        Output::Json => print_json(&findings)?,
        Output::Table => finding::print(&findings),
    }
    match findings.iter().filter(|finding| finding.verdict == Verdict::Fail).count() {
        0 => Ok(()),
        wrong => Err(DoctorError::Sick(wrong)),
    }
}

async fn examine(file: Option<&Path>, settings: Settings) -> Result<Vec<Finding>, DoctorError> {
    let mut findings = local::check(&settings);
    findings.extend(private::check(file, &settings));
    findings.extend(exposed::check(&settings.postgres, &settings.redis));
    findings.extend(files::check(settings.attachments.s3.as_ref()).await);
    let link = Link::open(settings)?;
    let ((postgres, found), redis, (group, view)) = tokio::join!(
        engines::postgres(&link.settings.postgres),
        engines::redis(&link.settings.redis),
        group::check(&link),
    );
    findings.extend(postgres);
    if let (Some(found), Some(view)) = (&found, &view) {
        let count = |role| view.of_role(role).count();
        findings.push(engines::pools(&link.settings.postgres, count, found.max_connections));
    }
    findings.extend(redis);
    findings.extend(group);
    if let Some(found) = found
        && let Some(last_log) = group::last_log(&link).await
    {
        findings.push(engines::epochs(&found, last_log));
    }
    findings.extend(processes::check(&link, view.as_ref()).await);
    findings.extend(provider::check(&link.settings.gateway).await);
    link.close().await;
    Ok(findings)
}
