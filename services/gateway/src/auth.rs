//! Getting a token, the same over HTTP and gRPC.

use crate::connection::token_life;
use crate::http::origin_allowed;
use crate::shared::{CALL_DEADLINE, Shared, within};
use crate::standing::Standing;
use crate::tokens::Grant;
use frontdesk_core::ids::SiteId;
use frontdesk_core::party::{Principal, Role};
use frontdesk_core::time::Millis;
use frontdesk_proto::api::{AgentAccount, ApiError, PasswordAttempt, SiteConfig, Whence};
use frontdesk_proto::convert::{participant_to_proto, timestamp_to_proto};
use frontdesk_proto::v1;
use metrics::counter;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::time::Instant;
use uuid::Uuid;

/// How long ago an earlier token may have ended to keep its visitor.
const REMEMBERED: Millis = Millis::from_mins(30 * 24 * 60);
const MAX_EMAIL_BYTES: usize = 254;
const MAX_PASSWORD_BYTES: usize = 200;
const MAX_SITE_KEY_BYTES: usize = 200;

/// The site of a widget's key, if the page at `origin` may carry the widget.
pub(crate) async fn site_of_key(
    shared: &Shared,
    key: &str,
    origin: Option<(&str, &str)>,
) -> Result<Arc<SiteConfig>, ApiError> {
    if key.is_empty() || key.len() > MAX_SITE_KEY_BYTES {
        return Err(ApiError::Invalid("site_key is absent or too long".into()));
    }
    let site = within(CALL_DEADLINE, "desk", shared.deps.desk.site_by_key(key))
        .await?
        .ok_or_else(|| ApiError::Unauthenticated("the site key is not known".into()))?;
    match origin {
        Some((origin, host)) if !origin_allowed(&site, origin, host) => {
            Err(ApiError::Forbidden("this page may not carry the site's widget".into()))
        }
        _ => Ok(site),
    }
}

/// A token for an anonymous visitor of a site.
pub(crate) fn visitor_token(
    shared: &Shared,
    site: &SiteId,
    previous: &str,
) -> Result<v1::Token, ApiError> {
    let now = shared.now();
    // An earlier token that does not verify is as good as none: a visitor who
    // comes back after a year is a new one.
    let earlier = shared
        .tokens
        .verify_expired(previous, now, REMEMBERED)
        .ok()
        .filter(|v| v.principal.role == Role::Visitor && v.principal.site == *site);
    let (who, attributes) = match earlier {
        Some(earlier) => (earlier.principal, earlier.attributes),
        None => {
            let id = Uuid::now_v7();
            let who = Principal { site: site.clone(), role: Role::Visitor, id, name: "".into() };
            (who, BTreeMap::new())
        }
    };
    issue(shared, Grant { who: &who, attributes: &attributes, generation: 0 })
}

/// A token for an agent or supervisor.
pub(crate) async fn sign_in(
    shared: &Shared,
    address: IpAddr,
    request: &v1::SignInRequest,
) -> Result<v1::Token, ApiError> {
    if request.email.len() > MAX_EMAIL_BYTES
        || request.site.len() > SiteId::MAX_BYTES
        || request.password.is_empty()
        || request.password.len() > MAX_PASSWORD_BYTES
    {
        return Err(ApiError::Invalid("site, email or password is absent or too long".into()));
    }
    if let Some(oidc) = &shared.oidc
        && !oidc.settings.takes_password_of(&request.email)
    {
        let why = format!("sign in with {}", oidc.settings.label);
        return Err(ApiError::Forbidden(why));
    }
    let account = format!("{}/{}", request.site, request.email.to_ascii_lowercase());
    if let Err(retry_after) = shared.limits.sign_ins.take((address, account), Instant::now()) {
        counter!("frontdesk_gateway_sign_ins_total", "outcome" => "limited").increment(1);
        return Err(ApiError::RateLimited { retry_after });
    }
    if let Err(retry_after) = shared.limits.guesses.begin(address) {
        counter!("frontdesk_gateway_sign_ins_total", "outcome" => "limited").increment(1);
        return Err(ApiError::RateLimited { retry_after });
    }
    let attempt = PasswordAttempt {
        site: request.site.clone(),
        email: request.email.clone(),
        password: request.password.clone(),
        from: Some(Whence { at: shared.now(), origin: address.to_string() }),
    };
    let asked = shared.deps.desk.sign_in(attempt);
    let result = within(CALL_DEADLINE, "desk", asked).await;
    if !matches!(result, Err(ApiError::Unauthenticated(_))) {
        shared.limits.guesses.take_back(address);
    }
    let label = if result.is_ok() { "ok" } else { "refused" };
    counter!("frontdesk_gateway_sign_ins_total", "outcome" => label).increment(1);
    let account = result?;
    if account.disabled {
        return Err(ApiError::Unauthenticated("site, email or password is wrong".into()));
    }
    staff_token(shared, &account)
}

/// A token for an account that somebody may use, however that was found out.
pub(crate) fn staff_token(shared: &Shared, account: &AgentAccount) -> Result<v1::Token, ApiError> {
    let who = Principal {
        site: account.site.clone(),
        role: account.role,
        id: account.id.as_uuid(),
        name: account.profile.name.clone(),
    };
    let grant = Grant { who: &who, attributes: &BTreeMap::new(), generation: account.generation };
    issue(shared, grant)
}

/// The caller behind a bearer token, and what the token stands on; a disabled account is
/// refused.
pub(crate) async fn caller(
    shared: &Shared,
    token: &str,
) -> Result<(Principal, Standing), ApiError> {
    let verified = shared
        .tokens
        .verify(token, shared.now())
        .map_err(|e| ApiError::Unauthenticated(e.to_string()))?;
    let (who, generation) = (verified.principal, verified.generation);
    if let Some(agent) = who.agent_id() {
        let asked = shared.deps.desk.agent(&who.site, agent);
        within(CALL_DEADLINE, "desk", asked)
            .await?
            .filter(|account| stands(account, &who, generation))
            .ok_or_else(|| ApiError::Unauthenticated("the account has been signed out".into()))?;
    }
    let standing = Standing::new(&who, generation, verified.kid);
    Ok((who, standing))
}

/// Whether a token of this generation is still as good as when it was made.
pub(crate) fn stands(account: &AgentAccount, who: &Principal, generation: u32) -> bool {
    !account.disabled && account.role == who.role && account.generation <= generation
}

/// The token in an `authorization` value.
pub(crate) fn bearer(value: Option<&str>) -> Result<&str, ApiError> {
    let (scheme, token) = value.and_then(|v| v.split_once(' ')).unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() {
        Ok(token.trim())
    } else {
        Err(ApiError::Unauthenticated("authorization: Bearer TOKEN is absent".into()))
    }
}

fn issue(shared: &Shared, grant: Grant<'_>) -> Result<v1::Token, ApiError> {
    let who = grant.who;
    let life = token_life(&shared.settings, who.role);
    let issued = shared
        .tokens
        .issue(grant, shared.now(), life)
        .map_err(|e| ApiError::Internal(e.to_string()))?;
    Ok(v1::Token {
        token: issued.token,
        expires_at: Some(timestamp_to_proto(issued.expires_at)),
        subject: Some(participant_to_proto(&who.participant())),
        site: who.site.to_string(),
    })
}
