//! What cannot be run is refused with status 1 and a reason, before any load is
//! made.

use crate::{RUN, loadtest};

/// Runs it; gives what it printed.
fn refused(arguments: &[&str]) -> String {
    let mut process = loadtest(arguments);
    let status = process.wait_exit(RUN);
    assert_eq!(status.code(), Some(1), "{arguments:?}: {}", process.printed());
    process.printed()
}

/// A scenario of this text in a file.
fn file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("scenario.toml");
    std::fs::write(&path, text).expect("a file can be written");
    let path = path.to_str().expect("a plain path").to_owned();
    (folder, path)
}

const SOUND: &str = r#"
name = "sound"
[[phases]]
kind = "steady"
seconds = 1
idle_connections = 1
"#;

#[test]
fn unknown_flags_and_commands_are_refused() {
    let (_folder, path) = file(SOUND);
    assert!(refused(&["run", &path, "--faster"]).contains("--faster"));
    assert!(refused(&["fly"]).contains("fly"));
    refused(&[]);
}

#[test]
fn broken_scenarios_are_refused_with_their_line() {
    let broken = [
        ("name = ", ":1:"),
        ("name = \"x\"\nphases = []\n", ":2:"),
        (&SOUND.replace("seconds = 1", "seconds = 0"), ":5:"),
        (&SOUND.replace("idle_connections", "conections"), ":6:"),
    ];
    for (text, line) in broken {
        let (_folder, path) = file(text);
        for arguments in [&["check", &path][..], &["run", &path, "--accounts", "none"]] {
            let printed = refused(arguments);
            assert!(printed.contains(line), "{arguments:?}, {text}: {printed}");
        }
    }
    let absent = "/nonexistent/scenario.toml";
    assert!(refused(&["check", absent]).contains(absent));
}

#[test]
fn other_machines_are_left_alone_unless_said_otherwise() {
    let (folder, path) = file(SOUND);
    let accounts = folder.path().join("accounts.json");
    let text = r#"{"site":"demo","siteKey":"pk_demo","agents":[]}"#;
    std::fs::write(&accounts, text).expect("a file can be written");
    let accounts = accounts.to_str().expect("a plain path");
    // Of the block for documentation: nobody is there.
    let remote = "http://192.0.2.1:8080";
    let printed = refused(&["run", &path, "--target", remote, "--accounts", accounts]);
    assert!(printed.contains(remote) && printed.contains("--allow-remote"), "{printed}");
    // Nor is a certificate's name asked of who shows none.
    let here = ["run", &path, "--target", "http://127.0.0.1:1", "--tls-name", "chat.example"];
    let printed = refused(&[&here[..], &["--accounts", accounts]].concat());
    assert!(printed.contains("https://"), "{printed}");
    let nowhere = ["run", &path, "--target", "nowhere", "--accounts", accounts];
    assert!(refused(&nowhere).contains("nowhere"));
}

#[test]
fn a_sound_scenario_is_checked_without_a_server() {
    let (_folder, path) = file(SOUND);
    let mut process = loadtest(&["check", &path]);
    let status = process.wait_exit(RUN);
    assert!(status.success(), "{}", process.printed());
    assert!(process.printed().contains("connections"), "{}", process.printed());
}
