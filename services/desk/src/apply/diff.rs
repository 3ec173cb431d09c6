//! What a document would change, in lines for people.

use serde::Serialize;
use serde_json::Value;

/// How a thing of this name differs; nothing when it does not.
pub(super) fn changed<T: Serialize>(
    what: &str,
    before: Option<&T>,
    now: Option<&T>,
) -> Vec<String> {
    match (before.and_then(fields), now.and_then(fields)) {
        (None, None) => Vec::new(),
        (None, Some(_)) => vec![format!("+ {what}")],
        (Some(_), None) => vec![format!("- {what}")],
        (Some(before), Some(now)) => now
            .iter()
            .filter(|(field, value)| before.get(*field) != Some(*value))
            .map(|(field, value)| {
                let old = before.get(field).unwrap_or(&Value::Null);
                format!("~ {what}: {field} {} -> {}", shown(old), shown(value))
            })
            .collect(),
    }
}

fn fields<T: Serialize>(thing: &T) -> Option<serde_json::Map<String, Value>> {
    match serde_json::to_value(thing) {
        Ok(Value::Object(fields)) => Some(fields),
        _ => None,
    }
}

/// Text without its quotes, all else as JSON.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
