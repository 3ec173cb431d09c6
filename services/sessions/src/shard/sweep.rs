//! Once a second while there is anything to look after: read cursors are stored,
//! idle conversations leave, appends without an answer are given up, and what a
//! failed load has left behind is tried again.

use super::load::snapshot_of;
use super::ready::{Flight, Ready};
use super::{DEADLINE, MAX_CHORES, Parts, Shard};
use crate::mail::Held;
use frontdesk_core::conversation::Phase;
use frontdesk_core::ids::ConversationId;
use frontdesk_proto::api::ApiError;
use frontdesk_store::journal::JournalError;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use std::time::Duration;
use tracing::warn;

/// How often a shard with anything in memory looks.
pub(super) const EVERY: Duration = Duration::from_secs(1);
/// Looking for the idle visits every conversation: done this often within the
/// time after which they are idle.
const LOOKS_PER_IDLE: u32 = 8;
/// Events since the last snapshot that make one worth storing on leaving.
const WORTH_A_SNAPSHOT: u32 = 50;

impl Shard {
    pub(super) fn wants_sweep(&self) -> bool {
        !self.residents.is_empty()
            || !self.unsaved_cursors.is_empty()
            || !self.unpublished.is_empty()
            || !self.beacons.is_empty()
            || self.depth_told > 0
    }

    pub(super) fn sweep(&mut self) {
        self.save_cursors();
        self.give_up_stuck();
        self.retry_unpublished();
        self.forget_gone_gateways();
        self.tell_heads();
        self.let_idle_leave();
        self.tell_depth(self.mailbox.len());
    }

    fn let_idle_leave(&mut self) {
        let (idle, cap) = (self.parts.settings.idle(), self.parts.settings.live_per_shard);
        let due = self.turn.duration_since(self.looked_for_idle) >= idle / LOOKS_PER_IDLE;
        if !due && self.residents.len() <= cap {
            return;
        }
        self.looked_for_idle = self.turn;
        for id in self.residents.leaving(self.turn, idle, cap, |ready| ready.is_durable()) {
            if let Some(ready) = self.residents.remove(id) {
                self.leave(*ready);
            }
        }
    }

    pub(super) fn save_cursors(&mut self) {
        if self.unsaved_cursors.is_empty() {
            return;
        }
        let cursors = self.unsaved_cursors.drain().collect();
        let journal = self.parts.journal.clone();
        let write = async move {
            let written = tokio::time::timeout(DEADLINE, journal.save_cursors(cursors)).await;
            if let Err(error) = written.unwrap_or_else(|_| Err(too_slow())) {
                warn!(%error, "read cursors were not stored");
            }
        };
        self.chores.push(write.boxed());
    }

    /// A conversation that has left memory; its state is stored when it is
    /// durable, and what still waits is refused.
    pub(super) fn leave(&mut self, ready: Ready) {
        if let Some(conversation) = &ready.conversation {
            let has_ended = matches!(conversation.phase(), Phase::Closed { .. });
            self.visitors.passivated(conversation.id(), has_ended);
        }
        self.parts.meters.passivations.increment(1);
        self.parts.meters.live.decrement(1.0);
        let worth = ready.is_durable() && ready.since_snapshot() >= WORTH_A_SNAPSHOT;
        if worth && self.chores.len() < MAX_CHORES {
            self.chores.extend(snapshot_write(&self.parts, &ready));
        }
        let Some(Flight { open, pending, waiting, .. }) = ready.flight.map(|flight| *flight) else {
            return;
        };
        let held = pending.into_iter().flat_map(|p| p.held).chain(open.held);
        for mail in held.map(Held::back_to_mail).chain(waiting) {
            self.turn_away(mail, ApiError::Moved);
        }
    }

    /// After a commit: stored only when nothing is in flight behind it.
    pub(super) fn snapshot_if_durable(&mut self, id: ConversationId) {
        let Some(ready) = self.residents.get_mut(id).filter(|ready| ready.is_durable()) else {
            return;
        };
        // Not needed, only useful: left out when too much else is on its way.
        if self.chores.len() < MAX_CHORES {
            ready.snapshot = ready.head();
            self.chores.extend(snapshot_write(&self.parts, ready));
        }
    }

    pub(super) fn tell_depth(&mut self, depth: usize) {
        self.parts.meters.mailbox.increment(depth as f64 - self.depth_told as f64);
        self.depth_told = depth;
    }
}

fn snapshot_write(parts: &Parts, ready: &Ready) -> Option<BoxFuture<'static, ()>> {
    let conversation = ready.conversation.as_ref()?;
    let (id, snapshot) = (conversation.id(), snapshot_of(conversation)?);
    let journal = parts.journal.clone();
    let write = async move {
        let written = tokio::time::timeout(DEADLINE, journal.save_snapshot(id, snapshot)).await;
        if let Err(error) = written.unwrap_or_else(|_| Err(too_slow())) {
            warn!(conversation = %id, %error, "a snapshot was not stored");
        }
    };
    Some(write.boxed())
}

fn too_slow() -> JournalError {
    JournalError::Unavailable("no answer within 5 s".into())
}
