//! Which connections of this gateway follow which conversations, and which
//! belong to which agent. Deliveries are handed out here, under short locks and
//! without waiting for anybody.

mod agents;
mod follow;
#[cfg(test)]
mod tests;

pub(crate) use agents::Agents;
pub(crate) use follow::Next;

use crate::codec::{SharedEvent, SharedPush};
use crate::outbox::{Class, Outbox, Pushed, Signal};
use follow::{Deliver, Follow};
use frontdesk_core::ids::{AgentId, ConnectionId, ConversationId, Seq};
use frontdesk_core::party::{Audience, Principal, Role};
use frontdesk_core::trace::TraceContext;
use frontdesk_proto::api::EventPage;
use frontdesk_proto::convert::Rights;
use frontdesk_telemetry::traces::{self, Span};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// Locks of the conversation map: the dispatcher and the connections of a few
/// cores seldom meet in one of sixteen.
const SHARDS: usize = 16;

/// Capacity that the scratch buffer keeps.
const SCRATCH_BYTES: usize = 128 * 1024;

thread_local! {
    /// Where pieces of events are made.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Conversations that one connection may follow.
const MAX_FOLLOWED: usize = 1_000;

/// One connection as the registry sees it.
pub(crate) struct Reader {
    pub(crate) connection: ConnectionId,
    pub(crate) who: Principal,
    pub(crate) outbox: Arc<Outbox>,
    followed: Mutex<Vec<ConversationId>>,
}

impl Reader {
    pub(crate) fn new(connection: ConnectionId, who: Principal, outbox: Arc<Outbox>) -> Self {
        Self { connection, who, outbox, followed: Mutex::default() }
    }

    pub(crate) fn is_visitor(&self) -> bool {
        self.who.role == Role::Visitor
    }

    /// What it may see.
    pub(crate) fn audience(&self) -> Audience {
        match self.who.role {
            Role::Visitor => Audience::Public,
            Role::Agent | Role::Supervisor => Audience::Internal,
        }
    }

    fn followed(&self) -> MutexGuard<'_, Vec<ConversationId>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Subscriber {
    reader: Arc<Reader>,
    follow: Follow,
}

struct Topic {
    subscribers: Vec<Subscriber>,
    /// One permit: attaching and detaching take turns, so that a late detach
    /// never undoes a newer attach.
    turn: Arc<Semaphore>,
}

impl Topic {
    fn has_visitor(&self) -> bool {
        self.subscribers.iter().any(|s| s.reader.is_visitor())
    }
}

/// A durable event that came over the bus.
pub(crate) struct LiveEvent<'a> {
    pub(crate) conversation: ConversationId,
    pub(crate) seq: Seq,
    pub(crate) prev_public: Seq,
    pub(crate) internal: bool,
    pub(crate) bytes: &'a [u8],
    pub(crate) rights: Option<Rights>,
    /// Set when its trace is recorded.
    pub(crate) trace: Option<TraceContext>,
}

/// What was done with a delivery.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) pushed: u64,
    pub(crate) shed: u64,
    /// The delivery could not be read.
    pub(crate) unreadable: bool,
    /// The last follower has gone.
    pub(crate) emptied: bool,
}

/// Refused: the connection follows enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FollowsTooMany;

/// The map conversation → connections.
pub(crate) struct Registry {
    shards: [Mutex<HashMap<ConversationId, Topic>>; SHARDS],
    pub(crate) agents: Agents,
}

impl Registry {
    pub(crate) fn new() -> Self {
        Self { shards: Default::default(), agents: Agents::default() }
    }

    /// Makes the reader a follower of the conversation, to be served once
    /// `attached` is called, and gives the turn to take for attaching. Harmless
    /// when it is one already.
    pub(crate) fn join(
        &self,
        id: ConversationId,
        reader: &Arc<Reader>,
        cursor: Seq,
    ) -> Result<Arc<Semaphore>, FollowsTooMany> {
        let mut shard = self.shard(id);
        let joined =
            |t: &Topic| t.subscribers.iter().any(|s| s.reader.connection == reader.connection);
        if let Some(topic) = shard.get(&id).filter(|t| joined(t)) {
            return Ok(topic.turn.clone());
        }
        let mut followed = reader.followed();
        if followed.len() >= MAX_FOLLOWED {
            return Err(FollowsTooMany);
        }
        followed.push(id);
        let topic = shard.entry(id).or_insert_with(|| Topic {
            subscribers: Vec::with_capacity(2),
            turn: Arc::new(Semaphore::new(1)),
        });
        let follow = Follow::from(cursor);
        topic.subscribers.push(Subscriber { reader: reader.clone(), follow });
        Ok(topic.turn.clone())
    }

    /// The owner will publish everything after `head`: serve the reader from
    /// `cursor` on.
    pub(crate) fn attached(&self, id: ConversationId, reader: &Reader, cursor: Seq, head: Seq) {
        let restart = |s: &mut Subscriber| s.follow.restart(cursor, head);
        if self.with(id, reader.connection, restart).is_some() {
            reader.outbox.signal(Signal::Fill(id));
        }
    }

    /// Whether the connection follows the conversation.
    pub(crate) fn follows(&self, id: ConversationId, reader: &Reader) -> bool {
        self.with(id, reader.connection, |_| ()).is_some()
    }

    /// What a fill of this reader has to do next; `None` when it does not follow.
    pub(crate) fn next(&self, id: ConversationId, reader: &Reader) -> Option<Next> {
        let next = self.with(id, reader.connection, |s| s.follow.next())?;
        if next == Next::Ended {
            self.leave(id, reader);
        }
        Some(next)
    }

    /// Pushes a page of history; `None` when the reader follows no longer.
    pub(crate) fn page(
        &self,
        id: ConversationId,
        reader: &Reader,
        generation: u32,
        page: &EventPage,
    ) -> Option<Next> {
        let format = reader.outbox.format();
        let mut scratch = Vec::new();
        let next = self.with(id, reader.connection, |s| {
            if !s.follow.wants_page(generation) {
                return s.follow.next();
            }
            let mut advanced = false;
            for event in &page.events {
                if s.follow.take(event.seq) {
                    advanced = true;
                    let mut shared = SharedEvent::new(&event.event, &mut scratch);
                    // An unreadable event leaves a gap in `prev` that clients see.
                    if let Some(piece) = shared.piece(format, event.prev.get()) {
                        s.reader.outbox.push(piece, Class::Durable);
                    }
                }
            }
            s.follow.page_done(page.more, advanced)
        })?;
        if next == Next::Ended {
            self.leave(id, reader);
        }
        Some(next)
    }

    /// The connection no longer follows. True when it was the last one, or the last of its
    /// visitor: the owner is to be told.
    pub(crate) fn leave(&self, id: ConversationId, reader: &Reader) -> bool {
        reader.followed().retain(|f| *f != id);
        let mut shard = self.shard(id);
        let Some(topic) = shard.get_mut(&id) else {
            return false;
        };
        topic.subscribers.retain(|s| s.reader.connection != reader.connection);
        topic.subscribers.is_empty() || reader.is_visitor() && !topic.has_visitor()
    }

    /// The connection ends. Gives the conversations of which the owner is to be told.
    pub(crate) fn leave_all(&self, reader: &Reader) -> Vec<ConversationId> {
        let followed = std::mem::take(&mut *reader.followed());
        followed.into_iter().filter(|id| self.leave(*id, reader)).collect()
    }

    /// The turn of a conversation that nobody follows; `None` when somebody does.
    pub(crate) fn abandoned(&self, id: ConversationId) -> Option<Arc<Semaphore>> {
        let shard = self.shard(id);
        shard.get(&id).filter(|t| t.subscribers.is_empty()).map(|t| t.turn.clone())
    }

    /// The turn of a conversation that no visitor follows here.
    pub(crate) fn without_visitor(&self, id: ConversationId) -> Option<Arc<Semaphore>> {
        let shard = self.shard(id);
        shard.get(&id).filter(|t| !t.has_visitor()).map(|t| t.turn.clone())
    }

    /// Forgets a conversation that nobody follows.
    pub(crate) fn forget(&self, id: ConversationId) {
        let mut shard = self.shard(id);
        if shard.get(&id).is_some_and(|t| t.subscribers.is_empty()) {
            shard.remove(&id);
        }
    }

    /// Hands a durable event to all who may see it.
    pub(crate) fn event(&self, event: &LiveEvent<'_>) -> Delivered {
        let mut done = Delivered::default();
        let mut shard = self.shard(event.conversation);
        let Some(topic) = shard.get_mut(&event.conversation) else {
            return done;
        };
        SCRATCH.with_borrow_mut(|scratch| {
            let mut shared = SharedEvent::new(event.bytes, scratch);
            topic.subscribers.retain_mut(|s| {
                let end = ends_before(&s.reader.who, event);
                let has_ended =
                    |s: &mut Subscriber, at: Seq| end == Some(at) && s.follow.end_before(at);
                let stays = !has_ended(s, event.seq) && {
                    deliver(s, event, &mut shared, &mut done);
                    !has_ended(s, event.seq.next())
                };
                if !stays {
                    s.reader.followed().retain(|f| *f != event.conversation);
                }
                stays
            });
            scratch.shrink_to(SCRATCH_BYTES);
        });
        done.emptied = topic.subscribers.is_empty();
        done
    }

    /// Hands a hint to all who may see it, as far as they have room.
    pub(crate) fn hint(
        &self,
        id: ConversationId,
        internal: bool,
        except: &[u8],
        frame: &[u8],
    ) -> Delivered {
        let mut done = Delivered::default();
        let shard = self.shard(id);
        let Some(topic) = shard.get(&id) else {
            return done;
        };
        let mut shared = SharedPush::new(frame);
        for reader in topic.subscribers.iter().map(|s| &s.reader) {
            let hidden = internal && reader.audience() == Audience::Public;
            if hidden || reader.who.id.as_bytes() == except {
                continue;
            }
            match shared.piece(reader.outbox.format()) {
                Some(piece) => match reader.outbox.push(piece, Class::Hint) {
                    Pushed::Queued => done.pushed += 1,
                    Pushed::Shed => done.shed += 1,
                    Pushed::Closed => {}
                },
                None => done.unreadable = true,
            }
        }
        done
    }

    /// The bus has lost something: every reader is filled from where it is.
    pub(crate) fn doubt_all(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            for (id, topic) in shard.iter_mut() {
                for s in &mut topic.subscribers {
                    s.follow.doubt();
                    s.reader.outbox.signal(Signal::Fill(*id));
                }
            }
        }
    }

    /// Conversations that somebody follows.
    pub(crate) fn followed(&self, wanted: impl Fn(ConversationId) -> bool) -> Vec<ConversationId> {
        let mut followed = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let ids = shard.iter().filter(|(_, topic)| !topic.subscribers.is_empty());
            followed.extend(ids.map(|(id, _)| *id).filter(|id| wanted(*id)));
        }
        followed
    }

    /// Who follows a conversation, its visitor first.
    pub(crate) fn readers(&self, id: ConversationId) -> Vec<Arc<Reader>> {
        let shard = self.shard(id);
        let topic = shard.get(&id);
        let readers = |t: &Topic| t.subscribers.iter().map(|s| s.reader.clone()).collect();
        let mut readers: Vec<Arc<Reader>> = topic.map_or_else(Vec::new, readers);
        readers.sort_by_key(|reader| !reader.is_visitor());
        readers
    }

    /// Something may have been lost in one conversation.
    pub(crate) fn doubt(&self, id: ConversationId) {
        let mut shard = self.shard(id);
        for s in shard.get_mut(&id).into_iter().flat_map(|topic| &mut topic.subscribers) {
            s.follow.doubt();
            s.reader.outbox.signal(Signal::Fill(id));
        }
    }

    /// A conversation has come this far. Gives how many have missed something.
    pub(crate) fn head(&self, id: ConversationId, head: Seq, public_head: Seq) -> u64 {
        let mut shard = self.shard(id);
        let mut behind = 0;
        for s in shard.get_mut(&id).into_iter().flat_map(|topic| &mut topic.subscribers) {
            let head = match s.reader.audience() {
                Audience::Public => public_head,
                Audience::Internal => head,
            };
            if s.follow.deliver(head, head, false) == Deliver::FellBehind {
                s.reader.outbox.signal(Signal::Fill(id));
                behind += 1;
            }
        }
        behind
    }

    fn with<T>(
        &self,
        id: ConversationId,
        connection: ConnectionId,
        f: impl FnOnce(&mut Subscriber) -> T,
    ) -> Option<T> {
        let mut shard = self.shard(id);
        let topic = shard.get_mut(&id)?;
        topic.subscribers.iter_mut().find(|s| s.reader.connection == connection).map(f)
    }

    fn shard(&self, id: ConversationId) -> MutexGuard<'_, HashMap<ConversationId, Topic>> {
        // The last byte of a UUIDv7 is random.
        let i = usize::from(id.as_bytes()[15]) % SHARDS;
        self.shards[i].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first event that this agent may not read, when this one ends its right to the
/// conversation. Whoever is sent away sees that it was.
fn ends_before(who: &Principal, event: &LiveEvent<'_>) -> Option<Seq> {
    let is = |agent: &AgentId| who.role == Role::Agent && agent.as_uuid() == who.id;
    match &event.rights {
        Some(Rights::Assigned { agent, readers }) => {
            let reads_on = who.role != Role::Agent || is(agent) || readers.iter().any(is);
            (!reads_on).then_some(event.seq)
        }
        Some(Rights::Dismissed(agent)) => is(agent).then(|| event.seq.next()),
        None => None,
    }
}

const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Visitor => "visitor",
        Role::Agent => "agent",
        Role::Supervisor => "supervisor",
    }
}

/// From the bus to a reader's socket.
fn delivery_span(trace: TraceContext, reader: &Reader) -> Span {
    let mut span = Span::under("gateway.delivery", traces::Kind::Consumer, trace);
    span.set("reader", role_name(reader.who.role));
    span.set("connection", reader.connection.to_string());
    span
}

fn deliver(
    s: &mut Subscriber,
    event: &LiveEvent<'_>,
    shared: &mut SharedEvent<'_>,
    done: &mut Delivered,
) {
    let prev = match s.reader.audience() {
        Audience::Public if event.internal => return,
        Audience::Public => event.prev_public,
        Audience::Internal => Seq::new(event.seq.get().saturating_sub(1)),
    };
    let outbox = &s.reader.outbox;
    match s.follow.deliver(event.seq, prev, outbox.has_room()) {
        Deliver::Push => match shared.piece(outbox.format(), prev.get()) {
            Some(piece) => {
                if let Some(trace) = event.trace {
                    outbox.trace_next(delivery_span(trace, &s.reader));
                }
                outbox.push(piece, Class::Durable);
                done.pushed += 1;
            }
            None => done.unreadable = true,
        },
        Deliver::FellBehind => outbox.signal(Signal::Fill(event.conversation)),
        Deliver::Drop => {}
    }
}
