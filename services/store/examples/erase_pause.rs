//! How long appends wait while a conversation is erased from a large SQLite journal and
//! its files are scrubbed.
//!
//! `erase_pause [MEGABYTES] [FOLDER]`: fills a journal with records of 400 bytes, then
//! appends one record after the other to a conversation while another one is erased.
//! Prints how long the erasure took, and how long the appends did meanwhile and before.

use bytes::Bytes;
use frontdesk_core::ids::{ConversationId, Epoch, Seq};
use frontdesk_core::party::Audience;
use frontdesk_core::shard::ShardId;
use frontdesk_store::journal::{Append, AppendOutcome, Erasure, Journal, Record, Snapshot};
use frontdesk_store::sqlite::{DataFolder, SqliteJournal};
use futures::future::join_all;
use std::error::Error;
use std::time::{Duration, Instant};
use uuid::Uuid;

const PAYLOAD: usize = 400;
/// Records of each conversation.
const RECORDS: u32 = 40;
/// Conversations that are filled at the same time.
const TOGETHER: usize = 64;
/// Appends before the erasure begins.
const BEFORE: usize = 500;

fn append(conversation: ConversationId, head: u32, records: u32) -> Append {
    let record = |seq: u32| Record {
        seq: Seq::new(seq),
        prev_public: Seq::new(seq - 1),
        audience: Audience::Public,
        dedup: None,
        payload: Bytes::from(vec![b'x'; PAYLOAD]),
    };
    Append {
        shard: ShardId::of(conversation),
        epoch: Epoch::new(1),
        conversation,
        expected_head: Seq::new(head),
        records: (head + 1..=head + records).map(record).collect(),
        summary: None,
        trace: None,
    }
}

fn ok(outcome: &AppendOutcome) -> Result<(), String> {
    match outcome {
        AppendOutcome::Ok => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

/// Gives one of the conversations.
async fn fill(journal: &SqliteJournal, bytes: usize) -> Result<ConversationId, String> {
    let conversations = bytes / (PAYLOAD * RECORDS as usize);
    let ids: Vec<ConversationId> =
        (0..conversations.max(1)).map(|_| ConversationId::from_uuid(Uuid::now_v7())).collect();
    for some in ids.chunks(TOGETHER) {
        for outcome in join_all(some.iter().map(|id| journal.append(append(*id, 0, RECORDS)))).await
        {
            ok(&outcome)?;
        }
    }
    Ok(ids[ids.len() / 2])
}

fn print(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    println!(
        "{what}: {} appends, p50 {:.1} ms, p99 {:.1} ms, longest {:.0} ms",
        took.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let megabytes: usize = arguments.next().map_or(Ok(200), |text| text.parse())?;
    let folder = arguments.next().unwrap_or_else(|| "erase_pause.tmp".into());
    let journal = SqliteJournal::open(&DataFolder::lock(&folder)?)?;
    journal.claim(&ShardId::all().map(|shard| (shard, Epoch::new(1))).collect::<Vec<_>>()).await?;
    let erased = fill(&journal, megabytes * 1_000_000).await?;
    let size = std::fs::metadata(std::path::Path::new(&folder).join("journal.db"))?.len();
    println!("a journal of {} MB", size / 1_000_000);

    let talking = ConversationId::from_uuid(Uuid::now_v7());
    let (mut before, mut meanwhile, mut head) = (Vec::new(), Vec::new(), 0);
    for _ in 0..BEFORE {
        let began = Instant::now();
        ok(&journal.append(append(talking, head, 1)).await)?;
        before.push(began.elapsed());
        head += 1;
    }
    let erasing = async {
        let began = Instant::now();
        let erasure = Erasure {
            append: append(erased, RECORDS, 1),
            payloads: vec![Bytes::from_static(b"blank"); RECORDS as usize],
            snapshot: Snapshot {
                seq: Seq::new(RECORDS + 1),
                payload: Bytes::from_static(b"blank"),
            },
        };
        ok(&journal.erase(erasure).await)?;
        let emptied = began.elapsed();
        journal.scrub().await.map_err(|error| error.to_string())?;
        Ok::<_, String>((emptied, began.elapsed()))
    };
    tokio::pin!(erasing);
    let (emptied, scrubbed) = loop {
        let began = Instant::now();
        let append = journal.append(append(talking, head, 1));
        let outcome = tokio::select! {
            done = &mut erasing => break done?,
            outcome = append => outcome,
        };
        ok(&outcome)?;
        meanwhile.push(began.elapsed());
        head += 1;
    };
    println!("emptied after {emptied:.1?}, in no file after {scrubbed:.1?}");
    print("before", before);
    print("meanwhile", meanwhile);
    journal.close();
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
