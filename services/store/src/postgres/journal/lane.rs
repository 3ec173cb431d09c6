//! One lane: takes what waits, appends it as a group, answers, and goes on.

use super::append::{Appender, Unit};
use super::group::{Group, Split};
use crate::journal::{Append, AppendOutcome};
use crate::postgres::database::Database;
use frontdesk_core::shard::ShardId;
use metrics::{counter, histogram};
use std::collections::VecDeque;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// Appends of one group: a larger one gains little and each waits for all.
const MAX_APPENDS: usize = 512;
/// Payload bytes of one group.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// An append on its way, and whoever waits for it.
pub(super) struct Waiting {
    pub(super) append: Append,
    /// Its summary as JSON.
    pub(super) summary: Option<String>,
    reply: oneshot::Sender<AppendOutcome>,
}

impl Waiting {
    pub(super) fn new(
        append: Append,
        reply: oneshot::Sender<AppendOutcome>,
    ) -> Result<Self, String> {
        let summary = append.summary.as_deref().map(serde_json::to_string).transpose();
        Ok(Self { summary: summary.map_err(|e| e.to_string())?, append, reply })
    }

    pub(super) fn shard(&self) -> ShardId {
        self.append.shard
    }

    fn bytes(&self) -> usize {
        self.append.records.iter().map(|record| record.payload.len()).sum()
    }

    /// Whoever asked may have gone.
    fn answer(self, outcome: AppendOutcome) {
        drop(self.reply.send(outcome));
    }
}

pub(super) struct Lane {
    appender: Appender,
    /// Taken from the queue, not in a group yet.
    next: VecDeque<Waiting>,
}

impl Lane {
    pub(super) fn new(database: Database, number: usize) -> Self {
        Self { appender: Appender::new(database, number), next: VecDeque::new() }
    }

    /// Runs until every sender is gone and all is answered.
    pub(super) async fn run(mut self, mut waiting: mpsc::Receiver<Waiting>) {
        let mut taken = Vec::with_capacity(MAX_APPENDS);
        loop {
            if self.next.is_empty() && waiting.recv_many(&mut taken, MAX_APPENDS).await == 0 {
                return;
            }
            while taken.len() < MAX_APPENDS
                && let Ok(more) = waiting.try_recv()
            {
                taken.push(more);
            }
            self.next.extend(taken.drain(..));
            let group = self.take_group();
            self.commit(group).await;
        }
    }

    /// As much as fits into one statement, from the front.
    fn take_group(&mut self) -> Group {
        let mut group = Group::default();
        let mut bytes = 0;
        while let Some(first) = self.next.front() {
            bytes += first.bytes();
            let is_full = group.appends() >= MAX_APPENDS || bytes > MAX_BYTES;
            if (is_full && group.appends() > 0) || !group.fits(&first.append) {
                break;
            }
            if let Some(waiting) = self.next.pop_front() {
                group.add(waiting);
            }
        }
        group
    }

    /// Appends a group, without those that stand in its way, then each of these by
    /// itself: what it comes to rests on what is before it.
    async fn commit(&mut self, mut group: Group) {
        let started = Instant::now();
        let (spans, mut outcome) = (group.spans(), Ok(()));
        let appends = group.appends();
        let mut alone = Vec::new();
        while !group.is_empty() {
            match self.appender.append(group.units()).await {
                Ok(refused) if refused.is_empty() => {
                    counter!("frontdesk_journal_groups_total").increment(1);
                    counter!("frontdesk_journal_records_total").increment(group.records());
                    histogram!("frontdesk_journal_batch_records").record(group.records() as f64);
                    histogram!("frontdesk_journal_commit_seconds").record(started.elapsed());
                    group.answer_all(&AppendOutcome::Ok);
                    break;
                }
                Ok(refused) => {
                    let Split { rest, single, several } = group.split(refused);
                    for (waiting, outcome) in single {
                        waiting.answer(outcome);
                    }
                    alone.extend(several);
                    group = rest;
                }
                Err(failed) => {
                    counter!("frontdesk_journal_group_failures_total").increment(1);
                    outcome = Err(failed.as_str());
                    group.answer_all(&failed);
                    break;
                }
            }
        }
        spans.end(appends, outcome);
        for waiting in alone {
            let outcome = self.appender.append_alone(Unit::of(&waiting)).await;
            waiting.answer(outcome);
        }
    }
}

impl Group {
    fn answer_all(self, outcome: &AppendOutcome) {
        for waiting in self.into_appends() {
            waiting.answer(outcome.clone());
        }
    }
}
