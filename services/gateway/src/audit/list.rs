//! `ListAudit`: the log of the caller's site, page by page.

use crate::shared::{CALL_DEADLINE, Shared, within};
use crate::verbs::common::limit;
use frontdesk_core::audit::{
    Act, AuditActor, AuditEntry, AuditPlace, AuditQuery, Author, MAX_PAGE, NoAct,
};
use frontdesk_core::party::Principal;
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::ApiError;
use frontdesk_proto::convert::{participant_to_proto, timestamp_from_proto, timestamp_to_proto};
use frontdesk_proto::{v1, wkt};

/// Answers with a page.
pub(crate) async fn list(
    shared: &Shared,
    who: &Principal,
    request: v1::ListAuditRequest,
) -> Result<v1::ListAuditResponse, ApiError> {
    let query = query(who, request)?;
    let page = within(CALL_DEADLINE, "desk", shared.deps.desk.audit(query)).await?;
    Ok(v1::ListAuditResponse {
        records: page.entries.into_iter().map(to_proto).collect(),
        next_page_token: page.next.map(token_of).unwrap_or_default(),
    })
}

fn query(who: &Principal, request: v1::ListAuditRequest) -> Result<AuditQuery, ApiError> {
    let time = |time: Option<wkt::Timestamp>, what: &str| {
        let parsed =
            |t| timestamp_from_proto(t).ok_or(ApiError::Invalid(format!("{what} is no time")));
        time.as_ref().map(parsed).transpose()
    };
    let act: Option<Result<Act, NoAct>> =
        Some(request.act).filter(|act| !act.is_empty()).map(|act| act.parse());
    let act = act.transpose().map_err(|e| ApiError::Invalid(e.to_string()))?;
    let actor = Some(request.actor).filter(|actor| !actor.is_empty());
    let before = Some(request.page_token).filter(|token| !token.is_empty());
    Ok(AuditQuery {
        site: who.site.clone(),
        from: time(request.from, "from")?,
        to: time(request.to, "to")?,
        actor: actor.map(|actor| actor.parse().map_or(AuditActor::Named(actor), AuditActor::Id)),
        act,
        subject: Some(request.subject).filter(|subject| !subject.is_empty()),
        before: before.map(|token| place_of(&token)).transpose()?,
        limit: limit(request.limit, MAX_PAGE, MAX_PAGE)?,
    })
}

fn to_proto(entry: AuditEntry) -> v1::AuditRecord {
    let Author { at, id, name, role, origin } = entry.by;
    let actor = Principal { site: entry.site, role, id: id.as_uuid(), name };
    v1::AuditRecord {
        id: entry.id.to_string(),
        at: Some(timestamp_to_proto(at)),
        actor: Some(participant_to_proto(&actor.participant())),
        act: entry.act.to_string(),
        subject: entry.subject,
        details: entry.details,
        origin: origin.to_string(),
    }
}

pub(crate) fn token_of(place: AuditPlace) -> String {
    format!("{}.{}", place.at.as_millis(), place.id)
}

pub(crate) fn place_of(token: &str) -> Result<AuditPlace, ApiError> {
    let parsed = token.split_once('.').and_then(|(at, id)| {
        let at = Timestamp::from_millis(at.parse().ok()?);
        Some(AuditPlace { at, id: id.parse().ok()? })
    });
    parsed.ok_or_else(|| ApiError::Invalid("page_token is none of ours".into()))
}
