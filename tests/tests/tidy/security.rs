//! The threat model names a test for each line, and each of them exists.

use crate::{files, none, read};
use std::collections::BTreeSet;

/// The names in backticks of the last column of each table.
fn named(markdown: &str) -> BTreeSet<String> {
    let rows = markdown.lines().filter(|line| line.starts_with('|') && !line.starts_with("|---"));
    let last = rows.filter_map(|row| row.trim_end_matches('|').rsplit('|').next());
    last.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// Lines of tables that name none, apart from their heads.
fn unproven(markdown: &str) -> Vec<String> {
    let rows: Vec<&str> = markdown.lines().filter(|line| line.starts_with('|')).collect();
    let is_head = |n: usize| rows.get(n + 1).is_some_and(|next| next.starts_with("|---"));
    let bare = (0..rows.len()).filter(|n| !is_head(*n) && !rows[*n].starts_with("|---"));
    bare.filter(|n| named(rows[*n]).is_empty()).map(|n| rows[n].to_owned()).collect()
}

/// What the tests of the pages are called.
fn titles(script: &str) -> Vec<String> {
    let starts = ["it(", "it.each(", "test("];
    let heads = script
        .lines()
        .map(str::trim_start)
        .filter(|line| starts.iter().any(|start| line.starts_with(start)));
    let titles = heads.filter_map(|line| line.split_once("(\"")?.1.split_once('"'));
    titles.map(|(title, _)| title.to_owned()).collect()
}

#[test]
fn every_line_of_the_threat_model_has_a_test() {
    let model = read("SECURITY.md").expect("there is a threat model").text;
    let mut tests = BTreeSet::new();
    for file in files(&[".rs"]) {
        let functions = file.text.lines().filter_map(|line| line.split_once("fn "));
        tests.extend(functions.filter_map(|(_, rest)| {
            rest.split(['(', '<']).next().map(|name| name.trim().to_owned())
        }));
    }
    tests.extend(files(&[".test.ts", ".test.tsx"]).iter().flat_map(|file| titles(&file.text)));
    let missing = named(&model).into_iter().filter(|name| !tests.contains(name));
    none("tests that SECURITY.md names and nobody has", missing.collect());
    none("lines of SECURITY.md without a test", unproven(&model));
}

#[test]
fn names_are_read_from_the_last_column_only() {
    let text = "| a | b |\n|---|---|\n| `x` | `one`, `two` |\n| `y` | none |\n";
    assert_eq!(named(text), ["one".to_owned(), "two".to_owned()].into());
    assert_eq!(unproven(text), ["| `y` | none |"]);
}

#[test]
fn titles_are_those_of_tests_alone() {
    let text = "  it(\"one\", () => {\n  it.each(KEYS(X))(\"two: %s\", x);\n  say(\"three\");\n";
    assert_eq!(titles(text), ["one", "two: %s"]);
}
