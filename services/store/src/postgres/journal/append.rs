//! The one statement that appends.

use super::lane::Waiting;
use super::{epoch, epoch_value, seq, shard_of};
use crate::journal::{Append, AppendOutcome, Record};
use crate::postgres::database::Database;
use crate::postgres::error::Failure;
use crate::shape::phase_code;
use frontdesk_core::conversation::Summary;
use frontdesk_core::ids::ConversationId;
use frontdesk_core::party::{Audience, Participant};
use uuid::Uuid;

const APPEND: &str = "SELECT unit, kind, detail FROM append_group(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)";
const HEAD: &str = "SELECT coalesce((SELECT seq FROM events
    WHERE shard = $1 AND conversation = $2 ORDER BY seq DESC LIMIT 1), 0)";

/// What the statement says of a unit that stood in the way.
const FENCED: i16 = 1;
const OTHER_HEAD: i16 = 2;
const DUPLICATE: i16 = 3;

/// Appends of one conversation, one behind the other.
pub(super) struct Unit<'a> {
    first: &'a Append,
    records: Vec<&'a Record>,
    summary: Option<(&'a Summary, &'a str)>,
}

impl<'a> Unit<'a> {
    pub(super) fn of(waiting: &'a Waiting) -> Self {
        Self::of_all(std::slice::from_ref(waiting))
    }

    /// `unit` is not empty.
    pub(super) fn of_all(unit: &'a [Waiting]) -> Self {
        let summary = |w: &'a Waiting| w.append.summary.as_deref().zip(w.summary.as_deref());
        Self {
            first: &unit[0].append,
            records: unit.iter().flat_map(|waiting| &waiting.append.records).collect(),
            summary: unit.iter().rev().find_map(summary),
        }
    }
}

/// A unit that stood in the way of its group.
pub(super) struct Refused {
    /// Its number in the group.
    pub(super) unit: usize,
    /// `None` when it has to be tried by itself.
    pub(super) outcome: Option<AppendOutcome>,
}

/// The statement on a connection of its own.
pub(super) struct Appender {
    database: Database,
    connection: usize,
}

impl Appender {
    pub(super) fn new(database: Database, connection: usize) -> Self {
        Self { database, connection }
    }

    /// Appends all units, or none and gives those that stood in the way. Without an
    /// answer the outcome is the same for all.
    pub(super) async fn append(&self, units: Vec<Unit<'_>>) -> Result<Vec<Refused>, AppendOutcome> {
        let is_one = units.len() == 1;
        let ids: Vec<ConversationId> = units.iter().map(|unit| unit.first.conversation).collect();
        match self.run(units).await {
            Ok(refused) => Ok(refused),
            // Somebody else appends at the same time; only reading tells how far.
            Err(Failure::Exists(_)) if is_one => {
                let head = self.head(ids[0]).await?;
                Ok(vec![Refused { unit: 0, outcome: Some(AppendOutcome::SeqConflict { head }) }])
            }
            Err(Failure::Exists(_)) => {
                // Each by itself: then it is known whose row it was.
                Ok((0..ids.len()).map(|unit| Refused { unit, outcome: None }).collect())
            }
            Err(Failure::Unknown(why)) => Err(AppendOutcome::Unknown(why)),
            Err(other) => Err(AppendOutcome::Unavailable(other.to_string())),
        }
    }

    /// Appends one unit.
    pub(super) async fn append_alone(&self, unit: Unit<'_>) -> AppendOutcome {
        match self.append(vec![unit]).await {
            Ok(refused) => {
                let refused = refused.into_iter().next();
                refused.and_then(|r| r.outcome).unwrap_or(AppendOutcome::Ok)
            }
            Err(outcome) => outcome,
        }
    }

    async fn head(
        &self,
        conversation: ConversationId,
    ) -> Result<frontdesk_core::ids::Seq, AppendOutcome> {
        let shard = shard_of(conversation);
        let head = self.database.row(HEAD, &[&shard, &conversation.as_uuid()]).await;
        match head {
            Ok(row) => Ok(seq(row.map_or(0, |row| row.get(0)))),
            Err(failure) => Err(AppendOutcome::Unavailable(failure.to_string())),
        }
    }

    async fn run(&self, units: Vec<Unit<'_>>) -> Result<Vec<Refused>, Failure> {
        let live = self.database.at(self.connection).await?;
        let columns = Columns::of(&units);
        let rows = live.query(APPEND, &columns.params()).await?;
        let refused = rows.iter().map(|row| {
            let (unit, kind, detail): (i32, i16, i64) = (row.get(0), row.get(1), row.get(2));
            let outcome = match kind {
                FENCED => AppendOutcome::Fenced { epoch: epoch(detail) },
                OTHER_HEAD => AppendOutcome::SeqConflict { head: seq(detail) },
                DUPLICATE => AppendOutcome::Duplicate(seq(detail)),
                kind => return Err(Failure::Damaged(format!("append_group says {kind}"))),
            };
            let unit = usize::try_from(unit - 1).unwrap_or(usize::MAX);
            Ok(Refused { unit, outcome: Some(outcome) })
        });
        refused.collect()
    }
}

/// The statement's parameters, one array each.
#[derive(Default)]
struct Columns<'a> {
    shard: Vec<i16>,
    epoch: Vec<i64>,
    conversation: Vec<Uuid>,
    head: Vec<i64>,
    unit: Vec<i32>,
    seq: Vec<i64>,
    prev: Vec<i64>,
    internal: Vec<bool>,
    sender: Vec<Option<Uuid>>,
    key: Vec<Option<&'a str>>,
    payload: Vec<&'a [u8]>,
    summaries: Summaries<'a>,
}

/// Those of the units that have one.
#[derive(Default)]
struct Summaries<'a> {
    unit: Vec<i32>,
    site: Vec<&'a str>,
    visitor: Vec<Uuid>,
    queue: Vec<&'a str>,
    phase: Vec<i16>,
    agent: Vec<Option<Uuid>>,
    last_agent: Vec<Option<Uuid>>,
    waiting_since: Vec<i64>,
    updated_at: Vec<i64>,
    json: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(units: &'a [Unit<'a>]) -> Self {
        let mut columns = Self::default();
        for (unit, n) in units.iter().zip(1..) {
            let first = unit.first;
            columns.shard.push(i16::try_from(first.shard.get()).unwrap_or(i16::MAX));
            columns.epoch.push(epoch_value(first.epoch));
            columns.conversation.push(first.conversation.as_uuid());
            columns.head.push(i64::from(first.expected_head.get()));
            for record in &unit.records {
                columns.add(n, record);
            }
            if let Some((summary, json)) = unit.summary {
                columns.summaries.add(n, summary, json);
            }
        }
        columns
    }

    fn add(&mut self, unit: i32, record: &'a Record) {
        self.unit.push(unit);
        self.seq.push(i64::from(record.seq.get()));
        self.prev.push(i64::from(record.prev_public.get()));
        self.internal.push(record.audience == Audience::Internal);
        self.sender.push(record.dedup.as_ref().map(|key| key.sender));
        self.key.push(record.dedup.as_ref().map(|key| &*key.client_msg_id));
        self.payload.push(&record.payload);
    }

    fn params(&self) -> [&(dyn tokio_postgres::types::ToSql + Sync); 21] {
        let s = &self.summaries;
        [
            &self.shard,
            &self.epoch,
            &self.conversation,
            &self.head,
            &self.unit,
            &self.seq,
            &self.prev,
            &self.internal,
            &self.sender,
            &self.key,
            &self.payload,
            &s.unit,
            &s.site,
            &s.visitor,
            &s.queue,
            &s.phase,
            &s.agent,
            &s.last_agent,
            &s.waiting_since,
            &s.updated_at,
            &s.json,
        ]
    }
}

impl<'a> Summaries<'a> {
    fn add(&mut self, unit: i32, summary: &'a Summary, json: &'a str) {
        let millis =
            |t: frontdesk_core::time::Timestamp| i64::try_from(t.as_millis()).unwrap_or(i64::MAX);
        let agent = |who: &Participant| who.agent_id().map(|id| id.as_uuid());
        self.unit.push(unit);
        self.site.push(summary.site.as_str());
        self.visitor.push(summary.visitor.id);
        self.queue.push(summary.queue.as_str());
        self.phase.push(i16::from(phase_code(&summary.phase)));
        self.agent.push(summary.phase.holder().and_then(agent));
        self.last_agent.push(summary.last_agent.as_ref().and_then(agent));
        self.waiting_since.push(millis(summary.waiting_since));
        self.updated_at.push(millis(summary.last_at));
        self.json.push(json);
    }
}
