//! Whom the operator's rules let in, and to what, of those for whom the provider has
//! vouched. Pure.

use super::problem::{Problem, Refusal};
use super::settings::{Grant, OidcSettings};
use frontdesk_core::conversation::MAX_NAME_CHARS;
use frontdesk_core::identity::Identity;
use frontdesk_core::ids::SiteId;
use frontdesk_core::time::Timestamp;
use frontdesk_proto::api::Vouched;
use serde_json::{Map, Value};

/// What is known of a person, by the names of claims.
pub(super) type Claims = Map<String, Value>;

/// Whether the claims have what rules ask for, so that nobody else need be asked.
pub(super) fn is_complete(settings: &OidcSettings, claims: &Claims) -> bool {
    let needed = [settings.email_claim.as_str(), "email_verified"].into_iter();
    let of_grants = settings.grants.iter().filter_map(|grant| grant.claim.as_deref());
    needed.chain(of_grants).all(|name| find(claims, name).is_some())
}

/// Lets somebody in, to `site` alone when one is named; it asks at this time from there.
pub(super) fn admit(
    settings: &OidcSettings,
    (identity, claims): (Identity, &Claims),
    site: Option<&SiteId>,
    (at, origin): (Timestamp, &str),
) -> Result<Vouched, Refusal> {
    let unverified = |why: &'static str| Refusal::new(Problem::Unverified, why);
    let email = find(claims, &settings.email_claim).and_then(Value::as_str);
    let email = email.map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty());
    let email = email.ok_or_else(|| unverified("there is no address"))?;
    // Some providers write it as text.
    let verified = find(claims, "email_verified");
    if !verified.is_some_and(|v| v.as_bool() == Some(true) || v.as_str() == Some("true")) {
        return Err(unverified("the address is not verified"));
    }
    let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
    let domains = &settings.allowed_domains;
    if !domains.is_empty() && !domains.iter().any(|d| d.eq_ignore_ascii_case(domain)) {
        return Err(Refusal::new(Problem::NotAllowed, "the address's domain is not allowed"));
    }
    let there = |grant: &&Grant| site.is_none_or(|site| *site == grant.site);
    let grant = settings.grants.iter().filter(there).find(|grant| holds(grant, claims));
    let grant = grant.ok_or_else(|| Refusal::new(Problem::NotAllowed, "no grant holds"))?;
    Ok(Vouched {
        site: grant.site.clone(),
        identity: Some(identity),
        name: name(claims, &settings.name_claim, &email),
        email,
        role: grant.role.map(Into::into),
        create: settings.create_accounts,
        at,
        origin: origin.to_owned(),
    })
}

fn holds(grant: &Grant, claims: &Claims) -> bool {
    let Some(name) = &grant.claim else { return true };
    let is = |value: &Value| match value {
        Value::String(text) => grant.values.contains(text),
        Value::Bool(_) | Value::Number(_) => grant.values.contains(&value.to_string()),
        _ => false,
    };
    match find(claims, name) {
        Some(Value::Array(values)) => values.iter().any(is),
        Some(value) => is(value),
        None => false,
    }
}

/// A claim of this name, or else the one that the name's parts lead to.
fn find<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    claims.get(name).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        rest.split('.').try_fold(claims.get(first)?, |value, part| value.get(part))
    })
}

/// A name that can be shown, if need be the address's.
fn name(claims: &Claims, claim: &str, email: &str) -> String {
    let given = find(claims, claim).and_then(Value::as_str).unwrap_or_default();
    let cleaned = |text: &str| {
        let kept = text.trim().chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS);
        kept.collect::<String>().trim().to_owned()
    };
    match cleaned(given) {
        name if name.is_empty() => cleaned(email.split('@').next().unwrap_or(email)),
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_core::party::Role;
    use serde_json::json;

    fn settings(more: Value) -> OidcSettings {
        let mut all = json!({
            "issuer": "https://login.example", "client_id": "c",
            "public_origin": "https://chat.example",
            "grants": [
                { "site": "demo", "role": "supervisor", "claim": "groups", "values": ["leads"] },
                { "site": "demo", "claim": "realm.roles", "values": ["support", "sales"] },
                { "site": "other", "role": "agent", "claim": "staff", "values": ["true"] },
            ],
        });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    fn admitted(more: Value, claims: Value, site: Option<&str>) -> Result<Vouched, Problem> {
        let mut all = json!({ "email": "Ana@Shop.Example", "email_verified": true });
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let site = site.map(|site| site.parse().unwrap());
        let who =
            (Identity::new("https://login.example", "ana").unwrap(), all.as_object().unwrap());
        admit(&settings(more), who, site.as_ref(), (Timestamp::ZERO, "here")).map_err(|r| r.problem)
    }

    #[test]
    fn the_first_grant_that_holds_says_what_one_is() {
        let lead =
            admitted(json!({}), json!({ "groups": ["x", "leads"], "name": " Ana\u{7} " }), None);
        let lead = lead.unwrap();
        assert_eq!((lead.site.as_str(), lead.role), ("demo", Some(Role::Supervisor)));
        assert_eq!((lead.email.as_str(), lead.name.as_str()), ("ana@shop.example", "Ana"));
        assert!(!lead.create);
        assert_eq!(lead.identity.unwrap().subject, "ana");
        let nested = json!({ "realm": { "roles": "sales" } });
        let agent = admitted(json!({ "create_accounts": true }), nested, None).unwrap();
        assert_eq!((agent.role, agent.name.as_str(), agent.create), (None, "ana", true));
        let flat = admitted(json!({}), json!({ "realm.roles": ["support"] }), None);
        assert!(flat.is_ok());
        let both = json!({ "groups": "leads", "staff": true });
        assert_eq!(admitted(json!({}), both, Some("other")).unwrap().site.as_str(), "other");
    }

    #[test]
    fn who_is_not_granted_anything_stays_out() {
        for claims in
            [json!({}), json!({ "groups": ["lead", "Leads"] }), json!({ "groups": { "leads": 1 } })]
        {
            assert_eq!(admitted(json!({}), claims, None), Err(Problem::NotAllowed));
        }
        let lead = || json!({ "groups": ["leads"] });
        assert_eq!(admitted(json!({}), lead(), Some("other")), Err(Problem::NotAllowed));
        let shop = json!({ "allowed_domains": ["SHOP.example"] });
        assert!(admitted(shop, lead(), None).is_ok());
        let others = json!({ "allowed_domains": ["example", "evil.shop.example"] });
        assert_eq!(admitted(others, lead(), None), Err(Problem::NotAllowed));
    }

    #[test]
    fn an_address_counts_only_when_it_is_verified() {
        for verified in [json!(false), json!("false"), json!(1), json!(null), json!("yes")] {
            let claims = json!({ "groups": ["leads"], "email_verified": verified });
            assert_eq!(admitted(json!({}), claims, None), Err(Problem::Unverified));
        }
        let text = json!({ "groups": ["leads"], "email_verified": "true" });
        assert!(admitted(json!({}), text, None).is_ok());
        let none = json!({ "groups": ["leads"], "email": "" });
        assert_eq!(admitted(json!({}), none, None), Err(Problem::Unverified));
        let other = json!({ "email_claim": "upn" });
        assert_eq!(admitted(other, json!({ "groups": ["leads"] }), None), Err(Problem::Unverified));
    }
}
