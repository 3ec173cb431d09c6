//! Tokens that are wrong, expired, forged, or for something else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use frontdesk_client::Carrier;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::{ErrorCode, Hello};
use frontdesk_tests::server::Server;
use frontdesk_tests::wire::{Wire, fresh_id};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

const REFUSED: u32 = 4200;
const EXPIRED: u32 = 4201;

/// What it takes to forge a token: the server's own key and a good example.
pub(crate) struct Forge {
    header: Header,
    claims: Value,
    key: Vec<u8>,
}

impl Forge {
    pub(crate) async fn of(server: &Server) -> Self {
        let good = server.visitor_token().await.token;
        let payload = good.split('.').nth(1).expect("a token has three parts");
        let payload = URL_SAFE_NO_PAD.decode(payload).expect("base64");
        Self {
            header: jsonwebtoken::decode_header(&good).expect("a header"),
            claims: serde_json::from_slice(&payload).expect("claims are JSON"),
            key: std::fs::read(server.data().join("token-key")).expect("the key file"),
        }
    }

    /// A token with some claims changed, signed with the server's key.
    pub(crate) fn with(&self, changes: Value) -> String {
        self.sign(&self.header, changes, &self.key)
    }

    fn sign(&self, header: &Header, changes: Value, key: &[u8]) -> String {
        let mut claims = self.claims.clone();
        for (name, value) in changes.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        jsonwebtoken::encode(header, &claims, &EncodingKey::from_secret(key)).expect("signed")
    }

    fn now(&self) -> u64 {
        self.claims["iat"].as_u64().expect("tokens say when they were issued")
    }

    fn unsigned(&self) -> String {
        let kid = self.header.kid.clone();
        let header = json!({ "alg": "none", "typ": "JWT", "kid": kid }).to_string();
        let part = |text: String| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.", part(header), part(self.claims.to_string()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_tokens_are_refused_on_every_carrier() {
    let server = Server::start().await;
    let forge = Forge::of(&server).await;
    let other_kid = Header { kid: Some("another".into()), ..forge.header.clone() };
    let no_kid = Header { kid: None, ..forge.header.clone() };
    let cases = [
        ("empty", String::new(), REFUSED),
        ("nonsense", "a.b.c".into(), REFUSED),
        ("very long", "x".repeat(20_000), REFUSED),
        ("unsigned", forge.unsigned(), REFUSED),
        ("another key", forge.sign(&forge.header, json!({}), &[7; 32]), REFUSED),
        ("an unknown key's name", forge.sign(&other_kid, json!({}), &forge.key), REFUSED),
        ("no key's name", forge.sign(&no_kid, json!({}), &forge.key), REFUSED),
        ("another audience", forge.with(json!({ "aud": "elsewhere" })), REFUSED),
        ("no such role", forge.with(json!({ "role": "root" })), REFUSED),
        ("no such agent", forge.with(json!({ "role": "agent", "sub": fresh_id() })), REFUSED),
        ("expired", forge.with(json!({ "exp": forge.now() - 10 })), EXPIRED),
    ];
    for (case, token, code) in cases {
        for carrier in Carrier::ALL {
            let mut wire = Wire::connect(&server, carrier).await;
            let hello = Hello { token: token.clone(), ..Hello::default() };
            let error = wire.request(Request::Hello(hello)).await.expect_err(case);
            assert_eq!(error.code(), ErrorCode::Unauthenticated, "{case}: {error:?}");
            assert!(!error.retryable, "{case}");
            assert_eq!(wire.end().await, code, "{case} over {carrier:?}");
        }
        let path = format!("/v1/conversations/{}/transcript?format=json", fresh_id());
        assert_eq!(server.http().get_as(&token, &path).await.status, 401, "{case}");
    }
    // The forge works: it is the content that was refused above.
    Wire::open(&server, Carrier::WebSocketJson, &forge.with(json!({}))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_visitor_stays_the_same_visitor_with_a_new_token() {
    let server = Server::start().await;
    let forge = Forge::of(&server).await;
    let sub = forge.claims["sub"].as_str().expect("a subject").to_owned();
    let ask =
        |previous: String| json!({ "siteKey": server.ready().site_key, "previousToken": previous });
    let expired = forge.with(json!({ "exp": forge.now() - 3_600 }));
    let answer = server.http().post("/v1/visitor/token", &ask(expired)).await.expect_ok();
    assert_eq!(answer.json::<Value>()["subject"]["id"], sub.as_str());
    // Neither somebody's forgery nor an agent's token makes anyone that visitor.
    let forged = forge.sign(&forge.header, json!({}), &[7; 32]);
    let agent = forge.with(json!({ "role": "agent" }));
    for previous in [forged, agent] {
        let answer = server.http().post("/v1/visitor/token", &ask(previous)).await;
        if answer.status.is_success() {
            assert_ne!(answer.json::<Value>()["subject"]["id"], sub.as_str());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_ends_with_its_token() {
    let server = Server::start().await;
    let forge = Forge::of(&server).await;
    let soon = forge.with(json!({ "exp": forge.now() + 3 }));
    let (mut wire, _) = Wire::open(&server, Carrier::WebSocketJson, &soon).await;
    assert_eq!(wire.end().await, EXPIRED);
}
