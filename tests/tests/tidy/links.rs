//! Links between documents lead somewhere, and no text tells of one machine.

use crate::{files, none, paths, read, resolve};
use frontdesk_tests::corpus::repository;
use std::path::Path;

/// The targets of `[text](target)` and `![text](target)`, code left out.
fn targets(markdown: &str) -> Vec<String> {
    let mut in_code = false;
    let mut found = Vec::new();
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for (at, _) in line.match_indices("](") {
            let rest = &line[at + 2..];
            found.extend(rest.split_once(')').map(|(target, _)| target.to_owned()));
        }
    }
    found
}

fn is_relative(target: &str) -> bool {
    !target.starts_with('#') && !target.contains("://") && !target.starts_with("mailto:")
}

#[test]
fn relative_links_lead_somewhere() {
    let mut dead = Vec::new();
    for file in files(&[".md"]) {
        let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
        for target in targets(&file.text).iter().filter(|t| is_relative(t)) {
            let path = target.split(['#', ' ']).next().unwrap_or_default();
            let there = resolve(folder, path).is_some_and(|p| repository().join(p).exists());
            if !there {
                dead.push(format!("{}: {target}", file.path));
            }
        }
    }
    none("dead links", dead);
}

#[test]
fn links_are_found_outside_of_code() {
    let text = "a [b](c.md) ![d](e.png)\n```\n[f](g)\n```\n[h](https://x.example)";
    assert_eq!(targets(text), ["c.md", "e.png", "https://x.example"]);
    assert!(is_relative("c.md") && !is_relative("https://x.example") && !is_relative("#top"));
}

#[test]
fn no_text_tells_of_one_machine_or_registry() {
    // Put together here, so that this file does not complain of itself.
    let places = ["root/", "work/", "home/", "Users/", "mnt/"].map(|place| format!("/{place}"));
    let hosts = [
        ["static.", "crates.io"],
        ["index.", "crates.io"],
        ["pypi", ".org"],
        ["files.python", "hosted.org"],
        ["registry.npm", "js.org"],
        ["deb.", "debian.org"],
        ["proxy.", "golang.org"],
    ]
    .map(|parts| parts.concat());
    let mut complaints = Vec::new();
    for path in paths() {
        let Some(file) = read(&path) else { continue };
        for (number, line) in file.text.lines().enumerate() {
            let place = places.iter().any(|place| begins_word(line, place));
            let host = hosts.iter().any(|host| line.contains(host.as_str()));
            if place || host {
                complaints.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none("paths of a machine or hosts of a registry", complaints);
}

/// Whether the path begins there, rather than being the middle of another one.
fn begins_word(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-}/$".contains(c))
    })
}
