//! What is measured is in the catalog, and what is in the catalog is measured.

use crate::{files, none, read};
use frontdesk_telemetry::catalog::{self, Kind};
use std::collections::BTreeMap;

const MACROS: [(&str, Kind); 3] =
    [("counter!(", Kind::Counter), ("gauge!(", Kind::Gauge), ("histogram!(", Kind::Histogram)];

/// Name, kind and file of all that the sources measure.
fn measured() -> Vec<(String, Kind, String)> {
    let mut found = Vec::new();
    let sources = files(&[".rs"]);
    // Where names come from the catalog itself.
    let described = ["services/telemetry/src/catalog", "services/telemetry/src/metrics.rs"];
    let measures = |path: &str| {
        path.starts_with("services/") && !described.iter().any(|place| path.starts_with(place))
    };
    for file in sources.iter().filter(|file| measures(&file.path)) {
        for (name, kind) in MACROS {
            for (at, _) in file.text.match_indices(name) {
                let rest = file.text[at + name.len()..].trim_start();
                let literal = rest.strip_prefix('"').and_then(|rest| rest.split('"').next());
                // A name that is put together cannot be looked up.
                let metric = literal.unwrap_or("(not a literal)").to_owned();
                found.push((metric, kind, file.path.clone()));
            }
        }
    }
    assert!(found.len() > 80, "the sources are understood: {}", found.len());
    found
}

#[test]
fn every_metric_of_the_sources_is_in_the_catalog_and_the_other_way_round() {
    let known: BTreeMap<_, _> = catalog::all().into_iter().map(|m| (m.name, m.kind)).collect();
    let measured = measured();
    let mut wrong: Vec<String> = measured
        .iter()
        .filter(|(name, kind, _)| known.get(name.as_str()) != Some(kind))
        .map(|(name, kind, path)| format!("{path}: {name} as a {}", kind.as_str()))
        .collect();
    // The process's own are read from the system.
    let of_ours = known.keys().filter(|name| name.starts_with("frontdesk_"));
    let idle = of_ours.filter(|name| !measured.iter().any(|(found, ..)| found == *name));
    wrong.extend(idle.map(|name| format!("{name} is measured nowhere")));
    none("metrics", wrong);
}

#[test]
fn the_table_is_the_catalog() {
    let page = read("services/telemetry/METRICS.md").expect("the page is there");
    let stale = page.text != catalog::page();
    assert!(!stale, "run: frontdesk metrics > services/telemetry/METRICS.md");
}
