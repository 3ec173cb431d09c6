//! How many records a second the SQLite journal commits, and at what cost.
//!
//! `append_rate [RECORDS] [IN_FLIGHT] [CONVERSATIONS] [FOLDER]`: one-record
//! appends of 128-byte payloads with a `client_msg_id` each, in turn over the
//! conversations, at most IN_FLIGHT unanswered. Prints records per second and
//! the CPU of the whole process per record.

use bytes::Bytes;
use frontdesk_core::ids::{ConversationId, Epoch, Seq};
use frontdesk_core::party::Audience;
use frontdesk_core::shard::ShardId;
use frontdesk_store::journal::{Append, AppendOutcome, DedupKey, Journal, Record};
use frontdesk_store::sqlite::{DataFolder, SqliteJournal};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::error::Error;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Bytes of each payload.
const PAYLOAD: [u8; 128] = [b'x'; 128];

struct Conversation {
    id: ConversationId,
    sender: Uuid,
    head: Seq,
}

impl Conversation {
    fn next_append(&mut self) -> Append {
        let seq = self.head.next();
        let record = Record {
            seq,
            prev_public: self.head,
            audience: Audience::Public,
            dedup: Some(DedupKey {
                sender: self.sender,
                client_msg_id: Uuid::now_v7().to_string().into(),
            }),
            payload: Bytes::from_static(&PAYLOAD),
        };
        Append {
            shard: ShardId::of(self.id),
            epoch: Epoch::new(1),
            conversation: self.id,
            expected_head: std::mem::replace(&mut self.head, seq),
            records: vec![record],
            summary: None,
            trace: None,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default| arguments.next().map_or(Ok(default), |text| text.parse::<usize>());
    let (records, in_flight, conversations) = (number(500_000)?, number(128)?, number(500)?);
    let folder = arguments.next().unwrap_or_else(|| "append_rate.tmp".into());
    let journal = SqliteJournal::open(&DataFolder::lock(&folder)?)?;
    journal.claim(&ShardId::all().map(|shard| (shard, Epoch::new(1))).collect::<Vec<_>>()).await?;

    let (cpu_before, began) = (process_cpu()?, Instant::now());
    append_all(&journal, records, in_flight, conversations).await?;
    let (wall, cpu) = (began.elapsed(), process_cpu()? - cpu_before);
    println!(
        "{records} records, {in_flight} in flight, {conversations} conversations: \
         {:.0} records/s, {:.2} µs CPU per record",
        records as f64 / wall.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / records as f64,
    );
    journal.close();
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

async fn append_all(
    journal: &SqliteJournal,
    records: usize,
    in_flight: usize,
    conversations: usize,
) -> Result<(), Box<dyn Error>> {
    let mut all: Vec<Conversation> = (0..conversations.max(1))
        .map(|_| Conversation {
            id: ConversationId::from_uuid(Uuid::now_v7()),
            sender: Uuid::now_v7(),
            head: Seq::ZERO,
        })
        .collect();
    let count = all.len();
    let mut unanswered = FuturesUnordered::new();
    for n in 0..records {
        if unanswered.len() >= in_flight.max(1) {
            expect_ok(unanswered.next().await)?;
        }
        unanswered.push(journal.append(all[n % count].next_append()));
    }
    while let Some(outcome) = unanswered.next().await {
        expect_ok(Some(outcome))?;
    }
    Ok(())
}

fn expect_ok(outcome: Option<AppendOutcome>) -> Result<(), Box<dyn Error>> {
    match outcome {
        Some(AppendOutcome::Ok) | None => Ok(()),
        Some(other) => Err(format!("append: {other:?}").into()),
    }
}

/// CPU time of all threads, from the scheduler's counters of each.
fn process_cpu() -> Result<Duration, Box<dyn Error>> {
    let mut nanos = 0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let counters = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        nanos += counters.split(' ').next().unwrap_or("0").parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}
