//! Once a second while there is anything in memory: read cursors are stored and
//! idle conversations leave. Nothing here is part of a promise.

use super::Shard;
use super::load::snapshot_of;
use super::ready::Ready;
use crate::mail::Mail;
use frontdesk_core::conversation::Conversation;
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_store::journal::ReadCursors;
use futures::FutureExt as _;
use std::collections::VecDeque;
use std::time::Duration;
use tracing::warn;

/// How often a shard with anything in memory looks.
pub(super) const EVERY: Duration = Duration::from_secs(1);
/// Events since the last snapshot that make one worth storing on leaving.
const WORTH_A_SNAPSHOT: u32 = 50;

impl Shard {
    pub(super) fn sweep(&mut self) {
        self.sweep_at = None;
        self.save_cursors();
        let (idle, cap) = (self.parts.settings.idle(), self.parts.settings.live_per_shard);
        for id in self.residents.leaving(idle, cap, |ready| ready.is_idle()) {
            if let Some(ready) = self.residents.remove(id) {
                // Idle: nothing waits.
                self.leave(*ready);
            }
        }
    }

    pub(super) fn save_cursors(&mut self) {
        let cursors: Vec<(ConversationId, ReadCursors)> = self
            .dirty_cursors
            .drain()
            .filter_map(|id| {
                let (visitor, agent) = self.residents.get(id)?.conversation.as_ref()?.reads();
                Some((id, ReadCursors { visitor, agent }))
            })
            .collect();
        if cursors.is_empty() {
            return;
        }
        let journal = self.parts.journal.clone();
        let write = async move {
            if let Err(error) = journal.save_cursors(cursors).await {
                warn!(%error, "read cursors were not stored");
            }
        };
        self.chores.push(write.boxed());
    }

    /// A conversation that has left memory; gives the mail that never ran.
    pub(super) fn leave(&mut self, ready: Ready) -> VecDeque<Mail> {
        self.parts.meters.passivations.increment(1);
        self.parts.meters.live.decrement(1.0);
        // Not idle only when the shard stops: then the state may be ahead.
        if ready.is_idle() && since_snapshot(&ready) >= WORTH_A_SNAPSHOT {
            self.chores.extend(snapshot_write(&self.parts, &ready));
        }
        ready.waiting
    }

    /// After a commit: the state is durable only when nothing is in flight.
    pub(super) fn snapshot_if_due(&mut self, id: ConversationId) {
        let due = self.parts.settings.snapshot_events;
        let Some(ready) = self.residents.get_mut(id) else { return };
        if !ready.is_durable() || since_snapshot(ready) < due {
            return;
        }
        ready.snapshot = ready.conversation.as_ref().map_or(Seq::ZERO, Conversation::head);
        if let Some(ready) = self.residents.get(id) {
            self.chores.extend(snapshot_write(&self.parts, ready));
        }
    }
}

fn snapshot_write(
    parts: &super::Parts,
    ready: &Ready,
) -> Option<futures::future::BoxFuture<'static, ()>> {
    let conversation = ready.conversation.as_ref()?;
    let (id, snapshot) = (conversation.id(), snapshot_of(conversation)?);
    let journal = parts.journal.clone();
    let write = async move {
        if let Err(error) = journal.save_snapshot(id, snapshot).await {
            warn!(conversation = %id, %error, "a snapshot was not stored");
        }
    };
    Some(write.boxed())
}

fn since_snapshot(ready: &Ready) -> u32 {
    let head = ready.conversation.as_ref().map_or(Seq::ZERO, Conversation::head);
    head.get().saturating_sub(ready.snapshot.get())
}
