//! Backups made of a journal that is written to, and what is refused.

use super::{BackupError, check, make, restore};
use crate::attachments::{AttachmentStore as _, LocalAttachments};
use crate::journal::{Append, AppendOutcome, Journal as _, ReadQuery, Record};
use crate::sqlite::{DataFolder, SqliteDesk, SqliteJournal};
use bytes::Bytes;
use frontdesk_core::ids::{AttachmentId, ConversationId, Epoch, Seq};
use frontdesk_core::party::Audience;
use frontdesk_core::shard::ShardId;
use frontdesk_core::time::Timestamp;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use uuid::Uuid;

const CONVERSATION: ConversationId = ConversationId::from_uuid(Uuid::from_u128(7));
const EPOCH: Epoch = Epoch::new(40);

struct Running {
    journal: SqliteJournal,
    _desk: SqliteDesk,
    temp: TempDir,
}

impl Running {
    async fn start() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let folder = DataFolder::lock(temp.path().join("data")).unwrap();
        let journal = SqliteJournal::open(&folder).unwrap();
        journal.claim(&[(ShardId::of(CONVERSATION), EPOCH)]).await.unwrap();
        let attachments = LocalAttachments::open(folder.path().join("attachments")).unwrap();
        let file = AttachmentId::from_uuid(Uuid::from_u128(9));
        attachments.put(&"demo".parse().unwrap(), file, Bytes::from_static(b"file")).await.unwrap();
        Self { journal, _desk: SqliteDesk::open(&folder).unwrap(), temp }
    }

    async fn say(&self, seq: u32) {
        let outcome = say(&self.journal, EPOCH, seq).await;
        assert_eq!(outcome, AppendOutcome::Ok);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    fn back_up(&self, name: &str) -> Result<super::Manifest, BackupError> {
        make(&self.path("data"), &self.path(name), "1.2.3", Timestamp::from_millis(5))
    }
}

async fn say(journal: &SqliteJournal, epoch: Epoch, seq: u32) -> AppendOutcome {
    let record = Record {
        seq: Seq::new(seq),
        prev_public: Seq::new(seq - 1),
        audience: Audience::Public,
        dedup: None,
        payload: Bytes::from(format!("event {seq}")),
    };
    let append = Append {
        shard: ShardId::of(CONVERSATION),
        epoch,
        conversation: CONVERSATION,
        expected_head: Seq::new(seq - 1),
        records: vec![record],
        summary: None,
        trace: None,
    };
    journal.append(append).await
}

async fn all(journal: &SqliteJournal) -> Vec<Record> {
    let query = ReadQuery {
        conversation: CONVERSATION,
        audience: Audience::Internal,
        after: Seq::ZERO,
        limit: 1_000,
        max_bytes: usize::MAX,
        backwards: false,
    };
    journal.read(query).await.unwrap().records
}

#[tokio::test]
async fn what_was_said_before_is_restored_and_goes_on_under_new_owners() {
    let server = Running::start().await;
    for seq in 1..=5 {
        server.say(seq).await;
    }
    let made = server.back_up("backup").unwrap();
    assert_eq!((made.contents.events, made.frontdesk.as_str()), (5, "1.2.3"));
    server.say(6).await;
    let restored = server.path("new");
    assert_eq!(restore(&server.path("backup"), &restored).unwrap(), made);
    for file in ["journal.db", "desk.db"] {
        let mode = fs::metadata(restored.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let journal = SqliteJournal::open(&DataFolder::lock(&restored).unwrap()).unwrap();
    assert_eq!(all(&journal).await, all(&server.journal).await[..5]);
    assert_eq!(say(&journal, Epoch::new(1), 6).await, AppendOutcome::Ok);
    let files = LocalAttachments::open(restored.join("attachments")).unwrap();
    let file = AttachmentId::from_uuid(Uuid::from_u128(9));
    assert!(files.open(&"demo".parse().unwrap(), file).await.unwrap().is_some());
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn whatever_is_not_as_it_was_written_is_told() {
    let server = Running::start().await;
    server.say(1).await;
    server.back_up("backup").unwrap();
    let (good, bad) = (server.path("backup"), server.path("bad"));
    type Harm = fn(&Path);
    let harms: [(Harm, &str); 7] = [
        (|b| change(&b.join("journal.db"), |bytes| bytes.truncate(4096)), "4096 bytes instead of"),
        (|b| change(&b.join("desk.db"), |bytes| bytes[200] ^= 1), "its checksum is another"),
        (|b| fs::remove_file(b.join("desk.db")).unwrap(), "it is missing"),
        (|b| fs::write(b.join("more"), "x").unwrap(), "the manifest has it not"),
        (|b| change(&b.join("manifest.json"), |bytes| bytes.truncate(40)), "EOF"),
        (
            |b| {
                let text = fs::read_to_string(b.join("manifest.json")).unwrap();
                let text = text.replace("\"events\": 1", "\"events\": 2");
                fs::write(b.join("manifest.json"), text).unwrap();
            },
            "the databases hold something else",
        ),
        (
            |b| {
                let text = fs::read_to_string(b.join("manifest.json")).unwrap();
                fs::write(b.join("manifest.json"), text.replacen("1", "2", 1)).unwrap();
            },
            "has format 2, this program knows formats up to 1",
        ),
    ];
    for (harm, told) in harms {
        copy(&good, &bad);
        check(&bad).unwrap();
        harm(&bad);
        let refused = restore(&bad, &server.path("new")).unwrap_err();
        assert!(refused.to_string().contains(told), "{told}: {refused}");
        assert!(!refused.is_usage() && !server.path("new").exists(), "{told}");
        fs::remove_dir_all(&bad).unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}

#[tokio::test]
async fn nothing_that_is_there_is_written_over() {
    let server = Running::start().await;
    server.back_up("backup").unwrap();
    let twice = server.back_up("backup").unwrap_err();
    assert!(twice.is_usage() && twice.to_string().ends_with("exists already"), "{twice}");
    let into_data = restore(&server.path("backup"), &server.path("data")).unwrap_err();
    assert!(into_data.is_usage() && into_data.to_string().contains("is not empty"), "{into_data}");
    let of_nothing = make(&server.path("none"), &server.path("b"), "1", Timestamp::from_millis(0));
    assert!(of_nothing.unwrap_err().is_usage());
    assert!(restore(&server.path("data"), &server.path("new")).unwrap_err().is_usage());
    fs::create_dir(server.path("empty")).unwrap();
    restore(&server.path("backup"), &server.path("empty")).unwrap();
    let left: Vec<_> =
        fs::read_dir(server.temp.path()).unwrap().map(|e| e.unwrap().path()).collect();
    assert!(left.iter().all(|path| path.extension().is_none()), "{left:?}");
}

/// A device that is always full stands in for the disk.
#[test]
fn a_full_disk_is_told() {
    let mut full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let error = full.write_all(b"x").unwrap_err();
    let told = super::of_file(Path::new("/backups/today"))(error).to_string();
    assert!(told.starts_with("/backups/today: No space left"), "{told}");
}
