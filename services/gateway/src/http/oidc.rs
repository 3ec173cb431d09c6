//! Signing in by way of a provider: `GET /auth/methods`, `GET /auth/oidc/start`,
//! `GET /auth/oidc/callback`, `POST /auth/oidc/token`. See `crate::oidc`.

use super::error::{Failure, json};
use super::origin_of;
use crate::auth;
use crate::oidc::{HANDSHAKE_LIFE, Oidc, PASS_LIFE, Page, Problem, Refusal, Returned};
use crate::peer::Peer;
use crate::shared::{CALL_DEADLINE, Shared, within};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use frontdesk_core::ids::SiteId;
use frontdesk_core::time::Millis;
use frontdesk_proto::api::ApiError;
use metrics::counter;
use serde::Deserialize;
use std::sync::Arc;

/// Kept while a person is at the provider. `Lax`: it comes back from another site.
const HANDSHAKE: Cookie = Cookie { name: "frontdesk-sign-in", same_site: "Lax" };
/// Kept until the page has its token.
const PASS: Cookie = Cookie { name: "frontdesk-pass", same_site: "Strict" };

struct Cookie {
    name: &'static str,
    same_site: &'static str,
}

impl Cookie {
    /// No other host of the domain can set one of this name, where there is TLS.
    fn full_name(&self, oidc: &Oidc) -> String {
        let prefix = if oidc.is_public_tls() { "__Host-" } else { "" };
        format!("{prefix}{}", self.name)
    }

    fn set(&self, oidc: &Oidc, value: &str, life: Millis) -> Option<(HeaderName, HeaderValue)> {
        let (name, seconds) = (self.full_name(oidc), life.get() / 1_000);
        let secure = if oidc.is_public_tls() { "; Secure" } else { "" };
        let same_site = self.same_site;
        let text = format!(
            "{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}"
        );
        Some((header::SET_COOKIE, HeaderValue::try_from(text).ok()?))
    }

    fn clear(&self, oidc: &Oidc) -> Option<(HeaderName, HeaderValue)> {
        self.set(oidc, "", Millis::ZERO)
    }

    fn read<'a>(&self, oidc: &Oidc, headers: &'a HeaderMap) -> &'a str {
        cookie(headers, &self.full_name(oidc))
    }
}

/// The cookie of this name; empty when there is none.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|c| c.split_once('='));
    pairs.find(|(key, _)| key.trim() == name).map_or("", |(_, value)| value.trim())
}

/// How one can sign in here.
pub(super) async fn methods(State(shared): State<Arc<Shared>>) -> Response {
    let oidc = shared.oidc.as_deref();
    let password = oidc
        .and_then(|oidc| oidc.settings.passwords_only_for.as_ref())
        .is_none_or(|only| !only.is_empty());
    let provider = oidc.map(|oidc| {
        serde_json::json!({
            "label": oidc.settings.label,
            "start": format!("{}/auth/oidc/start", oidc.settings.public_origin),
        })
    });
    json(StatusCode::OK, &serde_json::json!({ "password": password, "oidc": provider }))
}

/// What a page says when it sends somebody to sign in.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Start {
    #[serde(default)]
    page: Page,
    site: Option<SiteId>,
}

pub(super) async fn start(
    State(shared): State<Arc<Shared>>,
    Extension(Peer(address)): Extension<Peer>,
    query: Result<Query<Start>, QueryRejection>,
) -> Result<Response, Failure> {
    let oidc = configured(&shared)?;
    let Query(Start { page, site }) = query.map_err(|e| ApiError::Invalid(e.body_text()))?;
    if shared.limits.provider_step(address).is_err() {
        return Ok(busy(oidc, page));
    }
    Ok(match oidc.begin(page, site, shared.now()).await {
        Ok((to, handshake)) => go(&to, [HANDSHAKE.set(oidc, &handshake, HANDSHAKE_LIFE), None]),
        Err(refusal) => back(oidc, page, Err(&refusal), [None, None]),
    })
}

pub(super) async fn callback(
    State(shared): State<Arc<Shared>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    query: Result<Query<Returned>, QueryRejection>,
) -> Result<Response, Failure> {
    let oidc = configured(&shared)?;
    let cookie = HANDSHAKE.read(oidc, &headers);
    let page = oidc.page_of(cookie);
    let returned = query.map(|Query(returned)| returned).unwrap_or_default();
    let (limits, address) = (&shared.limits, peer.0);
    if limits.provider_step(address).is_err() || limits.guesses.begin(address).is_err() {
        return Ok(busy(oidc, page));
    }
    let signed_in = sign_in(&shared, oidc, peer, (cookie, returned)).await;
    if !signed_in.as_ref().is_err_and(|refusal| refusal.problem.is_guess()) {
        limits.guesses.take_back(address);
    }
    let outcome = if signed_in.is_ok() { "ok" } else { "refused" };
    counter!("frontdesk_gateway_sign_ins_total", "outcome" => outcome).increment(1);
    let done = HANDSHAKE.clear(oidc);
    Ok(match signed_in {
        Ok(pass) => back(oidc, page, Ok(()), [done, PASS.set(oidc, &pass, PASS_LIFE)]),
        Err(refusal) => back(oidc, page, Err(&refusal), [done, None]),
    })
}

async fn sign_in(
    shared: &Shared,
    oidc: &Oidc,
    peer: Peer,
    (cookie, returned): (&str, Returned),
) -> Result<String, Refusal> {
    let origin = peer.0.to_string();
    let who = oidc.finish(cookie, returned, (shared.now(), &origin)).await?;
    let account = within(CALL_DEADLINE, "desk", shared.deps.desk.sign_in_vouched(who)).await?;
    oidc.pass(&account, shared.now())
}

/// The token, for the page that has just been sent back: the pass is in a cookie that
/// other sites' pages cannot send.
pub(super) async fn token(
    State(shared): State<Arc<Shared>>,
    Extension(Peer(address)): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let oidc = configured(&shared)?;
    if let Some((origin, host)) = origin_of(&headers) {
        let own = origin.split_once("://").is_some_and(|(_, at)| at.eq_ignore_ascii_case(host));
        if !own && origin != oidc.settings.public_origin {
            return Err(ApiError::Forbidden("this page may not sign anybody in".into()).into());
        }
    }
    // Not before: another page's request is not this address's fault.
    let limited = |retry_after| ApiError::RateLimited { retry_after };
    shared.limits.provider_step(address).map_err(limited)?;
    shared.limits.guesses.begin(address).map_err(limited)?;
    let expired = |r: Refusal| ApiError::Unauthenticated(r.why.into_owned());
    let pass = oidc.redeem(PASS.read(oidc, &headers), shared.now()).map_err(expired)?;
    shared.limits.guesses.take_back(address);
    let asked = shared.deps.desk.agent(&pass.site, pass.agent);
    let account = within(CALL_DEADLINE, "desk", asked).await?;
    let account = account
        .filter(|account| !account.disabled)
        .ok_or_else(|| ApiError::Unauthenticated("the account is disabled".into()))?;
    let mut response = json(StatusCode::OK, &auth::staff_token(&shared, &account)?);
    response.headers_mut().extend(PASS.clear(oidc));
    Ok(response)
}

fn configured(shared: &Shared) -> Result<&Oidc, ApiError> {
    shared.oidc.as_deref().ok_or_else(|| ApiError::NotFound("no such address".into()))
}

/// Sends a browser back whose address does too much of this.
fn busy(oidc: &Oidc, page: Page) -> Response {
    counter!("frontdesk_gateway_sign_ins_total", "outcome" => "limited").increment(1);
    go(&address_of(oidc, page, Problem::Busy.word()), [None, None])
}

fn address_of(oidc: &Oidc, page: Page, word: &str) -> String {
    let (origin, path) = (&oidc.settings.public_origin, page.path());
    format!("{origin}{path}#sign-in={word}")
}

/// Sends a browser back to a page of ours, which is told in one word how it went.
fn back(
    oidc: &Oidc,
    page: Page,
    how: Result<(), &Refusal>,
    cookies: [Option<(HeaderName, HeaderValue)>; 2],
) -> Response {
    let word = match how {
        Ok(()) => "ok",
        Err(refusal) => {
            let (problem, why) = (refusal.problem.word(), &refusal.why);
            if matches!(refusal.problem, Problem::Refused | Problem::Unavailable) {
                tracing::warn!(problem, %why, "a sign-in by way of the provider failed");
            } else {
                tracing::info!(problem, %why, "a sign-in by way of the provider was refused");
            }
            problem
        }
    };
    go(&address_of(oidc, page, word), cookies)
}

fn go(to: &str, cookies: [Option<(HeaderName, HeaderValue)>; 2]) -> Response {
    let Ok(to) = HeaderValue::try_from(to) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, to);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    for (name, value) in cookies.into_iter().flatten() {
        headers.append(name, value);
    }
    response
}
