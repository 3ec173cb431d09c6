//! Who took what and when, as the agents saw it, and what the conversations say of it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Told of at most.
const MAX_TOLD: usize = 20;

/// What a conversation's own events say at the end.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) conversation: String,
    pub(super) assigned: usize,
    pub(super) closed: usize,
    /// `seq` ran without gaps.
    pub(super) in_order: bool,
}

#[derive(Default)]
struct Inner {
    waiting: HashSet<String>,
    /// By the how manieth agent.
    taken: HashMap<String, HashSet<usize>>,
    /// One of each conversation.
    assigned_at: Vec<Instant>,
    most_at_once: HashMap<usize, usize>,
    closed: HashSet<String>,
    /// When slots of each agent fell free that nothing has come for yet.
    free_since: HashMap<usize, VecDeque<Instant>>,
    /// How long slots that fell free were, until the next chat was there.
    fills: Vec<Duration>,
    read: Vec<Account>,
    wrong: Vec<String>,
}

/// Shared by all people of a shift.
#[derive(Default)]
pub(super) struct Ledger(Mutex<Inner>);

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn waits(&self, conversations: &[String]) {
        self.lock().waiting.extend(conversations.iter().cloned());
    }

    /// An agent has it, and so many at once with it.
    pub(super) fn taken(&self, agent: usize, conversation: &str, at_once: usize) {
        let mut inner = self.lock();
        let by = inner.taken.entry(conversation.to_owned()).or_default();
        let is_first = by.is_empty();
        by.insert(agent);
        if is_first {
            inner.assigned_at.push(Instant::now());
        }
        if let Some(since) = inner.free_since.get_mut(&agent).and_then(VecDeque::pop_front) {
            inner.fills.push(since.elapsed());
        }
        let most = inner.most_at_once.entry(agent).or_default();
        *most = at_once.max(*most);
    }

    /// An agent has ended it, and has a slot free.
    pub(super) fn closed(&self, agent: usize, conversation: &str) {
        let mut inner = self.lock();
        inner.closed.insert(conversation.to_owned());
        inner.free_since.entry(agent).or_default().push_back(Instant::now());
    }

    /// Something was refused that must not be.
    pub(super) fn wrong(&self, what: String) {
        self.lock().wrong.push(what);
    }

    /// Conversations that are not served.
    pub(super) fn left(&self) -> usize {
        let inner = self.lock();
        inner.waiting.len() - inner.closed.intersection(&inner.waiting).count()
    }

    pub(super) fn read_back(&self, accounts: Vec<Account>) {
        self.lock().read.extend(accounts);
    }

    /// What was broken, some of it.
    pub(super) fn violations(&self, capacity: u32) -> Vec<String> {
        let inner = self.lock();
        let mut found = inner.wrong.clone();
        for (conversation, by) in inner.taken.iter().filter(|(_, by)| by.len() > 1) {
            found.push(format!("{conversation} was taken by {} agents", by.len()));
        }
        for (agent, most) in &inner.most_at_once {
            if u32::try_from(*most).is_ok_and(|most| most > capacity) {
                found.push(format!("agent {agent} had {most} chats at once"));
            }
        }
        let read: HashSet<&str> = inner.read.iter().map(|a| &*a.conversation).collect();
        let unread = inner.waiting.iter().filter(|c| !read.contains(c.as_str()));
        found.extend(unread.map(|c| format!("{c} could not be read back")));
        for account in &inner.read {
            if account.assigned != 1 || account.closed != 1 || !account.in_order {
                found.push(format!("{account:?}"));
            }
        }
        found.truncate(MAX_TOLD);
        found
    }

    /// How long a slot that fell free was, until the next chat was there: in the middle, and
    /// for 99 in 100.
    pub(super) fn fills(&self) -> (Duration, Duration) {
        let mut fills = self.lock().fills.clone();
        fills.sort_unstable();
        let at = |part: usize| fills.get(fills.len() * part / 100).copied().unwrap_or_default();
        (at(50), at(99))
    }

    /// The longest time without an assignment that began or ended after `since`.
    pub(super) fn longest_pause(&self, since: Instant) -> Duration {
        let mut at = self.lock().assigned_at.clone();
        at.sort();
        let pairs = at.windows(2).filter(|pair| pair[1] >= since);
        pairs.map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }

    pub(super) fn most_in_a_second(&self, since: Instant) -> usize {
        let mut seconds: HashMap<u64, usize> = HashMap::new();
        for at in &self.lock().assigned_at {
            *seconds.entry(at.duration_since(since).as_secs()).or_default() += 1;
        }
        seconds.into_values().max().unwrap_or_default()
    }
}
