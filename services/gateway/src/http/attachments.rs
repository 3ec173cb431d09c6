//! Files: `POST /v1/conversations/{id}/attachments`, `GET /v1/attachments/{id}`.

use super::error::{Failure, json};
use super::{caller, sniff};
use crate::audit;
use crate::peer::Peer;
use crate::shared::{CALL_DEADLINE, Shared, within};
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use frontdesk_core::audit::Act;
use frontdesk_core::conversation::Phase;
use frontdesk_core::ids::{AttachmentId, ConversationId};
use frontdesk_core::party::Principal;
use frontdesk_proto::api::{ApiError, AttachmentRecord};
use frontdesk_proto::v1;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How long an upload may take.
const UPLOAD_DEADLINE: Duration = Duration::from_secs(60);
/// Bytes of a file's name.
const MAX_NAME_BYTES: usize = 200;
/// Nothing in a file may run, load or be framed, even if it is opened.
const CSP: &str = "default-src 'none'; sandbox";

pub(super) async fn upload(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let who = caller(&shared, &headers).await?;
    let conversation: ConversationId = id.parse()?;
    check_open(&shared, &who, conversation).await?;
    let name = file_name(&headers)?;
    let _turn = shared
        .uploads
        .try_acquire()
        .map_err(|_| ApiError::unavailable("too many uploads at once"))?;
    let bytes = read(&shared, body).await?;
    let media_type = sniff::media_type(&bytes).ok_or_else(|| {
        let error = ApiError::Invalid("this kind of file is not allowed".into());
        Failure::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, error)
    })?;
    let record = AttachmentRecord {
        id: AttachmentId::from_uuid(Uuid::now_v7()),
        site: who.site,
        conversation,
        name,
        media_type: media_type.to_owned(),
        size: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        created_at: shared.now(),
    };
    store(&shared, &record, bytes).await?;
    let attachment = v1::Attachment {
        id: record.id.to_string(),
        name: record.name,
        media_type: record.media_type,
        size: record.size,
    };
    Ok(json(StatusCode::CREATED, &attachment))
}

/// Only those who take part in a conversation that is open may add to it.
async fn check_open(shared: &Shared, who: &Principal, id: ConversationId) -> Result<(), ApiError> {
    let asked = shared.deps.sessions.summary(id, Some(who));
    let summary = within(CALL_DEADLINE, "sessions", asked).await?;
    match summary.phase {
        Phase::Closed { .. } => Err(ApiError::State("the conversation is closed".into())),
        _ => Ok(()),
    }
}

async fn read(shared: &Shared, body: Body) -> Result<Bytes, Failure> {
    let limit = shared.settings.attachment_max_bytes;
    let reading = axum::body::to_bytes(body, limit);
    match tokio::time::timeout(UPLOAD_DEADLINE, reading).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => {
            let error = ApiError::Invalid(format!("a file is at most {limit} bytes"));
            Err(Failure::with_status(StatusCode::PAYLOAD_TOO_LARGE, error))
        }
        Err(_) => {
            let error = ApiError::Invalid("the upload took too long".into());
            Err(Failure::with_status(StatusCode::REQUEST_TIMEOUT, error))
        }
    }
}

/// Bytes first, so that a record never names what is not there.
async fn store(shared: &Shared, record: &AttachmentRecord, bytes: Bytes) -> Result<(), ApiError> {
    let blobs = &shared.deps.blobs;
    within(UPLOAD_DEADLINE, "blobs", blobs.put(&record.site, record.id, bytes)).await?;
    let added = shared.deps.desk.add_attachment(record.clone());
    let result = within(CALL_DEADLINE, "desk", added).await;
    if result.is_err()
        && let Err(error) = blobs.delete(&record.site, record.id).await
    {
        tracing::warn!(attachment = %record.id, %error, "a file without a record was left behind");
    }
    result
}

/// Whether it shows nothing by itself but changes in which direction others are read, so that
/// an ending may look like another (`invoice\u{202E}fdp.exe`): Unicode's Bidi_Control.
const fn turns_text_round(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The name in `X-File-Name`, percent-encoded UTF-8, without path parts and without what
/// disguises it.
pub(super) fn file_name(headers: &HeaderMap) -> Result<String, ApiError> {
    let raw = match headers.get("x-file-name") {
        Some(value) => value.to_str().map_err(|_| malformed_name())?,
        None => "",
    };
    let decoded = percent_decode_str(raw).decode_utf8().map_err(|_| malformed_name())?;
    let last = decoded.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_shown = |c: &char| !c.is_control() && !turns_text_round(*c);
    let mut name: String = last.chars().filter(is_shown).collect();
    let mut end = name.len().min(MAX_NAME_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    let name = name.trim();
    Ok(if name.is_empty() || name.chars().all(|c| c == '.') { "file".into() } else { name.into() })
}

fn malformed_name() -> ApiError {
    ApiError::Invalid("X-File-Name is not percent-encoded UTF-8".into())
}

pub(super) async fn download(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let who = caller(&shared, &headers).await?;
    let id: AttachmentId = id.parse()?;
    let absent = || ApiError::NotFound(format!("attachment {id}"));
    let asked = shared.deps.desk.attachment(&who.site, id);
    let record = within(CALL_DEADLINE, "desk", asked).await?.ok_or_else(absent)?;
    let asked = shared.deps.sessions.summary(record.conversation, Some(&who));
    let summary = within(CALL_DEADLINE, "sessions", asked).await.map_err(|error| match error {
        // Somebody else's file: as if there were none.
        ApiError::NotFound(_) => absent(),
        other => other,
    })?;
    audit::look_of(&shared, &who, peer, Act::READ, &summary).await?;
    let reading = shared.deps.blobs.get(&who.site, id);
    let bytes = within(UPLOAD_DEADLINE, "blobs", reading).await?.ok_or_else(absent)?;
    let media_type = match record.media_type.as_str() {
        "text/plain" => "text/plain; charset=utf-8",
        other => other,
    };
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_DISPOSITION, &disposition(&record.name)),
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "private, no-store"),
    ] {
        let value = HeaderValue::from_str(value)
            .map_err(|_| ApiError::Internal(format!("{name} of {id} cannot be sent")))?;
        headers.insert(name, value);
    }
    Ok(response)
}

/// RFC 6266: an ASCII name for old programs, the true one (RFC 8187) for others.
pub(super) fn disposition(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ');
    let ascii: String = name.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    let encoded = utf8_percent_encode(name, NON_ALPHANUMERIC);
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(raw: &str) -> Result<String, ApiError> {
        let mut headers = HeaderMap::new();
        headers.insert("x-file-name", HeaderValue::from_str(raw).unwrap());
        file_name(&headers)
    }

    #[test]
    fn names_lose_paths_and_characters_that_are_not_shown() {
        for (raw, expected) in [
            ("a.png", "a.png"),
            ("..%2F..%2Fetc%2Fpasswd", "passwd"),
            ("C%3A%5Cx%5Cy.txt", "y.txt"),
            ("%E4%BD%A0%E5%A5%BD.txt", "你好.txt"),
            ("a%0D%0AX%3A%201.txt", "aX: 1.txt"),
            ("invoice%E2%80%AEfdp.exe", "invoicefdp.exe"),
            ("..", "file"),
            ("", "file"),
        ] {
            assert_eq!(named(raw).unwrap(), expected, "{raw}");
        }
        assert!(named("%FF").is_err());
        assert!(named(&"%C3%A4".repeat(150)).unwrap().len() <= MAX_NAME_BYTES);
    }

    #[test]
    fn a_disposition_is_always_an_attachment_and_cannot_be_broken_out_of() {
        let value = disposition("a\"; filename=b.html; 你.png");
        assert!(value.starts_with("attachment; filename=\"a__ filename_b.html_ _.png\""));
        assert!(HeaderValue::from_str(&value).is_ok());
    }
}
