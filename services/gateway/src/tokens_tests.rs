//! Tokens that must be taken and tokens that must not.

use super::*;

const HOUR: Millis = Millis::from_mins(60);
const NOW: Timestamp = Timestamp::from_millis(1_763_877_600_000);
/// The example key of RFC 8410.
const ED_PRIVATE: &str = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
const ED_PUBLIC: &str = "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";

fn hmac(kid: &str, byte: u8) -> TokenKey {
    let (algorithm, public) = (TokenAlgorithm::Hs256, String::new());
    TokenKey { kid: kid.into(), algorithm, secret: STANDARD.encode([byte; 32]), public }
}

fn edwards(kid: &str) -> TokenKey {
    let (secret, public) = (ED_PRIVATE.into(), ED_PUBLIC.into());
    TokenKey { kid: kid.into(), algorithm: TokenAlgorithm::EdDsa, secret, public }
}

fn visitor() -> Principal {
    Principal {
        site: "demo".parse().unwrap(),
        role: Role::Visitor,
        id: Uuid::from_u128(7),
        name: "Vi".into(),
    }
}

fn issue(tokens: &Tokens) -> String {
    let grant = Grant { who: &visitor(), attributes: &BTreeMap::new(), generation: 0 };
    tokens.issue(grant, NOW, HOUR).unwrap().token
}

#[test]
fn what_was_signed_is_read_back() {
    for key in [hmac("a", 1), edwards("e")] {
        let tokens = Tokens::new(&[key]).unwrap();
        let attributes = [("plan".to_owned(), "gold".to_owned())].into();
        let grant = Grant { who: &visitor(), attributes: &attributes, generation: 7 };
        let Issued { token, expires_at: ends, kid } = tokens.issue(grant, NOW, HOUR).unwrap();
        let verified = tokens.verify(&token, NOW).unwrap();
        assert_eq!((verified.generation, &verified.kid), (7, &kid));
        assert_eq!(verified.principal, visitor());
        assert_eq!(verified.expires_at, ends);
        assert_eq!(verified.attributes, attributes);
    }
}

#[test]
fn an_older_key_still_verifies_after_rotation() {
    let before = Tokens::new(&[hmac("old", 1)]).unwrap();
    let after = Tokens::new(&[hmac("new", 2), hmac("old", 1)]).unwrap();
    assert!(after.verify(&issue(&before), NOW).is_ok());
}

#[test]
fn a_key_is_rotated_while_the_gateway_runs() {
    let tokens = Tokens::new(&[hmac("old", 1)]).unwrap();
    let early = issue(&tokens);
    // First every gateway learns to verify the new one, then it signs, then the old one goes.
    tokens.replace(&[hmac("old", 1), edwards("new")]).unwrap();
    assert_eq!(*tokens.verify(&issue(&tokens), NOW).unwrap().kid, *"old");
    tokens.replace(&[edwards("new"), hmac("old", 1)]).unwrap();
    let late = issue(&tokens);
    assert_eq!(*tokens.verify(&late, NOW).unwrap().kid, *"new");
    assert!(tokens.verify(&early, NOW).is_ok());
    tokens.replace(&[edwards("new")]).unwrap();
    assert_eq!(tokens.verify(&early, NOW), Err(TokenError::UnknownKey));
    assert!(tokens.verify(&late, NOW).is_ok() && tokens.knows("new") && !tokens.knows("old"));
}

#[test]
fn keys_that_cannot_be_used_replace_nothing() {
    let tokens = Tokens::new(&[hmac("a", 1)]).unwrap();
    let token = issue(&tokens);
    assert_eq!(tokens.replace(&[]), Err(KeyError::None));
    let weak = TokenKey { secret: "c2hvcnQ=".into(), ..hmac("b", 1) };
    assert_eq!(tokens.replace(&[hmac("c", 2), weak]), Err(KeyError::Malformed("b".into())));
    assert!(tokens.verify(&token, NOW).is_ok() && !tokens.knows("c"));
}

#[test]
fn another_key_is_refused() {
    let ours = Tokens::new(&[hmac("a", 1)]).unwrap();
    let same_name = Tokens::new(&[hmac("a", 2)]).unwrap();
    let other_name = Tokens::new(&[hmac("b", 1)]).unwrap();
    assert_eq!(ours.verify(&issue(&same_name), NOW), Err(TokenError::Refused));
    assert_eq!(ours.verify(&issue(&other_name), NOW), Err(TokenError::UnknownKey));
}

#[test]
fn a_public_key_used_as_a_secret_is_refused() {
    let ours = Tokens::new(&[edwards("e")]).unwrap();
    let public = STANDARD.decode(ED_PUBLIC).unwrap();
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("e".into());
    let claims = serde_json::json!({
        "aud": AUDIENCE, "exp": 9_999_999_999_u64, "iat": 0, "sub": Uuid::from_u128(1),
        "site": "demo", "role": "supervisor",
    });
    let forged =
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&public)).unwrap();
    assert_eq!(ours.verify(&forged, NOW), Err(TokenError::Refused));
}

#[test]
fn an_unsigned_token_is_refused() {
    let ours = Tokens::new(&[hmac("a", 1)]).unwrap();
    let url = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let header = url.encode(br#"{"alg":"none","typ":"JWT","kid":"a"}"#);
    let token = issue(&ours);
    let claims = token.split('.').nth(1).unwrap();
    assert!(ours.verify(&format!("{header}.{claims}."), NOW).is_err());
}

#[test]
fn expiry_is_exact_and_grace_is_bounded() {
    let tokens = Tokens::new(&[hmac("a", 1)]).unwrap();
    let token = issue(&tokens);
    let end = NOW + HOUR;
    assert!(tokens.verify(&token, end - Millis::new(1)).is_ok());
    assert_eq!(tokens.verify(&token, end), Err(TokenError::Expired));
    assert!(tokens.verify_expired(&token, end, HOUR).is_ok());
    assert_eq!(tokens.verify_expired(&token, end + HOUR, HOUR), Err(TokenError::Expired));
}

#[test]
fn another_audience_is_refused() {
    let tokens = Tokens::new(&[hmac("a", 1)]).unwrap();
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("a".into());
    let claims = serde_json::json!({
        "aud": "elsewhere", "exp": 9_999_999_999_u64, "iat": 0, "sub": Uuid::from_u128(1),
        "site": "demo", "role": "agent",
    });
    let token =
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&[1; 32])).unwrap();
    assert_eq!(tokens.verify(&token, NOW), Err(TokenError::Refused));
}

#[test]
fn weak_or_repeated_keys_are_refused() {
    assert_eq!(Tokens::new(&[]).err(), Some(KeyError::None));
    assert_eq!(
        Tokens::new(&[hmac("a", 1), hmac("a", 2)]).err(),
        Some(KeyError::Duplicate("a".into()))
    );
    let weak = TokenKey { secret: STANDARD.encode([1; 8]), ..hmac("w", 1) };
    assert_eq!(Tokens::new(&[weak]).err(), Some(KeyError::Malformed("w".into())));
}

#[test]
fn settings_never_show_the_secret() {
    let key = hmac("a", 1);
    assert!(!format!("{key:?}").contains(&key.secret));
}

proptest::proptest! {
    #[test]
    fn garbage_is_refused_without_a_panic(token in "\\PC{0,200}") {
        let tokens = Tokens::new(&[hmac("a", 1)]).unwrap();
        proptest::prop_assert!(tokens.verify(&token, NOW).is_err());
    }
}
