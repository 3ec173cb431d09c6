//! A provider that does as it is told, the wrong things included.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(super) const CLIENT: &str = "frontdesk";
pub(super) const SECRET: &str = "s3cret&more";
pub(super) const EMAIL: &str = crate::testing::AGENT_EMAIL;

/// How ID tokens are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signing {
    Honest,
    /// `alg: none`, without a signature.
    None,
    /// With the public key as if it were a shared secret.
    SharedSecret,
    /// With another key under the name of the published one.
    OtherKey,
}

/// What it is told to do.
pub(super) struct Orders {
    pub(super) signing: Signing,
    /// Changes what is said in ID tokens.
    pub(super) claims: Box<dyn FnMut(&mut Value) + Send>,
    /// Changes what it says of itself.
    pub(super) discovery: Box<dyn FnMut(&mut Value) + Send>,
    pub(super) userinfo: Value,
    /// What it answers everything with, when it is not well.
    pub(super) sick: Option<StatusCode>,
    /// Takes codes any number of times.
    pub(super) careless: bool,
    /// A token of this size instead of a real one.
    pub(super) flood: usize,
    codes: HashMap<String, Code>,
    key: Key,
    pub(super) key_fetches: usize,
}

#[derive(Clone)]
struct Code {
    nonce: String,
    challenge: String,
}

struct Key {
    kid: String,
    pkcs8: Vec<u8>,
    public: Vec<u8>,
}

impl Key {
    fn new(kid: &str) -> Self {
        let (kind, chance) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &chance).unwrap().as_ref().to_vec();
        let pair = EcdsaKeyPair::from_pkcs8(kind, &pkcs8, &chance).unwrap();
        Self { kid: kid.into(), public: pair.public_key().as_ref().to_vec(), pkcs8 }
    }

    fn jwk(&self) -> Value {
        let part = |range| URL_SAFE_NO_PAD.encode(&self.public[range]);
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.kid,
            "x": part(1..33), "y": part(33..65),
        })
    }
}

pub(super) struct HostileProvider {
    pub(super) issuer: String,
    orders: Arc<Mutex<Orders>>,
    server: JoinHandle<()>,
}

impl Drop for HostileProvider {
    fn drop(&mut self) {
        self.server.abort();
    }
}

type Shared = State<(String, Arc<Mutex<Orders>>)>;

impl HostileProvider {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let orders = Arc::new(Mutex::new(Orders {
            signing: Signing::Honest,
            claims: Box::new(|_| {}),
            discovery: Box::new(|_| {}),
            userinfo: json!({}),
            sick: None,
            careless: false,
            flood: 0,
            codes: HashMap::new(),
            key: Key::new("first"),
            key_fetches: 0,
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/me", get(userinfo))
            .with_state((issuer.clone(), orders.clone()));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { issuer, orders, server }
    }

    pub(super) fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap()
    }

    /// Signs with a new key from now on.
    pub(super) fn rotate(&self, kid: &str) {
        self.orders().key = Key::new(kid);
    }

    /// What a person does who signs in there: with the address that a browser was sent
    /// to, gives the parameters that it is sent back with.
    pub(super) fn consent(&self, to: &str) -> HashMap<String, String> {
        let (place, query) = to.split_once('?').unwrap();
        assert_eq!(place, format!("{}/authorize", self.issuer));
        let asked = parameters(query);
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["client_id"], CLIENT);
        assert_eq!(asked["code_challenge_method"], "S256");
        assert_eq!(asked["redirect_uri"], "http://127.0.0.1:8080/auth/oidc/callback");
        let code = uuid::Uuid::now_v7().to_string();
        let known =
            Code { nonce: asked["nonce"].clone(), challenge: asked["code_challenge"].clone() };
        self.orders().codes.insert(code.clone(), known);
        HashMap::from([("code".into(), code), ("state".into(), asked["state"].clone())])
    }
}

pub(super) fn parameters(query: &str) -> HashMap<String, String> {
    let decode =
        |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), decode(value))).collect()
}

async fn discovery(State((issuer, orders)): Shared) -> Response {
    let mut orders = orders.lock().unwrap();
    if let Some(status) = orders.sick {
        return status.into_response();
    }
    let mut said = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "userinfo_endpoint": format!("{issuer}/me"),
        "code_challenge_methods_supported": ["S256"],
    });
    (orders.discovery)(&mut said);
    Json(said).into_response()
}

async fn keys(State((_, orders)): Shared) -> Json<Value> {
    let mut orders = orders.lock().unwrap();
    orders.key_fetches += 1;
    // Kinds that are not known, and for encryption, stand beside.
    let others = [json!({ "kty": "new" }), json!({ "kty": "oct", "k": "AAAA", "kid": "first" })];
    let keys: Vec<Value> = others.into_iter().chain([orders.key.jwk()]).collect();
    Json(json!({ "keys": keys }))
}

async fn userinfo(State((_, orders)): Shared, headers: HeaderMap) -> Response {
    if headers[header::AUTHORIZATION] != "Bearer access" {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(orders.lock().unwrap().userinfo.clone()).into_response()
}

async fn token(State((issuer, orders)): Shared, headers: HeaderMap, form: String) -> Response {
    let form = parameters(&form);
    let mut orders = orders.lock().unwrap();
    if let Some(status) = orders.sick {
        return status.into_response();
    }
    if orders.flood > 0 {
        return "x".repeat(orders.flood).into_response();
    }
    // Both parts are form-encoded before they are joined.
    let login = STANDARD.encode(format!("{CLIENT}:s3cret%26more"));
    let known = headers.get(header::AUTHORIZATION).is_some_and(|h| *h == format!("Basic {login}"));
    let code = if orders.careless {
        orders.codes.get(&form["code"]).cloned()
    } else {
        orders.codes.remove(&form["code"])
    };
    let Some(code) = code.filter(|_| known) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, form["code_verifier"].as_bytes()));
    if challenge != code.challenge {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let seconds = crate::testing::now().as_millis() / 1_000;
    let mut claims = json!({
        "iss": issuer, "sub": "ana", "aud": CLIENT, "nonce": code.nonce,
        "iat": seconds, "exp": seconds + 300, "email": EMAIL, "email_verified": true,
        "name": "Ana",
    });
    (orders.claims)(&mut claims);
    let signed = sign(&orders, &claims);
    Json(json!({ "id_token": signed, "access_token": "access", "token_type": "Bearer" }))
        .into_response()
}

fn sign(orders: &Orders, claims: &Value) -> String {
    let named = |algorithm| Header { kid: Some(orders.key.kid.clone()), ..Header::new(algorithm) };
    let with = |key: &Key| {
        let key = EncodingKey::from_ec_der(&key.pkcs8);
        jsonwebtoken::encode(&named(Algorithm::ES256), claims, &key).unwrap()
    };
    match orders.signing {
        Signing::Honest => with(&orders.key),
        Signing::OtherKey => with(&Key::new("other")),
        Signing::SharedSecret => {
            let key = EncodingKey::from_secret(&orders.key.public);
            jsonwebtoken::encode(&named(Algorithm::HS256), claims, &key).unwrap()
        }
        Signing::None => {
            let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let header = json!({ "alg": "none", "typ": "JWT", "kid": orders.key.kid });
            format!("{}.{}.", part(&header), part(claims))
        }
    }
}
