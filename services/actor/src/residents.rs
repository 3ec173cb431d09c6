//! The actors of one shard that are in memory or on their way there.
//!
//! An actor is loaded once however much mail asks for it; the mail waits in a
//! bounded queue of its own, in order, and does not hold up the shard.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;
use tokio::time::Instant;

/// Too much mail waits for this actor; it comes back to be answered.
#[derive(Debug, PartialEq, Eq)]
pub struct WaitingFull<M>(pub M);

/// Whether an actor is there.
pub enum Residence<'a, A> {
    /// In memory.
    Here(&'a mut A),
    /// Being loaded: mail has to wait.
    Loading,
    /// Neither: somebody has to load it.
    Away,
}

enum Resident<A, M> {
    Loading(VecDeque<M>),
    Here { actor: A, used: Instant },
}

/// The actors of one shard, by key.
pub struct Residents<K, A, M> {
    residents: HashMap<K, Resident<A, M>>,
    /// Mail that may wait for one actor.
    max_waiting: usize,
}

impl<K: Copy + Eq + Hash + Ord, A, M> Residents<K, A, M> {
    /// None yet; `max_waiting` items may wait for each that is being loaded.
    pub fn new(max_waiting: usize) -> Self {
        Self { residents: HashMap::new(), max_waiting }
    }

    /// Whether an actor is there; being asked for makes it used `now`.
    pub fn find(&mut self, key: K, now: Instant) -> Residence<'_, A> {
        match self.residents.get_mut(&key) {
            Some(Resident::Here { actor, used }) => {
                *used = now;
                Residence::Here(actor)
            }
            Some(Resident::Loading(_)) => Residence::Loading,
            None => Residence::Away,
        }
    }

    /// Whether an actor is there; does not count as use.
    pub fn peek(&mut self, key: K) -> Residence<'_, A> {
        match self.residents.get_mut(&key) {
            Some(Resident::Here { actor, .. }) => Residence::Here(actor),
            Some(Resident::Loading(_)) => Residence::Loading,
            None => Residence::Away,
        }
    }

    /// The actor when it is in memory; does not count as use.
    pub fn get(&self, key: K) -> Option<&A> {
        match self.residents.get(&key) {
            Some(Resident::Here { actor, .. }) => Some(actor),
            _ => None,
        }
    }

    /// The actor when it is in memory; does not count as use.
    pub fn get_mut(&mut self, key: K) -> Option<&mut A> {
        match self.residents.get_mut(&key) {
            Some(Resident::Here { actor, .. }) => Some(actor),
            _ => None,
        }
    }

    /// An actor is being loaded from now on; `mail` waits for it. The caller
    /// loads it, exactly once, and says `loaded`.
    pub fn begin_load(&mut self, key: K, mail: VecDeque<M>) {
        debug_assert!(!self.residents.contains_key(&key), "one load at a time");
        self.residents.insert(key, Resident::Loading(mail));
    }

    /// Lets mail wait for an actor that is being loaded.
    pub fn wait(&mut self, key: K, mail: M) -> Result<(), WaitingFull<M>> {
        match self.residents.get_mut(&key) {
            Some(Resident::Loading(waiting)) if waiting.len() < self.max_waiting => {
                waiting.push_back(mail);
                Ok(())
            }
            _ => Err(WaitingFull(mail)),
        }
    }

    /// The load has ended, with an actor or without; gives the mail that waited.
    pub fn loaded(&mut self, key: K, actor: Option<A>) -> VecDeque<M> {
        let waited = match self.residents.remove(&key) {
            Some(Resident::Loading(waiting)) => waiting,
            Some(here @ Resident::Here { .. }) => {
                self.residents.insert(key, here);
                return VecDeque::new();
            }
            None => VecDeque::new(),
        };
        if let Some(actor) = actor {
            self.residents.insert(key, Resident::Here { actor, used: Instant::now() });
        }
        waited
    }

    /// Takes an actor out of memory.
    pub fn remove(&mut self, key: K) -> Option<A> {
        match self.residents.remove(&key) {
            Some(Resident::Here { actor, .. }) => Some(actor),
            Some(loading) => {
                self.residents.insert(key, loading);
                None
            }
            None => None,
        }
    }

    /// Ends everything: the actors in memory, and all mail that waits.
    pub fn drain(&mut self) -> (Vec<A>, Vec<M>) {
        let (mut actors, mut mail) = (Vec::new(), Vec::new());
        for (_, resident) in self.residents.drain() {
            match resident {
                Resident::Here { actor, .. } => actors.push(actor),
                Resident::Loading(waiting) => mail.extend(waiting),
            }
        }
        (actors, mail)
    }

    /// Who should leave: those that may and have not been used for `idle`, and of
    /// the others that may, the longest unused beyond `cap`. Looks at every actor.
    pub fn leaving(
        &self,
        now: Instant,
        idle: Duration,
        cap: usize,
        may: impl Fn(&A) -> bool,
    ) -> Vec<K> {
        let mut unused: Vec<(Instant, K)> = self
            .residents
            .iter()
            .filter_map(|(key, resident)| match resident {
                Resident::Here { actor, used } if may(actor) => Some((*used, *key)),
                _ => None,
            })
            .collect();
        let excess = self.residents.len().saturating_sub(cap);
        let old = unused.iter().filter(|(used, _)| now.duration_since(*used) >= idle).count();
        let count = old.max(excess).min(unused.len());
        if count == 0 {
            return Vec::new();
        }
        unused.sort_unstable();
        unused.truncate(count);
        unused.into_iter().map(|(_, key)| key).collect()
    }

    /// All actors in memory, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (K, &A)> {
        self.residents.iter().filter_map(|(key, resident)| match resident {
            Resident::Here { actor, .. } => Some((*key, actor)),
            Resident::Loading(_) => None,
        })
    }

    /// Actors in memory and being loaded.
    pub fn len(&self) -> usize {
        self.residents.len()
    }

    /// Whether none is in memory or being loaded.
    pub fn is_empty(&self) -> bool {
        self.residents.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(120);

    fn here(residents: &mut Residents<u8, &'static str, u8>, key: u8) {
        residents.begin_load(key, VecDeque::new());
        residents.loaded(key, Some("actor"));
    }

    #[tokio::test(start_paused = true)]
    async fn mail_waits_in_order_and_bounded_while_its_actor_is_loaded() {
        let mut residents = Residents::new(2);
        assert!(matches!(residents.find(1, Instant::now()), Residence::Away));
        residents.begin_load(1, VecDeque::from([10]));
        assert!(matches!(residents.find(1, Instant::now()), Residence::Loading));
        assert_eq!(residents.wait(1, 11), Ok(()));
        assert_eq!(residents.wait(1, 12), Err(WaitingFull(12)));
        assert_eq!(residents.loaded(1, Some("actor")), [10, 11]);
        assert!(matches!(residents.find(1, Instant::now()), Residence::Here(_)));
        assert_eq!(residents.loaded(1, None), []);
    }

    #[tokio::test(start_paused = true)]
    async fn the_idle_leave_and_those_in_use_stay() {
        let mut residents = Residents::new(2);
        here(&mut residents, 1);
        here(&mut residents, 2);
        tokio::time::advance(IDLE / 2).await;
        residents.find(2, Instant::now());
        tokio::time::advance(IDLE / 2).await;
        residents.peek(1);
        assert_eq!(residents.leaving(Instant::now(), IDLE, 10, |_| true), [1]);
        assert_eq!(residents.leaving(Instant::now(), IDLE, 10, |_| false), [] as [u8; 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_the_cap_the_longest_unused_leave_first() {
        let mut residents = Residents::new(2);
        for key in [3, 1, 2] {
            here(&mut residents, key);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(residents.leaving(Instant::now(), IDLE, 1, |_| true), [3, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn draining_gives_back_everything() {
        let mut residents = Residents::new(2);
        here(&mut residents, 1);
        residents.begin_load(2, VecDeque::from([20]));
        let (actors, mail) = residents.drain();
        assert_eq!((actors, mail), (vec!["actor"], vec![20]));
        assert!(residents.is_empty());
    }
}
