//! A person's browser, and the gateway that it visits.

use super::provider::{CLIENT, HostileProvider, SECRET};
use crate::oidc::OidcSettings;
use crate::peer::Peer;
use crate::testing::World;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Value, json};
use std::collections::HashMap;
use tonic::codegen::Service as _;

pub(super) const ORIGIN: &str = "http://127.0.0.1:8080";

pub(super) fn settings(issuer: &str, more: Value) -> OidcSettings {
    let mut all = json!({
        "issuer": issuer, "client_id": CLIENT, "client_secret": SECRET,
        "public_origin": ORIGIN, "grants": [{ "site": "demo" }],
    });
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

pub(super) async fn gateway(provider: &HostileProvider) -> World {
    gateway_with(provider, json!({})).await
}

pub(super) async fn gateway_with(provider: &HostileProvider, more: Value) -> World {
    let settings = settings(&provider.issuer, more);
    World::with(|s| s.oidc = Some(settings)).await
}

/// One browser: it keeps cookies and follows nothing by itself.
#[derive(Default, Clone)]
pub(super) struct Browser {
    pub(super) cookies: HashMap<String, String>,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER);
        self.headers["location"].to_str().unwrap()
    }

    /// The word that a page is told.
    pub(super) fn word(&self) -> &str {
        assert_eq!(self.headers["cache-control"], "no-store");
        self.location().split_once("#sign-in=").unwrap().1
    }
}

impl Browser {
    pub(super) async fn ask(
        &mut self,
        world: &World,
        method: Method,
        path: &str,
        more: &[(&str, &str)],
    ) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let mut request = Request::builder().method(method).uri(path).extension(Peer::default());
        request = request.header("cookie", cookies.join("; "));
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let router = &mut crate::http::router(world.gateway.shared.clone());
        let (parts, body) = router.call(request).await.unwrap().into_parts();
        for line in parts.headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            assert!(line.contains("; HttpOnly") && line.contains("; SameSite="), "{line}");
            let (name, rest) = line.split_once('=').unwrap();
            let (value, _) = rest.split_once(';').unwrap();
            if line.contains("Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), value.into());
            }
        }
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(super) async fn get(&mut self, world: &World, path: &str) -> Answer {
        self.ask(world, Method::GET, path, &[]).await
    }

    /// Goes to the provider and comes back to the address that this gives.
    pub(super) async fn consents(&mut self, world: &World, provider: &HostileProvider) -> String {
        let to = self.get(world, "/auth/oidc/start").await.location().to_owned();
        callback(&provider.consent(&to))
    }

    /// The whole way, up to the word that the page is told.
    pub(super) async fn signs_in(&mut self, world: &World, provider: &HostileProvider) -> String {
        let back = self.consents(world, provider).await;
        self.get(world, &back).await.word().to_owned()
    }

    pub(super) async fn token(&mut self, world: &World) -> Answer {
        self.ask(world, Method::POST, "/auth/oidc/token", &[]).await
    }
}

pub(super) fn callback(parameters: &HashMap<String, String>) -> String {
    let pairs = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", crate::oidc::fetch::encode(value)));
    format!("/auth/oidc/callback?{}", pairs.collect::<Vec<_>>().join("&"))
}
