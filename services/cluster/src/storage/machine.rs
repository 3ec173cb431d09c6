//! Applies the log to the state and makes snapshots of it. The state itself is
//! in memory; stable are the log and the last snapshot.

use super::SnapshotBytes;
use super::file::Change;
use super::writer::Writer;
use crate::changes::Published;
use crate::network::{decode, encode};
use crate::types::{LogId, Membership, Snapshot, SnapshotMeta, TypeConfig};
use frontdesk_core::presence::{PresenceState, Reply};
use futures::{Stream, StreamExt};
use openraft::storage::{EntryResponder, RaftSnapshotBuilder, RaftStateMachine};
use openraft::{EntryPayload, OptionalSend};
use std::io;
use std::sync::Arc;

/// The applied state and how far it has come.
pub(crate) struct StateMachine {
    published: Arc<Published>,
    applied: SnapshotMeta,
    writer: Writer,
}

impl StateMachine {
    /// Continues from the last snapshot, or from nothing.
    pub(super) fn restore(
        snapshot: Option<(SnapshotMeta, SnapshotBytes)>,
        writer: Writer,
    ) -> io::Result<(Self, Arc<Published>)> {
        let (applied, state) = match snapshot {
            Some((meta, bytes)) => (meta, decode(&bytes)?),
            None => (SnapshotMeta::default(), PresenceState::default()),
        };
        let published = Arc::new(Published::new(state));
        Ok((Self { published: published.clone(), applied, writer }, published))
    }
}

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotData = SnapshotBytes;
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(&mut self) -> io::Result<(Option<LogId>, Membership)> {
        Ok((self.applied.last_log_id, self.applied.last_membership.clone()))
    }

    async fn apply<S>(&mut self, mut entries: S) -> io::Result<()>
    where
        S: Stream<Item = io::Result<EntryResponder<TypeConfig>>> + Unpin + OptionalSend,
    {
        while let Some(next) = entries.next().await {
            let (entry, responder) = next?;
            self.applied.last_log_id = Some(entry.log_id);
            let reply = match entry.payload {
                EntryPayload::Blank => Reply::Done,
                EntryPayload::Normal(command) => self.published.apply(entry.log_id.index, command),
                EntryPayload::Membership(membership) => {
                    self.applied.last_membership = Membership::new(Some(entry.log_id), membership);
                    Reply::Done
                }
            };
            if let Some(responder) = responder {
                responder.send(reply);
            }
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotBuilder {
        SnapshotBuilder {
            // A copy: building goes on while the log is applied further.
            state: self.published.read(Clone::clone),
            meta: self.applied.clone(),
            writer: self.writer.clone(),
        }
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        snapshot: SnapshotBytes,
    ) -> io::Result<()> {
        let state = decode(&snapshot)?;
        self.writer.write(Change::Snapshot(meta.clone(), snapshot)).await?;
        self.published.replace(state);
        self.applied = meta.clone();
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<Snapshot>> {
        let stored = self.writer.snapshot().await?;
        Ok(stored.map(|(meta, snapshot)| Snapshot { meta, snapshot }))
    }
}

/// A moment of the state, to be serialised and stored.
pub(crate) struct SnapshotBuilder {
    state: PresenceState,
    meta: SnapshotMeta,
    writer: Writer,
}

impl RaftSnapshotBuilder<TypeConfig> for SnapshotBuilder {
    type SnapshotData = SnapshotBytes;

    async fn build_snapshot(&mut self) -> io::Result<Snapshot> {
        let state = std::mem::take(&mut self.state);
        let encoded = tokio::task::spawn_blocking(move || encode(&state));
        let snapshot: SnapshotBytes = encoded.await.map_err(io::Error::other)??.into();
        let meta = self.meta.clone();
        self.writer.write(Change::Snapshot(meta.clone(), snapshot.clone())).await?;
        Ok(Snapshot { meta, snapshot })
    }
}
