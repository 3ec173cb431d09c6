//! The mailboxes of a node's shards: posted to in order, bounded, closed
//! together.

use frontdesk_core::shard::{SHARDS, ShardId};
use std::sync::{PoisonError, RwLock};
use tokio::sync::mpsc::{self, error::TrySendError};

/// Mail that was not taken; it comes back to be answered.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused<M> {
    /// The mailbox is full: try again later.
    Full(M),
    /// The shard is not here, or its loop has ended.
    NotHere(M),
}

/// One bounded mailbox per shard that is here.
#[derive(Debug)]
pub struct Mailboxes<M> {
    /// By shard number. A lock each: many threads post at once.
    senders: Vec<RwLock<Option<mpsc::Sender<M>>>>,
}

impl<M> Default for Mailboxes<M> {
    fn default() -> Self {
        Self { senders: (0..SHARDS).map(|_| RwLock::default()).collect() }
    }
}

impl<M> Mailboxes<M> {
    /// Opens the mailbox of a shard for at most `bound` items; one that was open
    /// is closed.
    pub fn open(&self, shard: ShardId, bound: usize) -> mpsc::Receiver<M> {
        let (sender, receiver) = mpsc::channel(bound);
        replace(&self.senders[usize::from(shard.get())], Some(sender));
        receiver
    }

    /// Puts an item behind those posted before; never waits.
    pub fn post(&self, shard: ShardId, mail: M) -> Result<(), Refused<M>> {
        let sender = &self.senders[usize::from(shard.get())];
        let sender = sender.read().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = &*sender else {
            return Err(Refused::NotHere(mail));
        };
        sender.try_send(mail).map_err(|error| match error {
            TrySendError::Full(mail) => Refused::Full(mail),
            TrySendError::Closed(mail) => Refused::NotHere(mail),
        })
    }

    /// Of each mailbox that is open: its shard, what waits in it, and its bound.
    pub fn depths(&self) -> Vec<(ShardId, usize, usize)> {
        let depth = |shard: ShardId| {
            let sender = &self.senders[usize::from(shard.get())];
            let sender = sender.read().unwrap_or_else(PoisonError::into_inner);
            let sender = sender.as_ref()?;
            let bound = sender.max_capacity();
            Some((shard, bound - sender.capacity(), bound))
        };
        ShardId::all().filter_map(depth).collect()
    }

    /// Closes one: what was posted is still received, nothing more is taken.
    pub fn close_one(&self, shard: ShardId) {
        replace(&self.senders[usize::from(shard.get())], None);
    }

    /// Closes all: what was posted is still received, nothing more is taken.
    pub fn close(&self) {
        self.senders.iter().for_each(|sender| replace(sender, None));
    }
}

fn replace<T>(place: &RwLock<T>, by: T) {
    // Every write is one assignment: a poisoned state is a whole one.
    *place.write().unwrap_or_else(PoisonError::into_inner) = by;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(n: u16) -> ShardId {
        ShardId::new(n).unwrap()
    }

    #[tokio::test]
    async fn keeps_the_order_and_says_when_it_is_full() {
        let mailboxes = Mailboxes::default();
        let mut mail = mailboxes.open(shard(7), 2);
        assert_eq!(mailboxes.post(shard(7), 1), Ok(()));
        assert_eq!(mailboxes.post(shard(7), 2), Ok(()));
        assert_eq!(mailboxes.post(shard(7), 3), Err(Refused::Full(3)));
        assert_eq!(mailboxes.post(shard(8), 4), Err(Refused::NotHere(4)));
        assert_eq!(mailboxes.depths(), [(shard(7), 2, 2)]);
        assert_eq!((mail.recv().await, mail.recv().await), (Some(1), Some(2)));
    }

    #[tokio::test]
    async fn closing_lets_what_was_posted_arrive() {
        let mailboxes = Mailboxes::default();
        let mut mail = mailboxes.open(shard(0), 2);
        assert_eq!(mailboxes.post(shard(0), 1), Ok(()));
        mailboxes.close();
        assert_eq!(mailboxes.post(shard(0), 2), Err(Refused::NotHere(2)));
        assert_eq!((mail.recv().await, mail.recv().await), (Some(1), None));
    }
}
