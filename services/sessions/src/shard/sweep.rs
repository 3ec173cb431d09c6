//! Once a second while there is anything in memory: read cursors are stored and
//! idle conversations leave. Nothing here is part of a promise.

use super::Shard;
use super::load::snapshot_of;
use super::slot::{Ready, Slot};
use frontdesk_core::ids::{ConversationId, Seq};
use frontdesk_store::journal::ReadCursors;
use futures::FutureExt as _;
use std::time::Duration;
use tokio::time::Instant;
use tracing::warn;

/// How often a shard with anything in memory looks.
pub(super) const EVERY: Duration = Duration::from_secs(1);
/// Events since the last snapshot that make one worth storing on leaving.
const WORTH_A_SNAPSHOT: u32 = 50;

impl Shard {
    pub(super) fn sweep(&mut self) {
        self.sweep_at = None;
        self.save_cursors();
        let idle = self.parts.settings.idle();
        let now = Instant::now();
        let mut leaving: Vec<ConversationId> = self
            .slots
            .iter()
            .filter(|(_, slot)| is_idle_since(slot, now.checked_sub(idle)))
            .map(|(id, _)| *id)
            .collect();
        leaving.extend(self.over_the_cap(leaving.len()));
        for id in leaving {
            self.passivate(id);
        }
    }

    /// The longest idle beyond the cap.
    fn over_the_cap(&self, leaving: usize) -> Vec<ConversationId> {
        let cap = self.parts.settings.live_per_shard;
        let excess = (self.slots.len() - leaving).saturating_sub(cap);
        if excess == 0 {
            return Vec::new();
        }
        let mut idle: Vec<(Instant, ConversationId)> = self
            .slots
            .iter()
            .filter_map(|(id, slot)| match slot {
                Slot::Ready(ready) if ready.is_idle() => Some((ready.used, *id)),
                _ => None,
            })
            .collect();
        idle.sort();
        idle.into_iter().take(excess).map(|(_, id)| id).collect()
    }

    fn save_cursors(&mut self) {
        let cursors: Vec<(ConversationId, ReadCursors)> = self
            .dirty_cursors
            .drain()
            .filter_map(|id| match self.slots.get(&id) {
                Some(Slot::Ready(ready)) => {
                    let (visitor, agent) = ready.conversation.as_ref()?.reads();
                    Some((id, ReadCursors { visitor, agent }))
                }
                _ => None,
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

    pub(super) fn passivate_all(&mut self) {
        self.save_cursors();
        let all: Vec<ConversationId> = self.slots.keys().copied().collect();
        for id in all {
            self.passivate(id);
        }
    }

    fn passivate(&mut self, id: ConversationId) {
        if let Some(Slot::Ready(ready)) = self.slots.remove(&id) {
            self.parts.meters.passivations.increment(1);
            self.parts.meters.live.decrement(1.0);
            // Not idle only when the shard stops: then the state may be ahead.
            if ready.is_idle() && since_snapshot(&ready) >= WORTH_A_SNAPSHOT {
                self.save_snapshot(&ready);
            }
        }
    }

    /// After a commit: the state is durable only when nothing is in flight.
    pub(super) fn snapshot_if_due(&mut self, id: ConversationId) {
        let due = self.parts.settings.snapshot_events;
        let Some(Slot::Ready(ready)) = self.slots.get_mut(&id) else { return };
        if !ready.is_durable() || since_snapshot(ready) < due {
            return;
        }
        let Some(head) = ready.conversation.as_ref().map(|c| c.head()) else { return };
        ready.snapshot = head;
        if let Some(Slot::Ready(ready)) = self.slots.get(&id) {
            let write = snapshot_write(&self.parts, ready);
            self.chores.extend(write);
        }
    }

    fn save_snapshot(&mut self, ready: &Ready) {
        let write = snapshot_write(&self.parts, ready);
        self.chores.extend(write);
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
    let head = ready.conversation.as_ref().map_or(Seq::ZERO, |c| c.head());
    head.get().saturating_sub(ready.snapshot.get())
}

fn is_idle_since(slot: &Slot, limit: Option<Instant>) -> bool {
    matches!(slot, Slot::Ready(ready)
        if ready.is_idle() && limit.is_some_and(|limit| ready.used <= limit))
}
