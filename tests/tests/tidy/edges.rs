//! Which crate may import which: the table of the design, word for word.

use crate::{none, run};
use frontdesk_tests::corpus::repository;
use serde::Deserialize;

/// Crates below the roles.
const BELOW_ROLES: [&str; 7] = ["actor", "bus", "cluster", "core", "proto", "store", "telemetry"];
/// No role imports another.
const ROLES: [&str; 6] = ["desk", "gateway", "presence", "queueing", "routing", "sessions"];

/// Dependencies that `core` may have: data only. Nothing that waits, tells the
/// time, is random, or reads and writes. `jiff` comes with the time zones in it, and
/// without what would read the machine's.
const PURE: [&str; 4] = ["jiff", "serde", "thiserror", "uuid"];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// Absent for normal ones, else `dev` or `build`.
    kind: Option<String>,
}

/// The crates of this repository that one of them may import.
fn allowed(package: &str) -> Vec<&'static str> {
    match package {
        "core" | "web" => vec![],
        "telemetry" => vec!["core"],
        "proto" => vec!["core"],
        "actor" | "store" | "bus" => vec!["core", "telemetry"],
        "cluster" => vec!["actor", "core", "proto", "telemetry"],
        // It serves the pages.
        "gateway" => [BELOW_ROLES.as_slice(), &["web"]].concat(),
        role if ROLES.contains(&role) => BELOW_ROLES.to_vec(),
        "node" => [BELOW_ROLES.as_slice(), &ROLES, &["web"]].concat(),
        "client" => vec!["core", "proto"],
        "results" => vec![],
        "view" => vec!["results"],
        "loadtest" => vec!["client", "core", "proto", "results", "view"],
        "rivals" => vec!["client", "core", "loadtest", "proto", "results"],
        "fuzz" => [BELOW_ROLES.as_slice(), &ROLES, &["client", "loadtest", "results"]].concat(),
        "tests" => {
            let load = ["client", "loadtest", "results"];
            [BELOW_ROLES.as_slice(), &ROLES, &load, &["fuzz", "web"]].concat()
        }
        unknown => panic!("{unknown} is not in the table of the design: add it there and here"),
    }
}

fn packages() -> Vec<Package> {
    let printed =
        run(env!("CARGO"), &["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let metadata: Metadata = serde_json::from_str(&printed).expect("cargo prints JSON");
    metadata.packages
}

fn short(name: &str) -> Option<&str> {
    name.strip_prefix("frontdesk-")
}

#[test]
fn crates_import_only_what_the_design_allows() {
    let mut complaints = Vec::new();
    for package in packages() {
        let name = short(&package.name).expect("crates are named frontdesk-…");
        let allowed = allowed(name);
        for dependency in package.dependencies.iter().filter_map(|d| short(&d.name)) {
            if !allowed.contains(&dependency) {
                complaints.push(format!("{name} imports {dependency}"));
            }
        }
    }
    none("forbidden imports", complaints);
}

#[test]
fn core_has_no_async_clock_or_io() {
    let packages = packages();
    let core = packages.iter().find(|p| p.name == "frontdesk-core").expect("there is a core");
    let normal = core.dependencies.iter().filter(|d| d.kind.as_deref() != Some("dev"));
    let impure = normal.map(|d| d.name.clone()).filter(|name| !PURE.contains(&name.as_str()));
    none("core may depend on data only", impure.collect());

    let impurities = [
        "async fn",
        ".await",
        "std::fs",
        "std::net",
        "std::io",
        "std::env",
        "std::thread",
        "SystemTime::now",
        "Instant::now",
        "Timestamp::now",
        "Zoned::now",
        "tz::db()",
        "now_v7",
        "new_v4",
        "println!",
    ];
    let mut complaints = Vec::new();
    for file in crate::files(&[".rs"]) {
        if !file.path.starts_with("services/core/src/") || file.path.contains("tests") {
            continue;
        }
        let found = impurities.iter().filter(|word| file.text.contains(**word));
        complaints.extend(found.map(|word| format!("{}: {word}", file.path)));
    }
    none("core must stay pure", complaints);
}

#[test]
fn every_crate_takes_its_versions_and_lints_from_the_workspace() {
    let mut complaints = Vec::new();
    for file in crate::files(&["Cargo.toml"]) {
        if file.path == "Cargo.toml" {
            continue;
        }
        for line in ["version.workspace = true", "[lints]\nworkspace = true"] {
            if !file.text.contains(line) {
                complaints.push(format!("{}: no `{}`", file.path, line.replace('\n', " ")));
            }
        }
    }
    none("crates follow the workspace", complaints);
    assert!(repository().join("Cargo.lock").is_file(), "the lock file is committed");
}
