//! What must hold of anything that was decoded.

use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::str::FromStr;

/// Protobuf that is read is written and read again as the same.
pub(crate) fn message<M: Message + Default>(bytes: &[u8]) -> bool {
    let Ok(message) = M::decode(bytes) else { return false };
    let written = message.encode_to_vec();
    let copy = M::decode(&*written).expect("what was written is read");
    assert_eq!(copy.encode_to_vec(), written);
    true
}

/// JSON that is read is written and read again as the same.
pub(crate) fn json<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<T>(bytes) else { return false };
    let written = serde_json::to_string(&value).expect("what was read is written");
    let copy: T = serde_json::from_str(&written).expect("what was written is read");
    assert_eq!(serde_json::to_string(&copy).expect("as before"), written);
    true
}

/// Text that is read is written and read again as the same.
pub(crate) fn text<T: FromStr + Display>(bytes: &[u8]) -> bool {
    let Some(value) = parsed::<T>(bytes) else { return false };
    let written = value.to_string();
    let copy = written.parse::<T>().ok().map(|copy| copy.to_string());
    assert_eq!(copy, Some(written));
    true
}

/// What is made of text.
pub(crate) fn parsed<T: FromStr>(bytes: &[u8]) -> Option<T> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}
