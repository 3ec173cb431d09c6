//! The client protocol documents itself.

use crate::{files, none};

/// Whether this line declares something that needs a comment before it.
fn declares(line: &str) -> bool {
    let word = line.split_whitespace().next();
    matches!(word, Some("message" | "enum" | "service" | "rpc")) && line.contains(['{', ';'])
}

#[test]
fn everything_in_the_schema_has_a_comment() {
    let mut bare = Vec::new();
    let schema = files(&[".proto"]);
    assert!(schema.iter().any(|f| f.path.contains("frontdesk/v1/")), "the schema is found");
    for file in schema.iter().filter(|f| f.path.contains("frontdesk/v1/")) {
        let mut before = "";
        for (number, line) in file.text.lines().map(str::trim).enumerate() {
            if declares(line) && !before.starts_with("//") {
                bare.push(format!("{}:{}: {line}", file.path, number + 1));
            }
            before = line;
        }
    }
    none("declarations without a comment", bare);
}
