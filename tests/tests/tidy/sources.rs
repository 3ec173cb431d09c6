//! Rules for every source file.

use crate::{File, files, none};

const MOST_LINES: usize = 500;
/// From here on a file is worth splitting.
const MANY_LINES: usize = 400;

fn sources() -> Vec<File> {
    files(&[".rs"])
}

#[test]
fn files_are_short() {
    let mut long = Vec::new();
    for file in files(&[".rs", ".ts", ".tsx", ".sh"]) {
        let lines = file.text.lines().count();
        if lines > MOST_LINES {
            long.push(format!("{}: {lines} lines", file.path));
        } else if lines > MANY_LINES {
            println!("long: {}: {lines} lines", file.path);
        }
    }
    none("more than 500 lines", long);
}

#[test]
fn files_say_what_they_are_for() {
    let silent = |file: &File| !file.text.trim_start().starts_with("//!");
    let paths = sources().into_iter().filter(silent).map(|f| f.path).collect();
    none("no `//!` at the beginning", paths);
}

#[test]
fn nothing_unfinished_or_unbounded() {
    // Put together here, so that this file does not complain of itself.
    let forbidden = [
        ["todo", "!("],
        ["unimplemented", "!("],
        ["dbg", "!("],
        ["#[ig", "nore"],
        ["unbounded_", "channel"],
        ["channel::un", "bounded"],
        ["mpsc::un", "bounded"],
        ["TO", "DO"],
        ["FIX", "ME"],
        ["XX", "X:"],
    ]
    .map(|parts| parts.concat());
    let mut found = Vec::new();
    for file in sources() {
        for (number, line) in file.text.lines().enumerate() {
            for word in forbidden.iter().filter(|word| line.contains(word.as_str())) {
                found.push(format!("{}:{}: {word}", file.path, number + 1));
            }
        }
    }
    none("unfinished or unbounded", found);
}

#[test]
fn lints_are_silenced_only_with_a_reason() {
    let mut bare = Vec::new();
    for file in sources() {
        let lines: Vec<&str> = file.text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let silences = ["#[allow(", "#![allow(", "#[expect(", "#![expect("]
                .iter()
                .any(|start| line.trim_start().starts_with(start));
            let attribute = lines[number..].iter().take(6).take_while(|l| !l.is_empty());
            if silences && !attribute.into_iter().any(|l| l.contains("reason =")) {
                bare.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    none("lints silenced without a reason", bare);
}
