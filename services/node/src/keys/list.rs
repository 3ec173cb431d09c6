//! The list of keys as a file has it. Pure; says nothing of what is in it.

use frontdesk_gateway::TokenKey;
use serde::Deserialize;

/// The file is the list alone.
#[derive(Deserialize)]
struct Listed {
    keys: Vec<TokenKey>,
}

/// Reads it. What the parser says is lost on purpose: it shows the text around the place.
pub(crate) fn keys(text: &str) -> Option<Vec<TokenKey>> {
    let listed = toml::from_str::<Listed>(&format!("keys = {}", text.trim()));
    listed.map(|listed| listed.keys).ok()
}
