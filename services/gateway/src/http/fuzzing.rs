//! What heads and bodies of HTTP say, for whoever feeds it with damage. Several headers
//! are the lines of the input. See `crate::fuzzing`.

use super::attachments::{disposition, file_name as name_of};
use super::{oidc, origin_allowed, origin_of, sniff, upgrade as handshake};
use crate::network::Network;
use crate::peer::Peer;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use frontdesk_proto::api::SiteConfig;
use frontdesk_proto::v1;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr};

const MAX_NAME_BYTES: usize = 200;

/// One header for each line, of these names in turn; the last one's may be repeated.
fn headers(names: &[HeaderName], bytes: &[u8]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (n, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let name = names.get(n).or(names.last())?;
        headers.append(name, HeaderValue::from_bytes(line).ok()?);
    }
    Some(headers)
}

/// The handshake of a WebSocket.
pub fn upgrade(bytes: &[u8]) -> bool {
    let names = [
        header::CONNECTION,
        header::UPGRADE,
        header::SEC_WEBSOCKET_VERSION,
        header::SEC_WEBSOCKET_KEY,
        header::SEC_WEBSOCKET_PROTOCOL,
    ];
    let Some(headers) = headers(&names, bytes) else { return false };
    handshake::check(&headers).is_ok() && handshake::subprotocol(&headers).is_ok()
}

/// `Origin` and `Host`: only the gateway's own pages and those that a site lists may act.
pub fn origin(bytes: &[u8]) -> bool {
    const LISTED: &str = "https://shop.example";
    let Some(headers) = headers(&[header::ORIGIN, header::HOST], bytes) else { return false };
    let Some((origin, host)) = origin_of(&headers) else { return false };
    let site = serde_json::json!({
        "id": "demo", "title": "", "key": "k", "allowed_origins": [LISTED], "default_queue": "q",
        "queues": [],
    });
    let mut site: SiteConfig = serde_json::from_value(site).expect("a site");
    let allowed = origin_allowed(&site, origin, host);
    let (origin, host) = (origin.to_ascii_lowercase(), host.to_ascii_lowercase());
    let own = !host.is_empty() && origin.ends_with(&format!("://{host}"));
    assert!(!allowed || own || origin == LISTED, "{origin:?} at {host:?}");
    site.allowed_origins.clear();
    assert!(!origin_allowed(&site, &origin, &host) || own, "{origin:?} at {host:?}");
    allowed
}

/// `X-Forwarded-For`, from a proxy that is trusted: whom that one heard is believed, and
/// nobody that it did not.
pub fn forwarded_for(bytes: &[u8]) -> bool {
    const HEARD: &str = "198.51.100.1";
    let name = HeaderName::from_static("x-forwarded-for");
    let Some(mut headers) = headers(std::slice::from_ref(&name), bytes) else { return false };
    let trusted: [Network; 2] = ["10.0.0.0/8", "2001:db8::/32"].map(|t| t.parse().expect("a net"));
    let proxy = Peer(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)));
    let stranger = Peer(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 5)));
    assert_eq!(stranger.behind(&trusted, &headers), stranger);
    let nearest = proxy.behind(&trusted, &headers);
    headers.append(&name, HeaderValue::from_static(HEARD));
    assert_eq!(proxy.behind(&trusted, &headers).0.to_string(), HEARD);
    nearest != proxy
}

/// `X-File-Name`: what is left of it is only a name, and stays so on its way back.
pub fn file_name(bytes: &[u8]) -> bool {
    let name = HeaderName::from_static("x-file-name");
    let Some(said) = headers(std::slice::from_ref(&name), bytes) else { return false };
    let Ok(kept) = name_of(&said) else { return false };
    assert!(!kept.is_empty() && kept.len() <= MAX_NAME_BYTES, "{kept:?}");
    assert!(!kept.contains(|c: char| c.is_control() || matches!(c, '/' | '\\')), "{kept:?}");
    assert!(kept.chars().any(|c| c != '.'), "{kept:?}");
    let shown = disposition(&kept);
    assert!(shown.starts_with("attachment; ") && HeaderValue::from_str(&shown).is_ok(), "{shown}");
    let (_, encoded) = shown.split_once("''").expect("the encoded name");
    let again = HeaderMap::from_iter([(name, HeaderValue::from_str(encoded).expect("ASCII"))]);
    assert_eq!(name_of(&again).ok(), Some(kept));
    true
}

/// A file: text that is kept has nothing in it that browsers would run at sight.
pub fn file(bytes: &[u8]) -> bool {
    let kind = sniff::media_type(bytes);
    if kind == Some("text/plain") {
        let text = std::str::from_utf8(bytes).expect("text is UTF-8");
        // What browsers skip before they look for markup.
        let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\n', '\r', '\u{c}']);
        assert!(!text.starts_with('<') && !text.contains('\0'), "{text:?}");
    }
    kind.is_some()
}

/// Cookies: a value is found as it was sent, without what stands around it.
pub fn cookies(bytes: &[u8]) -> bool {
    let Some(headers) = headers(&[header::COOKIE], bytes) else { return false };
    let value = oidc::cookie(&headers, "frontdesk-pass");
    assert!(!value.contains(';') && value == value.trim(), "{value:?}");
    !value.is_empty()
}

/// The body of `POST /v1/visitor/token`.
pub fn visitor_token_body(bytes: &[u8]) -> bool {
    body::<v1::IssueVisitorTokenRequest>(bytes)
}

/// The body of `POST /v1/agent/sign-in`.
pub fn sign_in_body(bytes: &[u8]) -> bool {
    body::<v1::SignInRequest>(bytes)
}

fn body<T: DeserializeOwned + Serialize + PartialEq + Debug>(bytes: &[u8]) -> bool {
    let Ok(body) = serde_json::from_slice::<T>(bytes) else { return false };
    let written = serde_json::to_vec(&body).expect("what was read is written");
    assert_eq!(serde_json::from_slice::<T>(&written).ok(), Some(body));
    true
}
