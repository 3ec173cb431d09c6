//! A full disk: nothing is acknowledged that is not kept, and everything goes on
//! by itself once there is room.
//!
//! The disk is a small tmpfs, which takes the right to mount one. Where that is
//! missing the test says so and passes.

use crate::pause;
use frontdesk_client::Carrier;
use frontdesk_proto::v1::client_frame::Request;
use frontdesk_proto::v1::{AgentStatus, Error, ErrorCode, SendMessage};
use frontdesk_tests::binary;
use frontdesk_tests::deadline::step;
use frontdesk_tests::server::{Plan, Server};
use frontdesk_tests::wire::{Wire, message, texts};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const DISK: &str = "size=48m";
/// Messages of 16 KiB after which a full disk must have been noticed: the
/// journal's log file is used again from its start at most 4 MiB at a time.
const MOST_SENDS: usize = 2_000;

/// A mounted disk; unmounted when dropped.
struct Disk {
    folder: TempDir,
}

impl Disk {
    fn mount() -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", DISK, "tmpfs"])
            .arg(folder.path())
            .output()
            .map_err(|e| e.to_string())?;
        if mount.status.success() {
            Ok(Self { folder })
        } else {
            Err(String::from_utf8_lossy(&mount.stderr).trim().to_owned())
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes all the room but so many bytes; gives the file to remove again.
    fn fill_but(&self, left: u64) -> PathBuf {
        let path = self.fill();
        let file = File::options().write(true).open(&path).expect("a file");
        let taken = file.metadata().expect("a file").len();
        file.set_len(taken - left).expect("it can be shorter");
        path
    }

    /// Takes all the room there is; gives the file to remove again.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("filler");
        let mut file = File::create(&path).expect("a file");
        let mut block = vec![0; 1024 * 1024];
        while !block.is_empty() {
            while file.write_all(&block).is_ok() {}
            block.truncate(block.len() / 2);
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

/// Whether this is the answer of a server without room.
fn is_unavailable(error: &Error) -> bool {
    assert_eq!(error.code(), ErrorCode::Unavailable, "{error:?}");
    assert!(error.retryable && error.retry_after.is_some(), "{error:?}");
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_and_recovers() {
    let disk = match Disk::mount() {
        Ok(disk) => disk,
        Err(why) => {
            println!("skipped: a small disk cannot be mounted here: {why}");
            return;
        }
    };
    let plan = Plan::default().data(&disk.path().join("data")).expects("journal: cannot commit");
    let plan = plan.set("gateway.requests_per_second", 100_000);
    let mut server = plan.set("gateway.request_burst", 100_000).start().await;
    let token = server.visitor_token().await.token;
    let (mut visitor, _) = Wire::open(&server, Carrier::WebSocketJson, &token).await;
    let id = visitor.start("first").await.conversation_id;
    let agent_token = server.sign_in(&server.agent(0)).await.token;
    let (mut agent, _) = Wire::open(&server, Carrier::Grpc, &agent_token).await;
    agent.status(AgentStatus::Online).await;
    agent.take(&id).await;

    let filler = disk.fill();
    let mut said = vec!["first".to_owned()];
    let unsaid = say_until_refused(&mut visitor, &id, &mut said).await;
    // Reading goes on meanwhile, and shows exactly what was acknowledged.
    assert_eq!(texts(&visitor.history(&id).await), said);
    let status = visitor.request(Request::Send(unsaid.clone())).await;
    assert!(status.is_err_and(|e| is_unavailable(&e)), "it stays refused");

    fs::remove_file(filler).expect("removed");
    step("the message is taken at last", say_until_taken(&mut visitor, &unsaid)).await;
    said.push(unsaid.text);
    agent.say(&id, "I can hear you again").await;
    visitor.hear("I can hear you again").await;
    said.push("I can hear you again".to_owned());
    agent.status(AgentStatus::Away).await;
    agent.status(AgentStatus::Online).await;
    let mut another = Wire::visitor(&server, Carrier::WebSocketProtobuf).await;
    let next = another.start("next please").await.conversation_id;
    agent.take(&next).await;

    assert_kept(&mut server, &token, &id, &said).await;
}

/// The backup is made on the disk that the data is on, which has room for a part of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_without_room_fails_and_leaves_nothing_behind() {
    let disk = match Disk::mount() {
        Ok(disk) => disk,
        Err(why) => {
            println!("skipped: a small disk cannot be mounted here: {why}");
            return;
        }
    };
    let data = disk.path().join("data");
    // What is said while the copy takes the last room is refused, and may be.
    let plan = Plan::default().data(&data).expects("journal: cannot commit");
    let plan = plan.set("gateway.requests_per_second", 100_000);
    let mut server = plan.set("gateway.request_burst", 100_000).start().await;
    let token = server.visitor_token().await.token;
    let (mut visitor, _) = Wire::open(&server, Carrier::WebSocketJson, &token).await;
    let id = visitor.start("first").await.conversation_id;
    let mut said = vec!["first".to_owned()];
    let padding = "x".repeat(16 * 1024);
    for n in 0..200 {
        let text = format!("{n} {padding}");
        visitor.say(&id, &text).await;
        said.push(text);
    }
    let before = names(disk.path());

    let filler = disk.fill_but(2 * 1024 * 1024);
    let mut backup = Command::new(binary::frontdesk());
    backup.args(["ctl", "backup"]).arg(disk.path().join("backup")).arg("--data").arg(&data);
    let failed = visitor
        .attend(async move { tokio::task::spawn_blocking(move || backup.output()).await })
        .await;
    let failed = failed.expect("it ends").expect("the program can be run");
    let why = String::from_utf8_lossy(&failed.stderr);
    assert_eq!((failed.status.code(), why.lines().count()), (Some(1), 1), "{why}");
    assert!(why.contains("full") || why.contains("No space left"), "{why}");
    fs::remove_file(filler).expect("removed");
    assert_eq!(names(disk.path()), before, "what was begun is removed");

    let wish = message(&id, "it goes on");
    step("it goes on", say_until_taken(&mut visitor, &wish)).await;
    said.push(wish.text);
    assert_kept(&mut server, &token, &id, &said).await;
}

/// What is in a folder.
fn names(folder: &Path) -> Vec<std::ffi::OsString> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
    names.sort();
    names
}

/// Talks until there is no room; gives the message that was refused.
async fn say_until_refused(visitor: &mut Wire, id: &str, said: &mut Vec<String>) -> SendMessage {
    let padding = "x".repeat(16 * 1024);
    for n in 0..MOST_SENDS {
        let wish = message(id, &format!("{n} {padding}"));
        match visitor.request(Request::Send(wish.clone())).await {
            Ok(_) => said.push(wish.text),
            Err(error) => {
                assert!(is_unavailable(&error));
                return wish;
            }
        }
    }
    panic!("a full disk went unnoticed");
}

/// Says the same again, as often as the server asks for it.
async fn say_until_taken(visitor: &mut Wire, wish: &SendMessage) {
    while let Err(error) = visitor.request(Request::Send(wish.clone())).await {
        assert!(is_unavailable(&error));
        pause(&error).await;
    }
}

async fn assert_kept(server: &mut Server, token: &str, id: &str, said: &[String]) {
    server.kill();
    server.start_again().await;
    let (mut visitor, _) = Wire::open(server, Carrier::Grpc, token).await;
    let kept = texts(&visitor.history(id).await);
    assert!(kept == said, "{} were acknowledged, {} are kept", said.len(), kept.len());
}
