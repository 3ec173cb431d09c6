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

/// Whom a question is for, and its kind, as the document itself begins: both are names in
/// this program and never what anybody wrote.
pub(crate) fn what_is_asked(json: &[u8]) -> (&str, &str) {
    let mut quoted = json.split(|byte| *byte == b'"').skip(1).step_by(2);
    let mut next = || quoted.next().and_then(|name| std::str::from_utf8(name).ok());
    (next().unwrap_or_default(), next().unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use super::super::question::{DeskQuestion, Question, Secret};
    use super::*;

    #[test]
    fn a_question_says_for_whom_and_of_what_kind_it_is_and_nothing_else() {
        let kind = |question| {
            let document = encode(&Question::Desk(question)).unwrap();
            let (role, kind) = what_is_asked(&document.json);
            (role.to_owned(), kind.to_owned())
        };
        let of_desk = |kind: &str| ("desk".to_owned(), kind.to_owned());
        assert_eq!(kind(DeskQuestion::Sites), of_desk("sites"));
        let (site, email) = ("demo".to_owned(), "a@b.example".to_owned());
        let sign_in =
            DeskQuestion::SignIn { site, email, password: Secret("c".into()), from: None };
        assert_eq!(kind(sign_in), of_desk("sign_in"));
        assert_eq!(what_is_asked(b"{"), ("", ""));
        assert_eq!(what_is_asked(b"{\"\xff\":1}").0, "");
    }
}
