//! What an OpenID provider says, and browsers that come back from it.

use crate::{Target, target};
use frontdesk_gateway::fuzzing as gateway;

pub(crate) fn targets() -> Vec<Target> {
    let [token, claims] = gateway::sample_id_token();
    let discovery = r#"{"issuer":"https://login.example","token_endpoint":"https://a.example/t",
        "authorization_endpoint":"https://a.example/a?x=1","jwks_uri":"https://a.example/k",
        "userinfo_endpoint":"http://127.0.0.1:80/u",
        "token_endpoint_auth_methods_supported":["client_secret_post"],
        "code_challenge_methods_supported":["S256"]}"#;
    let handshake = r#"{"state":"s","nonce":"n","verifier":"v","page":"supervisor",
        "site":"demo","until":1800000000000}"#;
    vec![
        target("id-token", [token], gateway::id_token),
        target("id-claims", [claims], gateway::id_claims),
        target("key-set", [gateway::sample_key_set()], gateway::key_set),
        target("discovery", [discovery], gateway::discovery),
        target(
            "endpoint",
            ["https://login.example/a?b=c", "http://[::1]:80", "https://[2001:db8::1]:8443/a"],
            gateway::endpoint,
        ),
        target("sealed", ["AAAA"], gateway::sealed),
        target("handshake", [handshake], gateway::handshake),
    ]
}
