//! The presence group is founded once, by all of its founders; one that has lost its
//! disk comes back as another voter, and `ctl raft fit` changes how many there are.

use crate::ONE_AT_A_TIME;
use frontdesk_tests::binary;
use frontdesk_tests::deadline::until;
use frontdesk_tests::process::Process;
use serde_json::Value;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use tempfile::TempDir;

/// Voters without anything else: they need neither a database nor a broker.
struct Voters {
    folder: TempDir,
    addresses: Vec<String>,
}

impl Voters {
    /// The settings of three founders, and addresses for more.
    fn new(most: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let bound: Vec<TcpListener> =
            (0..most).map(|_| TcpListener::bind("127.0.0.1:0").expect("a port is free")).collect();
        let addresses = bound.iter().map(|l| l.local_addr().expect("it is bound").to_string());
        let voters = Self { addresses: addresses.collect(), folder };
        let founders = voters.addresses.iter().take(3).enumerate().map(|(n, address)| {
            let n = n + 1;
            format!("[[cluster.voters]]\nid = {n}\nname = \"voter-{n}\"\naddress = \"{address}\"\n")
        });
        fs::write(voters.settings(), founders.collect::<String>()).expect("a file can be written");
        voters
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("cluster.toml")
    }

    fn disk(&self, n: usize) -> PathBuf {
        self.folder.path().join(format!("voter-{n}"))
    }

    /// Starts the one with this number, from 1.
    fn start(&self, n: usize) -> Process {
        let mut command = Command::new(binary::frontdesk());
        command.arg("presence").arg("--config").arg(self.settings());
        command.arg("--data").arg(self.disk(n));
        command.args(["--name", &format!("voter-{n}")]);
        command.args(["--internal-listen", &self.addresses[n - 1]]);
        Process::start(&mut command).others_may_fail()
    }

    fn ctl(&self, words: &[&str]) -> Output {
        let mut command = Command::new(binary::frontdesk());
        command.args(["ctl", "-o", "json", "--config"]).arg(self.settings()).args(words);
        command.output().expect("the program can be run")
    }

    /// What the leader says, once there is one.
    async fn status(&self) -> Value {
        until("the group has a leader", || async {
            let output = self.ctl(&["raft", "status"]);
            let status: Value = serde_json::from_slice(&output.stdout).ok()?;
            (!status["leader"].is_null() && status["leader"] == status["toldBy"]).then_some(status)
        })
        .await
    }

    /// Has those vote who have these numbers, and no others.
    fn fit(&self, numbers: &[usize]) -> Output {
        let addresses = numbers.iter().map(|n| self.addresses[n - 1].as_str());
        let words: Vec<&str> =
            ["--unrecorded", "raft", "fit", "--wait", "60"].into_iter().chain(addresses).collect();
        self.ctl(&words)
    }
}

fn ids(status: &Value) -> Vec<u64> {
    let voters = status["voters"].as_array().expect("a list");
    voters.iter().map(|v| v["id"].as_u64().expect("an id")).collect()
}

fn is_noted(disk: &Path, name: &str) -> bool {
    disk.join("presence").join(name).exists()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_group_is_founded_once_and_by_all() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let voters = Voters::new(3);
    let (_first, mut second) = (voters.start(1), voters.start(2));
    // A majority would do to elect a leader, but not to found.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!voters.ctl(&["raft", "status"]).status.success());
    assert!(!is_noted(&voters.disk(1), "founding") && !is_noted(&voters.disk(2), "founding"));
    let _third = voters.start(3);
    assert_eq!(ids(&voters.status().await), [1, 2, 3]);

    // One loses its disk: it neither founds another group nor votes as itself.
    second.kill();
    fs::remove_dir_all(voters.disk(2)).expect("a folder can be removed");
    let second = voters.start(2);
    until("it says what has to be done", || async {
        second.printed().contains("frontdesk ctl raft remove 2").then_some(())
    })
    .await;
    assert!(!is_noted(&voters.disk(2), "raft.sqlite"));
    // There is no desk that could write it down.
    let refused = voters.ctl(&["raft", "remove", "2"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--unrecorded"), "{refused:?}");
    until("it can be removed", || async {
        let removed = voters.ctl(&["--unrecorded", "raft", "remove", "2"]);
        removed.status.success().then_some(())
    })
    .await;

    // It joins as somebody else, at the same address.
    let fitted = voters.fit(&[1, 2, 3]);
    assert!(fitted.status.success(), "{}", String::from_utf8_lossy(&fitted.stderr));
    let after = ids(&voters.status().await);
    assert!(after.len() == 3 && after[..2] == [1, 3] && after[2] >= 1_000, "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn voters_are_made_more_and_fewer() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let voters = Voters::new(5);
    let running: Vec<Process> = (1..=5).map(|n| voters.start(n)).collect();
    assert_eq!(ids(&voters.status().await), [1, 2, 3], "the others wait");
    let fitted = voters.fit(&[1, 2, 3, 4, 5]);
    assert!(fitted.status.success(), "{}", String::from_utf8_lossy(&fitted.stderr));
    let status = voters.status().await;
    assert_eq!(ids(&status).len(), 5);
    assert!(status["voters"].as_array().is_some_and(|all| all.iter().all(|v| v["votes"] == true)));
    let fitted = voters.fit(&[1]);
    assert!(fitted.status.success(), "{}", String::from_utf8_lossy(&fitted.stderr));
    assert_eq!(ids(&voters.status().await), [1]);
    assert_eq!(voters.fit(&[1, 2]).status.code(), Some(1), "an even number");
    drop(running);
}
