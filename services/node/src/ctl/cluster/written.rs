//! Writing down what operators do with the parts of a cluster, before it is done: what
//! cannot be written down is refused. There is no account behind it, so the log says whose
//! certificate it was, and which user of which machine; and as it concerns every site, it
//! stands in the log of each. Never what was said in a conversation.

use super::{CtlError, Link};
use crate::operator::{cut, operator};
use frontdesk_cluster::RemoteDesk;
use frontdesk_core::audit::{Act, AuditEntry, MAX_SUBJECT_BYTES};
use frontdesk_core::ids::AuditId;
use frontdesk_core::presence::NodeRole;
use frontdesk_proto::api::{ApiError, Desk as _};
use serde_json::Value;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// What this command has written down: what it tries again is there once.
#[derive(Default)]
pub(crate) struct Written(Mutex<HashSet<(Act, String)>>);

impl Written {
    fn has(&self, act: &Act, subject: &str) -> bool {
        self.lock().contains(&(act.clone(), subject.to_owned()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<(Act, String)>> {
        // A set of whole values is as good after a panic as before.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes down what is about to be done; with `--unrecorded` it is done even if that fails.
pub(super) async fn about_to(
    link: &Link,
    act: Act,
    subject: String,
    details: Value,
) -> Result<(), CtlError> {
    if link.written.has(&act, &subject) {
        return Ok(());
    }
    match write(link, &act, &subject, details).await {
        Ok(()) => {
            link.written.lock().insert((act, subject));
            Ok(())
        }
        Err(error) if link.unrecorded => {
            eprintln!("{act} is not written down: {error}");
            Ok(())
        }
        Err(error) => Err(CtlError::Usage(format!(
            "it cannot be written down, so it was not done ({error}); --unrecorded does it all \
             the same"
        ))),
    }
}

async fn write(link: &Link, act: &Act, subject: &str, details: Value) -> Result<(), ApiError> {
    let view = link.view().await?;
    if view.members().all(|member| !member.roles.contains(&NodeRole::Desk)) {
        // Nothing would be gained by waiting for one.
        return Err(ApiError::unavailable("no desk is there"));
    }
    let desk = RemoteDesk::new(link.cluster.clone());
    let by = operator();
    let mut details = details;
    details["certificate"] = certificate(link).map_or(Value::Null, Value::String);
    for site in desk.sites().await? {
        let entry = AuditEntry {
            id: AuditId::from_uuid(Uuid::now_v7()),
            site: site.id.clone(),
            by: by.clone(),
            act: act.clone(),
            subject: cut(subject, MAX_SUBJECT_BYTES).to_owned(),
            details: details.to_string(),
        };
        desk.record(entry).await?;
    }
    Ok(())
}

/// Whom the certificate is for that lets this command in.
fn certificate(link: &Link) -> Option<String> {
    let files = link.settings.cluster.tls.as_ref()?;
    files.terms().ok()?.into_iter().next().map(|own| own.subject)
}
