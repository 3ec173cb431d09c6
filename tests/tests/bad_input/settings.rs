//! Settings that cannot be meant, and a data folder that is somebody else's.

use frontdesk_client::Carrier;
use frontdesk_tests::binary;
use frontdesk_tests::process::Process;
use frontdesk_tests::server::{Server, dev_command};
use frontdesk_tests::wire::Wire;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

/// Longest that a start which fails may take.
const REFUSAL: Duration = Duration::from_secs(30);

fn setting(name: &str, value: &str) -> Vec<(String, String)> {
    vec![(name.to_owned(), value.to_owned())]
}

/// Starts with these settings, which must fail; gives what was said.
fn refused(folder: &Path, settings: &[(String, String)], words: &[&str]) -> String {
    let mut command = dev_command(&folder.join("data"), "127.0.0.1:0", settings);
    let mut process = Process::start(command.args(words));
    let status = process.wait_exit(REFUSAL);
    assert!(!status.success(), "it started: {}", process.printed());
    process.printed()
}

#[test]
fn bad_settings_stop_the_start_with_one_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, value) in [
        ("gateway.png_interval_seconds", "20"),
        ("gatevay.ping_interval_seconds", "20"),
        ("gateway.ping_interval_seconds", "soon"),
        ("gateway.max_connections", "-1"),
        ("no_such_section", "1"),
    ] {
        let said = refused(folder.path(), &setting(name, value), &[]).to_lowercase();
        assert_eq!(said.lines().count(), 1, "{name}: {said}");
        let key = name.rsplit('.').next().unwrap_or(name);
        let section = name.split('.').next().unwrap_or(name);
        assert!(said.contains(key) || said.contains(section), "{name} is not named: {said}");
    }
    assert!(!folder.path().join("data").exists(), "nothing was made");
}

#[test]
fn bad_settings_files_stop_the_start_with_one_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (text, named) in [
        ("[gateway]\nping = 3\n", "ping"),
        ("gateway = 3\n", "gateway"),
        ("[gateway\n", "file.toml"),
    ] {
        let file = folder.path().join("file.toml");
        std::fs::write(&file, text).expect("written");
        let said = refused(folder.path(), &[], &["--config", &file.display().to_string()]);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains(named), "{named} is not named: {said}");
    }
    let said = refused(folder.path(), &[], &["--config", "/no/such/file.toml"]);
    assert!(said.lines().count() == 1 && said.contains("no such file"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_or_address_in_use_is_refused_and_left_alone() {
    let server = Server::start().await;
    let mut visitor = Wire::visitor(&server, Carrier::WebSocketJson).await;
    let id = visitor.start("before").await.conversation_id;

    let mut second = Process::start(&mut dev_command(server.data(), "127.0.0.1:0", &[]));
    assert!(!second.wait_exit(REFUSAL).success());
    let said = second.printed();
    assert!(said.lines().any(|l| l.contains("frontdesk:") && l.contains("in use")), "{said}");

    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let address = server.address().to_string();
    let mut third = Process::start(&mut dev_command(elsewhere.path(), &address, &[]));
    assert!(!third.wait_exit(REFUSAL).success());
    let said = third.printed();
    assert!(said.lines().any(|l| l.contains("frontdesk:") && l.contains(&address)), "{said}");

    visitor.say(&id, "after").await;
    visitor.hear("after").await;
}

#[test]
fn effective_settings_are_printed_without_secrets() {
    let run = |settings: &[(&str, &str)]| -> Output {
        let mut command = Command::new(binary::frontdesk());
        command.arg("config").envs(settings.iter().copied());
        command.output().expect("the binary runs")
    };
    let keys = "[{kid=\"a\",algorithm=\"hs256\",\
                secret=\"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlYw==\"}]";
    let output = run(&[
        ("FRONTDESK_GATEWAY__PING_INTERVAL_SECONDS", "17"),
        ("FRONTDESK_GATEWAY__KEYS", keys),
    ]);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(printed.contains("ping_interval_seconds = 17"), "{printed}");
    assert!(!printed.contains("c2VjcmV0"), "{printed}");
}
