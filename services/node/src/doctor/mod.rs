//! `frontdesk doctor`: holds the settings of a cluster against its live parts and
//! says what is wrong and what to do about it. It changes nothing.

mod engines;
mod exposed;
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
    let link = Link::open(settings)?;
    let (postgres, redis, group) = tokio::join!(
        engines::postgres(&link.settings.postgres),
        engines::redis(&link.settings.redis),
        group::check(&link),
    );
    let ((postgres, max_connections), (group, view)) = (postgres, group);
    findings.extend(postgres);
    if let (Some(most), Some(view)) = (max_connections, &view) {
        let count = |role| view.of_role(role).count();
        findings.push(engines::pools(&link.settings.postgres, count, most));
    }
    findings.extend(redis);
    findings.extend(group);
    findings.extend(processes::check(&link, view.as_ref()).await);
    findings.extend(provider::check(&link.settings.gateway).await);
    link.close().await;
    Ok(findings)
}
