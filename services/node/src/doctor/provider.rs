//! The OpenID provider, where staff sign in by way of one.

use super::finding::Finding;
use frontdesk_gateway::{Settings, examine_oidc};
use std::time::Duration;

/// For discovery and the keys together.
const DEADLINE: Duration = Duration::from_secs(10);

pub(super) async fn check(settings: &Settings) -> Option<Finding> {
    let issuer = settings.oidc.as_ref()?.issuer.clone();
    let looked = tokio::time::timeout(DEADLINE, examine_oidc(settings)).await;
    Some(judge(&issuer, looked.unwrap_or(Some(Err("it does not answer".into())))?))
}

fn judge(issuer: &str, looked: Result<(), String>) -> Finding {
    match looked {
        Ok(()) => Finding::ok("gateway.oidc", format!("{issuer} is reached and names itself")),
        Err(why) => Finding::fail(
            "gateway.oidc",
            format!("{issuer}: {why}: check issuer and ca, and that it is reached from here"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict;
    use frontdesk_gateway::OidcSettings;

    #[tokio::test]
    async fn a_provider_that_is_away_is_told_and_none_is_nothing() {
        assert_eq!(check(&Settings::default()).await, None);
        let oidc: OidcSettings = toml::from_str(
            "issuer = \"https://127.0.0.1:1\"\nclient_id = \"f\"\npublic_origin = \"https://f.example\"\n\
             [[grants]]\nsite = \"demo\"\nrole = \"agent\"\n",
        )
        .unwrap();
        let found = check(&Settings { oidc: Some(oidc), ..Settings::default() }).await.unwrap();
        assert_eq!(found.verdict, Verdict::Fail);
        assert!(found.detail.starts_with("https://127.0.0.1:1: "), "{}", found.detail);
        assert_eq!(judge("https://p", Ok(())).verdict, Verdict::Ok);
    }
}
