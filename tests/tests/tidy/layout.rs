//! What may lie where.

use crate::{none, paths};
use std::collections::BTreeSet;

/// Folders at the top.
const FOLDERS: [&str; 6] = [".ci", "charts", "loadtest", "proto", "services", "tests"];
/// Files at the top.
const FILES: [&str; 18] = [
    ".dockerignore",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "Dockerfile",
    "GUIDE.md",
    "LICENSE",
    "Makefile",
    "OPERATIONS.md",
    "README.md",
    "SECURITY.md",
    "clippy.toml",
    "compose.yaml",
    "deny.toml",
    "rust-toolchain.toml",
    "rustfmt.toml",
];

#[test]
fn nothing_else_lies_at_the_top() {
    let mut strangers = BTreeSet::new();
    for path in paths() {
        match path.split_once('/') {
            Some((folder, _)) if !FOLDERS.contains(&folder) => strangers.insert(folder.to_owned()),
            None if !FILES.contains(&path.as_str()) => strangers.insert(path),
            _ => false,
        };
    }
    none("unknown entries at the top", strangers.into_iter().collect());
}

#[test]
fn no_output_of_a_build_is_tracked() {
    let folders = ["target", "node_modules", "dist", "__pycache__", "data"];
    let endings = [".pyc", ".so", ".rlib", ".whl", ".log", ".sqlite", ".db", ".orig", ".rej"];
    let built = |path: &String| {
        let in_folder = path.split('/').rev().skip(1).any(|part| folders.contains(&part));
        in_folder || endings.iter().any(|ending| path.ends_with(ending))
    };
    none("tracked output", paths().into_iter().filter(built).collect());
}
