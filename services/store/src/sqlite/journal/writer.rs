//! The writer thread: takes what waits, commits it as one group, answers.
//!
//! It must outlive any error: a full disk fails the groups that meet it and
//! nothing else.

use super::checkpoint::Log;
use super::filing::{Filing, Portion};
use super::group::{Group, Memory};
use super::job::{AppendJob, GroupFailure, Job, Write};
use super::queue::{MAX_GROUP_RECORDS, MAX_WAITING_JOBS, WriteQueue};
use super::tail::SharedTail;
use crate::journal::{AppendOutcome, JournalError};
use crate::sqlite::error::surely_not_committed;
use crate::sqlite::file::cut;
use crate::traced::GroupSpans;
use metrics::{counter, gauge, histogram};
use rusqlite::Connection;
use std::sync::Arc;
use std::time::Instant;

/// Refuses further jobs when the writer ends, however it ends.
struct CloseOnExit(Arc<WriteQueue>);

impl Drop for CloseOnExit {
    fn drop(&mut self) {
        let refused = GroupFailure::NotCommitted("the journal's writer ended".into());
        self.0.abort().into_iter().for_each(|job| job.fail(&refused));
    }
}

/// The writer: the only one who changes the file and the tail.
#[derive(Debug)]
pub(super) struct Writer {
    connection: Connection,
    tail: SharedTail,
    filing: Filing,
    memory: Memory,
    log: Log,
}

impl Writer {
    /// Reads the newest records into `tail`. A `recent` table is full at
    /// `table_records`.
    pub(super) fn new(
        mut connection: Connection,
        tail: SharedTail,
        table_records: usize,
        log: Log,
    ) -> rusqlite::Result<Self> {
        let filing = Filing::restore(&mut connection, &mut tail.write(), table_records)?;
        Ok(Self { connection, tail, filing, memory: Memory::default(), log })
    }

    /// Runs until the queue is closed and empty.
    pub(super) fn run(mut self, queue: Arc<WriteQueue>) -> Connection {
        let exit = CloseOnExit(queue);
        let mut group = Vec::with_capacity(MAX_GROUP_RECORDS);
        let mut healthy = true;
        gauge!("frontdesk_journal_queue_limit").set(MAX_WAITING_JOBS as f64);
        while let Some(still_waiting) = exit.0.take(&mut group) {
            gauge!("frontdesk_journal_queue_depth").set(still_waiting as f64);
            let began = Instant::now();
            let spans = GroupSpans::begin(appends(&group).map(|job| &job.append));
            let result = self.commit(&mut group);
            spans.end(group.len(), result.as_ref().map(drop).map_err(GroupFailure::as_str));
            if let Ok(records) = result {
                histogram!("frontdesk_journal_commit_seconds").record(began.elapsed());
                histogram!("frontdesk_journal_batch_records").record(records as f64);
                counter!("frontdesk_journal_groups_total").increment(1);
                counter!("frontdesk_journal_records_total").increment(records as u64);
            } else {
                counter!("frontdesk_journal_group_failures_total").increment(1);
            }
            log_turns(&mut healthy, result.as_ref().err());
            // Nobody else of the group waits for what may take long.
            let later: Vec<Job> = match result {
                Ok(_) => group.extract_if(.., |job| job.is_for_later()).collect(),
                Err(_) => Vec::new(),
            };
            answer(&mut group, result.map(drop));
            later.into_iter().for_each(|job| self.do_later(job));
            self.log.committed(&self.connection);
        }
        self.connection
    }

    /// What a job wants once its group is committed; answers it.
    fn do_later(&mut self, mut job: Job) {
        if let Job::Write(job) = &mut job {
            job.result = match &job.write {
                Write::Rewrite => {
                    let done = self.connection.execute_batch("VACUUM");
                    self.log.rewritten();
                    done.map_err(|e| not_now("the file could not be written anew", &e))
                }
                Write::CutLog if self.log.is_being_copied() => {
                    Err(JournalError::Unavailable("the log is being copied".into()))
                }
                Write::CutLog => {
                    cut(&self.connection).map_err(|e| not_now("the log could not be emptied", &e))
                }
                Write::Claim(_) | Write::Snapshot(..) | Write::Cursors(_) => Ok(()),
            };
        }
        job.finish();
    }

    /// Commits the group and gives the number of its records. On success each job
    /// knows its own outcome, and the tail has the new records.
    fn commit(&mut self, group: &mut [Job]) -> Result<usize, GroupFailure> {
        let portion = self.apply(group).map_err(|e| {
            self.roll_back();
            GroupFailure::NotCommitted(e.to_string())
        })?;
        if let Err(e) = execute(&self.connection, "COMMIT") {
            self.roll_back();
            return Err(if surely_not_committed(&e) {
                GroupFailure::NotCommitted(e.to_string())
            } else {
                GroupFailure::Uncertain(e.to_string())
            });
        }
        Ok(self.publish(&portion))
    }

    fn apply(&mut self, jobs: &mut [Job]) -> rusqlite::Result<Portion> {
        execute(&self.connection, "BEGIN IMMEDIATE")?;
        let tail = self.tail.read();
        Group::new(&self.connection, &tail, &mut self.memory).apply_all(jobs)?;
        self.filing.append(&self.connection, self.memory.packed())?;
        if self.memory.erases() {
            // What would be filed is the tail's, which still has what is erased.
            return Ok(Portion::default());
        }
        self.filing.portion(&self.connection, &tail, self.memory.records())
    }

    /// What was committed is there for all from now on; gives its records.
    fn publish(&mut self, portion: &Portion) -> usize {
        let mut tail = self.tail.write();
        self.memory.publish(&mut tail);
        for &(conversation, up_to) in &portion.filed {
            tail.filed(conversation, up_to);
        }
        let (records, bytes) = (self.memory.records(), self.memory.packed().len());
        self.filing.committed(portion, records, bytes, &tail);
        self.memory.end_group();
        records
    }

    fn roll_back(&mut self) {
        roll_back(&self.connection);
        self.memory.roll_back();
    }
}

/// Some errors end the transaction by themselves. If this fails too, the next
/// BEGIN fails, and tries again by way of the next group.
fn roll_back(connection: &Connection) {
    if !connection.is_autocommit()
        && let Err(e) = execute(connection, "ROLLBACK")
    {
        tracing::error!(error = %e, "journal: a failed group could not be rolled back");
    }
}

fn not_now(what: &str, error: &rusqlite::Error) -> JournalError {
    JournalError::Unavailable(format!("{what}: {error}"))
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

fn answer(group: &mut Vec<Job>, result: Result<(), GroupFailure>) {
    count(group, &result);
    match result {
        Ok(()) => group.drain(..).for_each(Job::finish),
        Err(failure) => group.drain(..).for_each(|job| job.fail(&failure)),
    }
}

fn appends(group: &[Job]) -> impl Iterator<Item = &AppendJob> {
    group.iter().filter_map(|job| match job {
        Job::Append(append) => Some(append),
        Job::Write(_) => None,
    })
}

fn count(group: &[Job], result: &Result<(), GroupFailure>) {
    let appends = || appends(group);
    let add = |outcome: &'static str, n: usize| {
        if n > 0 {
            counter!("frontdesk_journal_appends_total", "outcome" => outcome).increment(n as u64);
        }
    };
    match result {
        Err(GroupFailure::NotCommitted(_)) => add("unavailable", appends().count()),
        Err(GroupFailure::Uncertain(_)) => add("unknown", appends().count()),
        Ok(()) => {
            let of = |kind: fn(&AppendOutcome) -> bool| {
                appends().filter(|job| kind(&job.outcome)).count()
            };
            add("ok", of(|o| matches!(o, AppendOutcome::Ok)));
            add("duplicate", of(|o| matches!(o, AppendOutcome::Duplicate(_))));
            add("seq_conflict", of(|o| matches!(o, AppendOutcome::SeqConflict { .. })));
            add("fenced", of(|o| matches!(o, AppendOutcome::Fenced { .. })));
        }
    }
}

/// Says once that the journal cannot write, and once that it can again.
fn log_turns(healthy: &mut bool, failure: Option<&GroupFailure>) {
    match failure {
        Some(failure) if *healthy => {
            tracing::error!(?failure, "journal: cannot commit; appends are refused until it can");
        }
        None if !*healthy => tracing::info!("journal: commits again"),
        _ => {}
    }
    *healthy = failure.is_none();
}

#[cfg(test)]
mod tests {
    use super::super::checkpoint::{self, LIMITS};
    use super::super::filing::TABLE_RECORDS;
    use super::super::schema::FORMAT;
    use super::*;
    use crate::journal::{Append, Record};
    use crate::sqlite::file::{open_checkpointer, open_writer};
    use bytes::Bytes;
    use frontdesk_core::ids::{ConversationId, Epoch, Seq};
    use frontdesk_core::party::Audience;
    use frontdesk_core::shard::ShardId;
    use uuid::Uuid;

    /// A group of one append after `head`, its record of about 64 KiB.
    fn large_append(conversation: ConversationId, head: u32) -> Vec<Job> {
        let record = Record {
            seq: Seq::new(head + 1),
            prev_public: Seq::new(head),
            audience: Audience::Public,
            dedup: None,
            payload: Bytes::from(vec![b'x'; 64 * 1024]),
        };
        let append = Append {
            shard: ShardId::of(conversation),
            epoch: Epoch::new(0),
            conversation,
            expected_head: Seq::new(head),
            records: vec![record],
            summary: None,
            trace: None,
        };
        vec![Job::append(append).unwrap().0]
    }

    #[test]
    fn a_full_disk_refuses_groups_until_there_is_space() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("journal.db");
        let mut connection = open_writer(&path, &FORMAT).unwrap();
        let own = open_checkpointer(&path).unwrap();
        let (_checkpointer, log) = checkpoint::start(own, &mut connection, LIMITS).unwrap();
        let tail = SharedTail::default();
        let mut writer = Writer::new(connection, tail.clone(), TABLE_RECORDS, log).unwrap();
        let conversation = ConversationId::from_uuid(Uuid::from_u128(1));
        writer.connection.pragma_update_and_check(None, "max_page_count", 200, |_| Ok(())).unwrap();

        let mut head = 0;
        while writer.commit(&mut large_append(conversation, head)).is_ok() {
            head += 1;
        }
        assert!((1..20).contains(&head), "{head}");
        for _ in 0..3 {
            let refused = writer.commit(&mut large_append(conversation, head));
            assert!(matches!(refused, Err(GroupFailure::NotCommitted(_))), "{refused:?}");
        }
        assert_eq!(tail.read().extent(conversation).unwrap().head, Seq::new(head));

        writer
            .connection
            .pragma_update_and_check(None, "max_page_count", 2_000, |_| Ok(()))
            .unwrap();
        assert_eq!(writer.commit(&mut large_append(conversation, head)).unwrap(), 1);
        assert_eq!(tail.read().extent(conversation).unwrap().head, Seq::new(head + 1));
    }
}
