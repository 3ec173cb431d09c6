//! Everything that a gateway decodes, for whoever feeds it with damage: functions of
//! bytes that say whether these were taken, and panic when what was taken breaks a rule.
//! Only there with the feature `fuzzing`; the server has no use for it.

pub use crate::carriers::fuzzing::websocket;
pub use crate::http::fuzzing::{
    cookies, file, file_name, forwarded_for, origin, sign_in_body, upgrade, visitor_token_body,
};
pub use crate::oidc::fuzzing::{
    discovery, endpoint, handshake, id_claims, id_token, key_set, sample_id_token, sample_key_set,
    sealed,
};

use crate::audit::{place_of, token_of};
use crate::auth::bearer;
use crate::codec::{
    MAX_BATCH_BYTES, MAX_BATCH_FRAMES, SharedEvent, SharedPush, WireFormat, add_piece, close_batch,
    decode, open_batch,
};
use crate::settings::{TokenAlgorithm, TokenKey};
use crate::tokens::{Grant, Tokens};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use frontdesk_core::ids::SiteId;
use frontdesk_core::party::{Principal, Role};
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_proto::v1::server_frame::Frame;
use frontdesk_proto::v1::{ClientBatch, ClientFrame, Event, ServerBatch};
use prost::Message as _;
use ring::hmac;
use std::collections::BTreeMap;
use uuid::Uuid;

const FORMATS: [WireFormat; 2] = [WireFormat::Protobuf, WireFormat::Json];
/// When tokens are looked at.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const SECRET: [u8; 32] = [7; 32];
const KID: &str = "fuzz";

/// The keys that made the samples.
pub(crate) fn keys() -> Vec<TokenKey> {
    let (secret, algorithm) = (STANDARD.encode(SECRET), TokenAlgorithm::Hs256);
    vec![TokenKey { kid: KID.into(), algorithm, secret, public: String::new() }]
}

/// A client's batch in Protobuf: JSON says the same.
pub fn protobuf_batch(bytes: &[u8]) -> bool {
    decode(WireFormat::Protobuf, bytes).map(|frames| said_alike(&frames)).is_ok()
}

/// A client's batch in JSON: Protobuf says the same.
pub fn json_batch(bytes: &[u8]) -> bool {
    decode(WireFormat::Json, bytes).map(|frames| said_alike(&frames)).is_ok()
}

/// Written in either format, frames are read as what they were.
fn said_alike(frames: &[ClientFrame]) {
    assert!(frames.len() <= MAX_BATCH_FRAMES, "{} frames", frames.len());
    let batch = ClientBatch { frames: frames.to_vec() };
    let binary = batch.encode_to_vec();
    // Numbers of enums and times that JSON has no words for stay unsaid in it.
    let json = serde_json::to_vec(&batch);
    for (format, bytes) in FORMATS.into_iter().zip([Some(binary), json.ok()]) {
        let Some(bytes) = bytes.filter(|bytes| bytes.len() <= MAX_BATCH_BYTES) else { continue };
        let again = decode(format, &bytes);
        assert_eq!(again.as_deref(), Ok(frames), "{format:?}: {}", bytes.escape_ascii());
    }
}

/// An event of the bus, as it goes on to clients: both formats say what was in it.
pub fn event(bytes: &[u8]) -> bool {
    let (mut scratch, prev) = (Vec::new(), 7);
    let known = Event::decode(bytes);
    let mut shared = SharedEvent::new(bytes, &mut scratch);
    for format in FORMATS {
        let piece = shared.piece(format, prev).map(<[u8]>::to_vec);
        let Ok(known) = &known else {
            assert!(piece.is_none() || format == WireFormat::Protobuf, "JSON of what is no event");
            continue;
        };
        let frame = one_frame(format, &piece.expect("an event that can be read"));
        match frame {
            Some(Frame::Event(push)) => {
                assert_eq!((push.event.as_ref(), push.prev), (Some(known), prev), "{format:?}");
            }
            other => assert!(format == WireFormat::Json, "{format:?}: {other:?}"),
        }
    }
    known.is_ok()
}

/// A frame of the bus for several connections.
pub fn push(bytes: &[u8]) -> bool {
    let mut shared = SharedPush::new(bytes);
    FORMATS.into_iter().all(|format| match shared.piece(format).map(<[u8]>::to_vec) {
        Some(piece) => one_frame(format, &piece).is_some(),
        None => false,
    })
}

/// What a client makes of a piece in a batch of its own.
fn one_frame(format: WireFormat, piece: &[u8]) -> Option<Frame> {
    let mut batch = Vec::new();
    open_batch(format, &mut batch);
    add_piece(format, &mut batch, piece, true);
    close_batch(format, &mut batch);
    let batch: ServerBatch = match format {
        WireFormat::Protobuf => ServerBatch::decode(&*batch).expect("a batch in Protobuf"),
        WireFormat::Json => serde_json::from_slice(&batch).expect("a batch in JSON"),
    };
    assert_eq!(batch.frames.len(), 1, "{format:?}");
    batch.frames.into_iter().next()?.frame
}

/// A token: a good one says the same when it is made again.
pub fn token(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let tokens = Tokens::new(&keys()).expect("a good key");
    let Ok(verified) = tokens.verify_expired(text, NOW, Millis::from_secs(60)) else {
        return false;
    };
    let (who, attributes) = (&verified.principal, &verified.attributes);
    let grant = Grant { who, attributes, generation: verified.generation };
    let issued = tokens.issue(grant, NOW, Millis::from_secs(60)).expect("what was read is written");
    if let Ok(again) = tokens.verify(&issued.token, NOW) {
        let said = |v: crate::tokens::Verified| (v.principal, v.attributes, v.generation);
        assert_eq!(said(again), said(verified));
    }
    true
}

/// What a token claims, signed as it is.
pub fn claims(bytes: &[u8]) -> bool {
    let head = format!(r#"{{"alg":"HS256","kid":"{KID}"}}"#);
    let said = format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(bytes));
    let key = hmac::Key::new(hmac::HMAC_SHA256, &SECRET);
    let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, said.as_bytes()));
    token(format!("{said}.{signature}").as_bytes())
}

/// A token that is taken.
pub fn sample_token() -> Vec<u8> {
    let tokens = Tokens::new(&keys()).expect("a good key");
    let site: SiteId = "demo".parse().expect("a name");
    let who = Principal { site, role: Role::Agent, id: Uuid::from_u128(1), name: "Ada".into() };
    let attributes = BTreeMap::from([("plan".to_owned(), "gold".to_owned())]);
    let grant = Grant { who: &who, attributes: &attributes, generation: 3 };
    tokens.issue(grant, NOW, Millis::from_secs(60)).expect("a good key").token.into_bytes()
}

/// The value of `Authorization`.
pub fn authorization(bytes: &[u8]) -> bool {
    let token = bearer(std::str::from_utf8(bytes).ok());
    token.is_ok_and(|token| token == token.trim())
}

/// Where a page of the audit log goes on.
pub fn page_token(bytes: &[u8]) -> bool {
    let place = std::str::from_utf8(bytes).ok().and_then(|text| place_of(text).ok());
    let again = place.map(|place| place_of(&token_of(place)).expect("a token of ours"));
    assert_eq!(again, place);
    place.is_some()
}
