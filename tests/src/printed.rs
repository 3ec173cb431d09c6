//! Commands as OPERATIONS.md prints them, for tests that follow it to the letter.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where distributions keep PostgreSQL's programs when they are not on the path.
const POSTGRES: &str = "/usr/lib/postgresql";

/// The line of a section's code that begins with these words. Panics when there is none.
pub fn command(section: &str, begins: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../OPERATIONS.md");
    let text = fs::read_to_string(path).expect("it can be read");
    let mut lines = text.lines().skip_while(|line| *line != format!("## {section}")).skip(1);
    let of_section = lines.by_ref().take_while(|line| !line.starts_with("## "));
    let mut in_code = false;
    for line in of_section {
        if line.starts_with("```") {
            in_code = line == "```sh";
        } else if in_code && line.starts_with(begins) {
            return line.to_owned();
        }
    }
    panic!("OPERATIONS.md prints no {begins:?} under {section:?}");
}

/// Runs a line as a shell does, in a folder, with PostgreSQL's programs on the path; gives
/// what it printed. Panics when it fails.
#[track_caller]
pub fn run(line: &str, folder: &Path, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(folder).env("PATH", path());
    let output = command.envs(variables.iter().copied()).output().expect("there is a shell");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn path() -> OsString {
    let entries = fs::read_dir(POSTGRES).into_iter().flatten().flatten();
    let kept = entries.map(|version| version.path().join("bin"));
    let own = env::var_os("PATH").unwrap_or_default();
    let all: Vec<PathBuf> = env::split_paths(&own).chain(kept).collect();
    env::join_paths(all).expect("paths from a path")
}
