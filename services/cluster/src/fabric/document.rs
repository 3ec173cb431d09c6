//! Values as JSON documents, for what is not hot.

use frontdesk_proto::api::ApiError;
use frontdesk_proto::internal::Document;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// To the wire.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Document, ApiError> {
    encode_bytes(value).map(|json| Document { json: json.into() })
}

/// From the wire. A kind of question that this version does not know is
/// `Unimplemented`.
pub(crate) fn decode<T: DeserializeOwned>(document: &Document) -> Result<T, ApiError> {
    decode_bytes(&document.json)
}

/// To bytes of a field.
pub(crate) fn encode_bytes<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(value).map_err(|e| ApiError::Internal(format!("not encoded: {e}")))
}

/// From bytes of a field.
pub(crate) fn decode_bytes<T: DeserializeOwned>(json: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(json).map_err(|e| {
        let text = e.to_string();
        if text.starts_with("unknown variant") {
            ApiError::Unimplemented(text)
        } else {
            ApiError::Internal(format!("a document cannot be read: {text}"))
        }
    })
}
