//! The repository keeps its own rules: layout, import edges, size and head of
//! files, words that must not be committed, links, documentation of the schema.

mod edges;
mod growth;
mod layout;
mod links;
mod metrics;
mod schema;
mod security;
mod sources;

use frontdesk_tests::corpus::repository;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of the repository.
struct File {
    /// Relative to the repository, with `/`.
    path: String,
    text: String,
}

/// The paths of what is, or is about to be, committed.
fn paths() -> Vec<String> {
    let listed = run("git", &["ls-files", "--cached", "--others", "--exclude-standard"]);
    let present = |path: &&str| repository().join(path).is_file();
    let mut paths: Vec<String> = listed.lines().filter(present).map(str::to_owned).collect();
    paths.sort();
    paths.dedup();
    assert!(!paths.is_empty(), "git lists no file");
    paths
}

/// The files with one of these endings; those that are not text are left out.
fn files(endings: &[&str]) -> Vec<File> {
    let wanted = |path: &String| endings.iter().any(|ending| path.ends_with(ending));
    paths().into_iter().filter(wanted).filter_map(|path| read(&path)).collect()
}

fn read(path: &str) -> Option<File> {
    let text = std::fs::read_to_string(repository().join(path)).ok()?;
    Some(File { path: path.to_owned(), text })
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(repository()).output();
    let output = output.unwrap_or_else(|e| panic!("cannot run {program}: {e}"));
    assert!(output.status.success(), "{program} failed: {:?}", output.stderr);
    String::from_utf8(output.stdout).expect("names are UTF-8")
}

/// Fails with all complaints at once.
#[track_caller]
fn none(rule: &str, complaints: Vec<String>) {
    assert!(complaints.is_empty(), "{rule}:\n  {}", complaints.join("\n  "));
}

/// `folder/../file` without the dots; `None` outside the repository.
fn resolve(folder: &Path, target: &str) -> Option<PathBuf> {
    let mut resolved = folder.to_owned();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if !resolved.pop() {
                    return None;
                }
            }
            part => resolved.push(part),
        }
    }
    Some(resolved)
}
