//! Writing down what supervisors do, before it is done: what cannot be written down is
//! refused. Of agents and visitors nothing is kept here; what they do stands in the
//! conversation itself.

mod list;
#[cfg(test)]
mod tests;

pub(crate) use list::list;
#[cfg(feature = "fuzzing")]
pub(crate) use list::{place_of, token_of};

use crate::connection::Client;
use crate::peer::Peer;
use crate::shared::{CALL_DEADLINE, Shared, within};
use frontdesk_core::audit::{Act, AuditEntry, Author, MAX_DETAILS_BYTES};
use frontdesk_core::conversation::{Phase, Summary};
use frontdesk_core::ids::{AuditId, ConversationId};
use frontdesk_core::party::{Principal, Role};
use frontdesk_proto::api::ApiError;
use metrics::counter;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// Conversations that a connection remembers to have been written down; past that it
/// forgets them all, and they are written down once more.
const MAX_NOTED: usize = 1_000;

/// Looks of one connection that are in the log already.
#[derive(Default)]
pub(crate) struct Noted(Mutex<HashSet<(Act, ConversationId)>>);

impl Noted {
    fn has(&self, act: &Act, id: ConversationId) -> bool {
        self.lock().contains(&(act.clone(), id))
    }

    fn add(&self, act: Act, id: ConversationId) {
        let mut noted = self.lock();
        if noted.len() >= MAX_NOTED {
            noted.clear();
        }
        noted.insert((act, id));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<(Act, ConversationId)>> {
        // A set of whole values is as good after a panic as before.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes down what a supervisor is about to do; nothing when the caller is none.
/// `details` is a JSON object, and never what was said.
pub(crate) async fn record(
    client: &Client,
    act: Act,
    subject: impl ToString + Send,
    details: Value,
) -> Result<(), ApiError> {
    record_of(&client.shared, client.who(), client.peer, act, subject, details).await
}

/// The same for a caller without a connection.
pub(crate) async fn record_of(
    shared: &Shared,
    who: &Principal,
    peer: Peer,
    act: Act,
    subject: impl ToString + Send,
    details: Value,
) -> Result<(), ApiError> {
    let Some(by) = author(shared, who, peer).filter(|by| by.role == Role::Supervisor) else {
        return Ok(());
    };
    let mut details = details.to_string();
    if details.len() > MAX_DETAILS_BYTES {
        details = json!({ "left_out": details.len() }).to_string();
    }
    let (id, site) = (AuditId::from_uuid(Uuid::now_v7()), who.site.clone());
    let entry = AuditEntry { id, site, by, act, subject: subject.to_string(), details };
    let recording = shared.deps.desk.record(entry);
    within(CALL_DEADLINE, "desk", recording).await.map_err(|error| {
        counter!("frontdesk_gateway_audit_failures_total").increment(1);
        tracing::warn!(site = %who.site, by = %who.id, %error, "an act was refused: it cannot be written down");
        ApiError::unavailable(format!("it cannot be written down: {error}"))
    })
}

/// The caller as the log names it; `None` for a visitor.
pub(crate) fn author(shared: &Shared, who: &Principal, peer: Peer) -> Option<Author> {
    Author::of(who, shared.now(), peer.0.to_string())
}

/// Writes down that a supervisor looks into a conversation that is not its own, once for
/// each connection. `NotFound` when it may not know of it.
pub(crate) async fn look(client: &Client, act: Act, id: ConversationId) -> Result<(), ApiError> {
    if client.who().role != Role::Supervisor || client.noted.has(&act, id) {
        return Ok(());
    }
    let summary = client.summary(id).await?;
    if !is_own(client.who(), &summary) {
        record(client, act.clone(), id, details_of(&summary)).await?;
        client.noted.add(act, id);
    }
    Ok(())
}

/// Writes down that a supervisor is about to change a conversation that is not its own.
/// `NotFound` when it may not know of it.
pub(crate) async fn change(
    client: &Client,
    act: Act,
    id: ConversationId,
    details: Value,
) -> Result<(), ApiError> {
    if client.who().role != Role::Supervisor {
        return Ok(());
    }
    let summary = client.summary(id).await?;
    if is_own(client.who(), &summary) {
        return Ok(());
    }
    record(client, act, id, details).await
}

/// The same as `look` for a caller without a connection, each time.
pub(crate) async fn look_of(
    shared: &Shared,
    who: &Principal,
    peer: Peer,
    act: Act,
    summary: &Summary,
) -> Result<(), ApiError> {
    if is_own(who, summary) {
        return Ok(());
    }
    record_of(shared, who, peer, act, summary.id, details_of(summary)).await
}

/// Whose conversation is looked into.
fn details_of(summary: &Summary) -> Value {
    let agent = summary.holder().map(|agent| agent.to_string());
    json!({ "queue": summary.queue.as_str(), "agent": agent })
}

/// Whether the caller has it, is offered it, or had it when it was closed.
fn is_own(who: &Principal, summary: &Summary) -> bool {
    let had = || summary.last_agent.as_ref().is_some_and(|agent| agent.id == who.id);
    match summary.phase.holder() {
        Some(agent) => agent.id == who.id,
        None => matches!(summary.phase, Phase::Closed { .. }) && had(),
    }
}
