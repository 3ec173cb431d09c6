//! How much one address may try by way of the provider.

use super::browser::{Browser, gateway};
use super::provider::HostileProvider;
use crate::testing::{AGENT_EMAIL, PASSWORD};
use axum::http::StatusCode;
use frontdesk_proto::api::ApiError;
use frontdesk_proto::v1;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn an_address_that_tries_too_much_by_way_of_the_provider_waits() {
    let provider = HostileProvider::start().await;
    let world = gateway(&provider).await;
    // Answers to nothing are nobody's guesses: any page can have a browser send them.
    for _ in 0..200 {
        let answer = Browser::default().get(&world, "/auth/oidc/callback?code=x&state=y").await;
        assert_eq!(answer.word(), "expired");
    }
    world.desk.bound_to_another.store(true, Ordering::SeqCst);
    let mut tried = 0;
    while Browser::default().signs_in(&world, &provider).await == "not-allowed" {
        tried += 1;
        assert!(tried < 150, "without end");
    }
    // From here on the provider is not asked, and nobody has waited long enough.
    tokio::time::pause();
    assert!(tried > 100, "{tried}");
    world.desk.bound_to_another.store(false, Ordering::SeqCst);
    assert_eq!(Browser::default().signs_in(&world, &provider).await, "busy");
    let limited = Browser::default().token(&world).await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(limited.headers.contains_key("retry-after"));
    // So it is for passwords: it is one address.
    let ask = v1::SignInRequest {
        site: "demo".into(),
        email: AGENT_EMAIL.into(),
        password: PASSWORD.into(),
    };
    let here = crate::peer::Peer::default().0;
    let refused = crate::auth::sign_in(&world.gateway.shared, here, &ask).await;
    assert!(matches!(refused, Err(ApiError::RateLimited { .. })), "{refused:?}");
    let elsewhere = [192, 0, 2, 9].into();
    assert!(crate::auth::sign_in(&world.gateway.shared, elsewhere, &ask).await.is_ok());
}

#[tokio::test]
async fn an_address_begins_only_so_many_sign_ins() {
    let provider = HostileProvider::start().await;
    let world = gateway(&provider).await;
    let begin = async || {
        let answer = Browser::default().get(&world, "/auth/oidc/start?page=supervisor").await;
        answer.location().to_owned()
    };
    assert!(begin().await.starts_with(&provider.issuer));
    // From here on the provider is not asked.
    tokio::time::pause();
    let mut begun = 1;
    while begin().await.starts_with(&provider.issuer) {
        begun += 1;
        assert!(begun < 1_000, "without end");
    }
    assert!(begun >= 500, "an office begins its day: {begun}");
    assert_eq!(begin().await, "http://127.0.0.1:8080/supervisor/#sign-in=busy");
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    assert!(begin().await.starts_with(&provider.issuer));
}
