//! Documents that are written to exhaust whoever reads them.

use super::{MAX_BYTES, parse};
use std::time::{Duration, Instant};

#[test]
fn documents_that_are_too_large_deep_or_grow_by_aliases_are_refused() {
    let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let alias = format!("*a{}", n - 1);
        laughs += &format!("a{n}: &a{n} [{}]\n", [alias.as_str(); 10].join(", "));
    }
    let deep = format!("title: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let dashes = format!("queues:\n  {}x", "- ".repeat(100_000));
    let large = format!("title: {}", "x".repeat(MAX_BYTES));
    let itself = "title: &a [*a]".to_owned();
    for (what, text) in [
        ("aliases", laughs),
        ("brackets", deep),
        ("dashes", dashes),
        ("size", large),
        ("itself", itself),
    ] {
        let began = Instant::now();
        let problems = parse(&text).err().unwrap_or_default();
        assert_eq!(problems.len(), 1, "{what}");
        assert!(problems[0].reason.len() < 500, "{what}: {}", problems[0].reason.len());
        assert!(began.elapsed() < Duration::from_secs(5), "{what}: {:?}", began.elapsed());
    }
}
