//! Sign-ins through the gateway's own routes, with a provider that misbehaves in every
//! way that a real one does not. What works with a real one is tried in a real browser.

mod browser;
mod limits;
mod provider;

use crate::testing::{AGENT_EMAIL, PASSWORD, World, agent_id};
use axum::http::{Method, StatusCode};
use browser::{Browser, ORIGIN, callback, gateway, gateway_with, settings};
use provider::{CLIENT, EMAIL, HostileProvider, SECRET, Signing, parameters};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

#[tokio::test]
async fn somebody_signs_in_by_way_of_any_gateways() {
    let provider = HostileProvider::start().await;
    let (one, two) = (gateway(&provider).await, gateway(&provider).await);
    let mut browser = Browser::default();
    let to = browser.get(&one, "/auth/oidc/start?page=supervisor&site=demo").await;
    let back = callback(&provider.consent(to.location()));
    let page = browser.get(&two, &back).await;
    assert_eq!(page.location(), "http://127.0.0.1:8080/supervisor/#sign-in=ok");
    assert_eq!(browser.cookies.len(), 1, "the handshake is over");
    let token = browser.token(&one).await;
    assert_eq!(token.status, StatusCode::OK);
    assert_eq!(token.body["subject"]["id"], agent_id().to_string());
    assert_eq!(token.headers["cache-control"], "no-store");
    assert!(browser.cookies.is_empty(), "the pass is used");
    let who = crate::auth::caller(&two.gateway.shared, token.body["token"].as_str().unwrap());
    assert_eq!(who.await.unwrap().0.id, agent_id().as_uuid());
    assert_eq!(browser.token(&one).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn another_browsers_or_an_earlier_sign_in_is_not_taken() {
    let provider = HostileProvider::start().await;
    let world = gateway(&provider).await;
    provider.orders().careless = true;
    let mut browser = Browser::default();
    let back = browser.consents(&world, &provider).await;
    // Somebody else has the victim follow the address: no cookie, or one of its own.
    let mut victim = Browser::default();
    assert_eq!(victim.get(&world, &back).await.word(), "expired");
    victim.consents(&world, &provider).await;
    assert_eq!(victim.get(&world, &back).await.word(), "expired");
    // Played again, cookie and all, although this provider would take the code again.
    let mut thief = browser.clone();
    assert_eq!(browser.get(&world, &back).await.word(), "ok");
    assert_eq!(thief.get(&world, &back).await.word(), "expired");
    let mut copy = browser.clone();
    assert_eq!(browser.token(&world).await.status, StatusCode::OK);
    assert_eq!(copy.token(&world).await.status, StatusCode::UNAUTHORIZED);
    for odd in ["", "?state=a&state=b", "?code=x", "?error=access_denied"] {
        let path = format!("/auth/oidc/callback{odd}");
        assert_eq!(Browser::default().get(&world, &path).await.word(), "expired", "{odd}");
    }
}

#[tokio::test]
async fn a_code_that_was_used_or_that_nobody_gave_lets_nobody_in() {
    let provider = HostileProvider::start().await;
    let (one, two) = (gateway(&provider).await, gateway(&provider).await);
    let mut browser = Browser::default();
    let back = browser.consents(&one, &provider).await;
    let mut thief = browser.clone();
    assert_eq!(browser.get(&one, &back).await.word(), "ok");
    // At a gateway that has not seen it the provider is decisive.
    assert_eq!(thief.get(&two, &back).await.word(), "refused");

    let to = browser.get(&one, "/auth/oidc/start").await.location().to_owned();
    let mut made_up = provider.consent(&to);
    made_up.insert("code".into(), "made-up".into());
    assert_eq!(browser.get(&one, &callback(&made_up)).await.word(), "refused");
}

#[tokio::test]
async fn id_tokens_that_are_not_about_this_sign_in_are_refused() {
    let provider = HostileProvider::start().await;
    let world = gateway(&provider).await;
    let seconds = crate::testing::now().as_millis() / 1_000;
    let lies = [
        json!({ "nonce": "another" }),
        json!({ "nonce": null }),
        json!({ "aud": "another" }),
        json!({ "aud": ["another"] }),
        json!({ "aud": [CLIENT, "another"] }),
        json!({ "aud": [CLIENT, "another"], "azp": "another" }),
        json!({ "azp": "another" }),
        json!({ "iss": "https://another.example" }),
        json!({ "iss": format!("{}/", provider.issuer) }),
        json!({ "exp": seconds - 120 }),
        json!({ "exp": null }),
        json!({ "nbf": seconds + 120 }),
        json!({ "iat": seconds + 120 }),
        json!({ "iat": seconds - 3_600 }),
        json!({ "sub": "" }),
        json!({ "at_hash": "another" }),
    ];
    for lie in lies {
        let said = lie.clone();
        provider.orders().claims = Box::new(move |claims| {
            claims.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        });
        assert_eq!(Browser::default().signs_in(&world, &provider).await, "refused", "{lie}");
    }
    let good = [
        json!({ "aud": [CLIENT, "another"], "azp": CLIENT }),
        json!({ "nbf": seconds + 5, "iat": seconds + 5 }),
        // The left half of SHA-256 of "access".
        json!({ "at_hash": half_of_access() }),
    ];
    for said in good {
        let shown = said.to_string();
        provider.orders().claims = Box::new(move |claims| {
            claims.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        });
        assert_eq!(Browser::default().signs_in(&world, &provider).await, "ok", "{shown}");
    }
}

fn half_of_access() -> String {
    use base64::Engine as _;
    let hash = ring::digest::digest(&ring::digest::SHA256, b"access");
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16])
}

#[tokio::test]
async fn signatures_that_prove_nothing_are_refused() {
    let provider = HostileProvider::start().await;
    let world = gateway(&provider).await;
    for signing in [Signing::None, Signing::SharedSecret, Signing::OtherKey] {
        provider.orders().signing = signing;
        assert_eq!(Browser::default().signs_in(&world, &provider).await, "refused", "{signing:?}");
    }
    provider.orders().signing = Signing::Honest;
    assert_eq!(Browser::default().signs_in(&world, &provider).await, "ok");
}

#[tokio::test]
async fn a_new_key_is_looked_for_but_not_at_any_price() {
    let provider = HostileProvider::start().await;
    let world = gateway(&provider).await;
    assert_eq!(Browser::default().signs_in(&world, &provider).await, "ok");
    assert_eq!(Browser::default().signs_in(&world, &provider).await, "ok");
    assert_eq!(provider.orders().key_fetches, 1);
    provider.rotate("second");
    assert_eq!(Browser::default().signs_in(&world, &provider).await, "ok");
    assert_eq!(provider.orders().key_fetches, 2);
    // A new name with every token: what is asked for stays within bounds.
    for n in 0..10 {
        provider.rotate(&format!("made up {n}"));
        Browser::default().signs_in(&world, &provider).await;
    }
    assert!(provider.orders().key_fetches <= 5, "{}", provider.orders().key_fetches);
}

#[tokio::test]
async fn whom_the_provider_does_not_vouch_for_stays_out() {
    let provider = HostileProvider::start().await;
    let world = gateway_with(&provider, json!({ "allowed_domains": ["example.com"] })).await;
    for (said, word) in [
        (json!({ "email_verified": false }), "unverified"),
        (json!({ "email": "ana@evil.example" }), "not-allowed"),
        (json!({ "email": "stranger@example.com" }), "no-account"),
        (json!({}), "ok"),
    ] {
        provider.orders().claims = Box::new(move |claims| {
            claims.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        });
        assert_eq!(Browser::default().signs_in(&world, &provider).await, word);
    }
    world.desk.disabled.store(true, Ordering::SeqCst);
    assert_eq!(Browser::default().signs_in(&world, &provider).await, "disabled");
    // Nor may somebody whose account is disabled just before the page asks.
    world.desk.disabled.store(false, Ordering::SeqCst);
    let mut browser = Browser::default();
    assert_eq!(browser.signs_in(&world, &provider).await, "ok");
    world.desk.disabled.store(true, Ordering::SeqCst);
    assert_eq!(browser.token(&world).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_desk_is_told_who_it_is_and_somebody_elses_account_is_not_given() {
    let provider = HostileProvider::start().await;
    let world = gateway(&provider).await;
    assert_eq!(Browser::default().signs_in(&world, &provider).await, "ok");
    let told = world.desk.vouched.lock().unwrap().remove(0).identity.unwrap();
    assert_eq!((told.issuer, &*told.subject), (provider.issuer.clone(), "ana"));
    for odd in [json!("x".repeat(256)), json!("a\u{0}b")] {
        provider.orders().claims = Box::new(move |claims| claims["sub"] = odd.clone());
        assert_eq!(Browser::default().signs_in(&world, &provider).await, "refused");
    }
    provider.orders().claims = Box::new(|_| {});
    world.desk.bound_to_another.store(true, Ordering::SeqCst);
    assert_eq!(Browser::default().signs_in(&world, &provider).await, "not-allowed");
}

#[tokio::test]
async fn what_the_id_token_leaves_out_the_provider_is_asked_for() {
    let provider = HostileProvider::start().await;
    let world = gateway(&provider).await;
    provider.orders().claims = Box::new(|claims| {
        claims.as_object_mut().unwrap().retain(|name, _| !name.starts_with("email"));
    });
    let mut told = json!({ "sub": "ana", "email": EMAIL, "email_verified": true });
    provider.orders().userinfo = told.clone();
    assert_eq!(Browser::default().signs_in(&world, &provider).await, "ok");
    told["sub"] = json!("somebody else");
    provider.orders().userinfo = told;
    assert_eq!(Browser::default().signs_in(&world, &provider).await, "refused");
    provider.orders().userinfo = json!({ "sub": "ana", "email": EMAIL });
    assert_eq!(Browser::default().signs_in(&world, &provider).await, "unverified");
}

#[tokio::test]
async fn a_provider_that_is_away_or_no_longer_itself_is_told() {
    let provider = HostileProvider::start().await;
    let world = gateway(&provider).await;
    provider.orders().sick = Some(StatusCode::BAD_GATEWAY);
    let start = Browser::default().get(&world, "/auth/oidc/start?page=supervisor").await;
    assert_eq!(start.location(), "http://127.0.0.1:8080/supervisor/#sign-in=unavailable");
    let (provider, world) = (HostileProvider::start().await, world);
    drop(world);
    let world = gateway(&provider).await;
    let mut browser = Browser::default();
    let back = browser.consents(&world, &provider).await;
    provider.orders().flood = 300 * 1024;
    assert_eq!(browser.get(&world, &back).await.word(), "unavailable");
    provider.orders().flood = 0;
    let back = browser.consents(&world, &provider).await;
    provider.orders().sick = Some(StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(browser.get(&world, &back).await.word(), "unavailable");
    provider.orders().sick = None;
    let back = browser.consents(&world, &provider).await;
    drop(provider);
    assert_eq!(browser.get(&world, &back).await.word(), "unavailable");
}

#[tokio::test]
async fn discovery_that_leads_elsewhere_is_not_followed() {
    for lie in [
        json!({ "issuer": "https://another.example" }),
        json!({ "token_endpoint": "http://another.example/token" }),
        json!({ "authorization_endpoint": "javascript:alert(1)" }),
        json!({ "code_challenge_methods_supported": ["plain"] }),
    ] {
        let provider = HostileProvider::start().await;
        let world = gateway(&provider).await;
        let said = lie.clone();
        provider.orders().discovery = Box::new(move |found| {
            found.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        });
        let start = Browser::default().get(&world, "/auth/oidc/start").await;
        assert_eq!(start.location(), "http://127.0.0.1:8080/console/#sign-in=refused", "{lie}");
    }
}

#[tokio::test]
async fn another_providers_answer_and_a_no_are_told_apart() {
    let provider = HostileProvider::start().await;
    let world = gateway(&provider).await;
    for (name, value, word) in [
        ("iss", "https://another.example", "refused"),
        ("error", "access_denied", "denied"),
        ("error", "temporarily_unavailable", "unavailable"),
        ("iss", provider.issuer.as_str(), "ok"),
    ] {
        let mut browser = Browser::default();
        let back = browser.consents(&world, &provider).await;
        let back = format!("{back}&{name}={}", super::encode(value));
        assert_eq!(browser.get(&world, &back).await.word(), word, "{name}={value}");
    }
    provider.orders().discovery = Box::new(|found| {
        found["authorization_response_iss_parameter_supported"] = json!(true);
    });
    let world = gateway(&provider).await;
    assert_eq!(Browser::default().signs_in(&world, &provider).await, "refused");
}

#[tokio::test]
async fn no_request_says_where_a_browser_goes_and_no_other_page_gets_a_token() {
    let provider = HostileProvider::start().await;
    let world = gateway(&provider).await;
    let mut browser = Browser::default();
    for odd in ["page=https://evil.example", "page=//evil.example", "site=%2F%2Fevil"] {
        let answer = browser.get(&world, &format!("/auth/oidc/start?{odd}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{odd}");
    }
    let more = "/auth/oidc/start?next=https://evil.example&redirect_uri=https://evil.example";
    let start = browser.ask(&world, Method::GET, more, &[("host", "evil.example")]).await;
    let query = start.location().split_once('?').unwrap().1.to_owned();
    assert!(start.location().starts_with(&provider.issuer) && !query.contains("evil"));
    assert_eq!(parameters(&query)["scope"], "openid email profile");
    assert_eq!(browser.signs_in(&world, &provider).await, "ok");
    let evil = [("origin", "https://evil.example"), ("host", "127.0.0.1:8080")];
    let answer = browser.ask(&world, Method::POST, "/auth/oidc/token", &evil).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let own = [("origin", ORIGIN), ("host", "10.0.0.1")];
    let answer = browser.ask(&world, Method::POST, "/auth/oidc/token", &own).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn pages_learn_how_to_sign_in_and_passwords_can_be_for_few() {
    let plain = World::start().await;
    let methods = Browser::default().get(&plain, "/auth/methods").await.body;
    assert_eq!(methods, json!({ "password": true, "oidc": null }));
    for path in ["/auth/oidc/start", "/auth/oidc/callback"] {
        assert_eq!(Browser::default().get(&plain, path).await.status, StatusCode::NOT_FOUND);
    }
    let provider = HostileProvider::start().await;
    let ask = async |only: Value| {
        let more = json!({ "label": "Acme", "passwords_only_for": only });
        let world = gateway_with(&provider, more).await;
        let methods = Browser::default().get(&world, "/auth/methods").await.body;
        assert_eq!(methods["oidc"]["start"], "http://127.0.0.1:8080/auth/oidc/start");
        let request = frontdesk_proto::v1::SignInRequest {
            site: "demo".into(),
            email: AGENT_EMAIL.into(),
            password: PASSWORD.into(),
        };
        let shared = &world.gateway.shared;
        let signed_in = crate::auth::sign_in(shared, [127, 0, 0, 1].into(), &request).await;
        (methods["password"].as_bool().unwrap(), signed_in.is_ok())
    };
    assert_eq!(ask(json!(null)).await, (true, true));
    assert_eq!(ask(json!(["root@example.com"])).await, (true, false));
    assert_eq!(ask(json!([AGENT_EMAIL.to_uppercase()])).await, (true, true));
    assert_eq!(ask(json!([])).await, (false, false));
}

#[test]
fn settings_that_cannot_work_are_told_in_one_line() {
    for (more, says) in [
        (json!({ "issuer": "http://login.example" }), "issuer: http:// is only"),
        (
            json!({ "public_origin": "https://a.example/x" }),
            "public_origin: write \"https://a.example\"",
        ),
        (json!({ "public_origin": "http://a.example" }), "public_origin: http:// is only"),
        (json!({ "scopes": ["email"] }), "`openid` is missing"),
        (json!({ "grants": [] }), "grants: without any"),
        (json!({ "grants": [{ "site": "a", "claim": "groups" }] }), "a claim needs values"),
        (json!({ "client_secret_file": "/none" }), "both set"),
        (
            json!({ "client_secret": null, "client_secret_file": "/none" }),
            "client_secret_file: /none",
        ),
        (json!({ "ca": "/none.pem" }), "/none.pem"),
    ] {
        let settings = settings("https://login.example", more);
        let error = super::Oidc::new(settings, &[crate::testing::key()]).err().unwrap();
        assert!(error.contains(says) && !error.contains('\n'), "{error}");
    }
    let good = settings("https://login.example", json!({}));
    assert!(!format!("{good:?}").contains(SECRET));
    assert!(super::Oidc::new(good, &[crate::testing::key()]).is_ok());
}
