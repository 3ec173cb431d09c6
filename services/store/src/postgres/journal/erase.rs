//! The one statement that erases.

use super::{epoch, epoch_value, seq, shard_of};
use crate::journal::{AppendOutcome, Erasure};
use crate::postgres::database::Database;
use crate::postgres::error::Failure;
use crate::shape::{self, phase_code};
use frontdesk_core::party::{Audience, Participant};

const ERASE: &str = "SELECT kind, detail FROM erase_conversation(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";

/// Carries it out, all or nothing.
pub(super) async fn erase(database: &Database, erasure: &Erasure) -> AppendOutcome {
    match run(database, erasure).await {
        Ok(outcome) => outcome,
        Err(Failure::Unknown(why)) => AppendOutcome::Unknown(why),
        Err(other) => AppendOutcome::Unavailable(other.to_string()),
    }
}

async fn run(database: &Database, erasure: &Erasure) -> Result<AppendOutcome, Failure> {
    let Erasure { append, payloads, snapshot } = erasure;
    shape::check(append).map_err(Failure::NotDone)?;
    let summary = append.summary.as_deref();
    let summary = summary.ok_or_else(|| Failure::NotDone("an erasure has a summary".into()))?;
    let json = serde_json::to_string(summary).map_err(|e| Failure::NotDone(e.to_string()))?;
    let records = &append.records;
    let payloads: Vec<&[u8]> = payloads.iter().map(|payload| &payload[..]).collect();
    let seqs: Vec<i64> = records.iter().map(|r| i64::from(r.seq.get())).collect();
    let prevs: Vec<i64> = records.iter().map(|r| i64::from(r.prev_public.get())).collect();
    let internal: Vec<bool> = records.iter().map(|r| r.audience == Audience::Internal).collect();
    let appended: Vec<&[u8]> = records.iter().map(|r| &r.payload[..]).collect();
    let agent = summary.holder().map(|agent| agent.as_uuid());
    let last_agent = summary.last_agent.as_ref().and_then(Participant::agent_id);
    let rows = database
        .query(
            ERASE,
            &[
                &shard_of(append.conversation),
                &epoch_value(append.epoch),
                &append.conversation.as_uuid(),
                &i64::from(append.expected_head.get()),
                &payloads,
                &seqs,
                &prevs,
                &internal,
                &appended,
                &i16::from(phase_code(&summary.phase)),
                &agent,
                &last_agent.map(|agent| agent.as_uuid()),
                &summary.waiting_since.as_millis().cast_signed(),
                &summary.last_at.as_millis().cast_signed(),
                &json,
                &i64::from(snapshot.seq.get()),
                &&snapshot.payload[..],
            ],
        )
        .await?;
    let Some(row) = rows.first() else { return Ok(AppendOutcome::Ok) };
    match (row.get::<_, i16>(0), row.get::<_, i64>(1)) {
        (1, owner) => Ok(AppendOutcome::Fenced { epoch: epoch(owner) }),
        (_, head) => Ok(AppendOutcome::SeqConflict { head: seq(head) }),
    }
}
