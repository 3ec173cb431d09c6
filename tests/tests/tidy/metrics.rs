//! What is measured is in the catalog, and what is in the catalog is measured.

use crate::{files, none, read};
use frontdesk_telemetry::catalog::{self, Kind};
use std::collections::{BTreeMap, BTreeSet};

const MACROS: [(&str, Kind); 3] =
    [("counter!(", Kind::Counter), ("gauge!(", Kind::Gauge), ("histogram!(", Kind::Histogram)];

/// One place that measures.
struct Measured {
    metric: String,
    kind: Kind,
    labels: Vec<String>,
    path: String,
}

/// All that the sources measure.
fn measured() -> Vec<Measured> {
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
                let (labels, path) = (labels(rest), file.path.clone());
                found.push(Measured { metric, kind, labels, path });
            }
        }
    }
    assert!(found.len() > 80, "the sources are understood: {}", found.len());
    found
}

/// Names of the labels that are given in a call, of whose arguments this is the beginning.
fn labels(arguments: &str) -> Vec<String> {
    let mut open = 1;
    let end = arguments.find(|c| {
        open += i32::from(c == '(') - i32::from(c == ')');
        open == 0
    });
    let arguments = &arguments[..end.unwrap_or(arguments.len())];
    let before = arguments.match_indices("=>").map(|(at, _)| arguments[..at].trim_end());
    let names = before.filter_map(|text| text.strip_suffix('"')?.rsplit('"').next());
    names.map(str::to_owned).collect()
}

#[test]
fn every_metric_of_the_sources_is_in_the_catalog_and_the_other_way_round() {
    let known: BTreeMap<_, _> = catalog::all().into_iter().map(|m| (m.name, m)).collect();
    let measured = measured();
    let mut wrong = Vec::new();
    for Measured { metric, kind, labels, path } in &measured {
        let of_catalog = known.get(metric.as_str());
        if of_catalog.map(|known| known.kind) != Some(*kind) {
            wrong.push(format!("{path}: {metric} as a {}", kind.as_str()));
        }
        let names = of_catalog.iter().flat_map(|known| known.labels).map(|label| label.name);
        let names: BTreeSet<&str> = names.collect();
        let unknown = labels.iter().filter(|label| !names.contains(label.as_str()));
        wrong.extend(unknown.map(|label| format!("{path}: {metric} by {label}")));
    }
    // The process's own are read from the system.
    let of_ours = known.keys().filter(|name| name.starts_with("frontdesk_"));
    let idle = of_ours.filter(|name| !measured.iter().any(|found| found.metric == **name));
    wrong.extend(idle.map(|name| format!("{name} is measured nowhere")));
    none("metrics", wrong);
}

#[test]
fn the_table_is_the_catalog() {
    let page = read("services/telemetry/METRICS.md").expect("the page is there");
    let stale = page.text != catalog::page();
    assert!(!stale, "run: frontdesk metrics > services/telemetry/METRICS.md");
}
