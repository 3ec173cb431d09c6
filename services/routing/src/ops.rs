//! What is under way: at most one saga per conversation, a few waiting behind it.

use crate::error::RoutingError;
use crate::gather::Gathered;
use crate::metrics;
use crate::reconcile::Picture;
use crate::saga::{OfferPlan, Report, Saga};
use crate::work::Held;
use frontdesk_core::ids::{AgentId, ConversationId, OfferId, QueueId, SiteId};
use frontdesk_core::party::Principal;
use frontdesk_proto::api::{ApiError, QueueKey};
use frontdesk_telemetry::tasks;
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use tokio::sync::oneshot;
use tokio::task::{Id, JoinSet};

/// Conversations with something under way. Each is a task of about 4 KiB.
const MAX_UNDER_WAY: usize = 1_024;
/// Of these, so many at most while an offer is begun: what ends chats and frees room must
/// not wait for what takes it.
const MAX_WITH_OFFERS: usize = 512;
/// Sagas that wait behind another of the same conversation.
const MAX_BEHIND: usize = 4;

pub(crate) type Reply = oneshot::Sender<Result<(), ApiError>>;

/// Something to do with one conversation.
pub(crate) enum Op {
    Offer(OfferPlan),
    Accept { who: Principal, offer: OfferId, reply: Reply },
    Decline { who: Principal, offer: OfferId, reason: String, reply: Reply },
    TakeOver { who: Principal, reply: Reply },
    Settle { site: SiteId, suspects: Vec<AgentId> },
}

/// Something is over.
pub(crate) enum Done {
    Op(ConversationId, Box<Report>),
    /// A defect ended the saga in the middle.
    Panicked(ConversationId),
    Gathered(SiteId, Result<Gathered, ApiError>),
    Active(Result<Vec<QueueKey>, ApiError>),
    Reconciled(Result<Picture, ApiError>),
}

#[derive(Default)]
struct Slot {
    /// The room that the running saga is about to take, and of which queue.
    offering: Option<(Held, QueueId)>,
    behind: VecDeque<Op>,
}

/// The tasks of routing. Dropping it ends them.
pub(crate) struct Ops {
    saga: Saga,
    slots: HashMap<ConversationId, Slot>,
    tasks: JoinSet<Done>,
    sagas: HashMap<Id, ConversationId>,
}

impl Ops {
    pub(crate) fn new(saga: Saga) -> Self {
        Self { saga, slots: HashMap::new(), tasks: JoinSet::new(), sagas: HashMap::new() }
    }

    pub(crate) fn is_busy(&self, conversation: ConversationId) -> bool {
        self.slots.contains_key(&conversation)
    }

    /// Offers that may be begun now.
    pub(crate) fn room_for_offers(&self) -> usize {
        MAX_WITH_OFFERS.saturating_sub(self.slots.len())
    }

    /// Room that running sagas are about to take.
    pub(crate) fn offering(&self) -> impl Iterator<Item = (ConversationId, Held, &QueueId)> {
        self.slots.iter().filter_map(|(c, slot)| {
            let (held, queue) = slot.offering.as_ref()?;
            Some((*c, *held, queue))
        })
    }

    /// Does it now, or after what is under way for the conversation.
    pub(crate) fn begin(
        &mut self,
        conversation: ConversationId,
        op: Op,
    ) -> Result<(), RoutingError> {
        if let Some(slot) = self.slots.get_mut(&conversation) {
            return slot.put_behind(op);
        }
        let most = if matches!(op, Op::Offer(_)) { MAX_WITH_OFFERS } else { MAX_UNDER_WAY };
        if self.slots.len() >= most {
            metrics::shed();
            op.refuse(RoutingError::Full);
            return Err(RoutingError::Full);
        }
        self.slots.insert(conversation, Slot::default());
        self.run(conversation, op);
        Ok(())
    }

    fn run(&mut self, conversation: ConversationId, op: Op) {
        if let (Some(slot), Op::Offer(plan)) = (self.slots.get_mut(&conversation), &op) {
            slot.offering = Some((plan.held, plan.queue.clone()));
        }
        let saga = self.saga.clone();
        let task = tasks::spawn_in(&mut self.tasks, "routing.saga", async move {
            let report = perform(saga, conversation, op).await;
            Done::Op(conversation, Box::new(report))
        });
        self.sagas.insert(task.id(), conversation);
        metrics::under_way(self.slots.len());
    }

    /// The saga of a conversation is over: runs what waits behind it. Whether
    /// the conversation is at rest now.
    pub(crate) fn finish(&mut self, conversation: ConversationId) -> bool {
        let Some(slot) = self.slots.get_mut(&conversation) else {
            return true;
        };
        slot.offering = None;
        match slot.behind.pop_front() {
            Some(op) => {
                self.run(conversation, op);
                false
            }
            None => {
                self.slots.remove(&conversation);
                metrics::under_way(self.slots.len());
                true
            }
        }
    }

    /// Runs something that concerns no single conversation.
    pub(crate) fn spawn(&mut self, task: impl Future<Output = Done> + Send + 'static) {
        tasks::spawn_in(&mut self.tasks, "routing.look", task);
    }

    /// The next that is over; `None` when nothing is under way. Safe to cancel.
    pub(crate) async fn next(&mut self) -> Option<Done> {
        loop {
            match self.tasks.join_next_with_id().await? {
                Ok((id, done)) => {
                    self.sagas.remove(&id);
                    return Some(done);
                }
                Err(e) => {
                    tracing::error!(error = %e, "a routing task ended in a panic");
                    if let Some(conversation) = self.sagas.remove(&e.id()) {
                        return Some(Done::Panicked(conversation));
                    }
                }
            }
        }
    }
}

impl Slot {
    fn put_behind(&mut self, op: Op) -> Result<(), RoutingError> {
        if let Op::Settle { suspects: new, .. } = &op {
            let settle = self.behind.iter_mut().find_map(|behind| match behind {
                Op::Settle { suspects, .. } => Some(suspects),
                _ => None,
            });
            if let Some(suspects) = settle {
                suspects.extend(new);
                return Ok(());
            }
        }
        if self.behind.len() >= MAX_BEHIND {
            metrics::shed();
            op.refuse(RoutingError::Busy);
            return Err(RoutingError::Busy);
        }
        self.behind.push_back(op);
        Ok(())
    }
}

impl Op {
    fn refuse(self, why: RoutingError) {
        if let Self::Accept { reply, .. }
        | Self::Decline { reply, .. }
        | Self::TakeOver { reply, .. } = self
        {
            // Who asked may have gone.
            let _ = reply.send(Err(why.into()));
        }
    }
}

async fn perform(saga: Saga, conversation: ConversationId, op: Op) -> Report {
    let (reply, (report, answer)) = match op {
        Op::Offer(plan) => return saga.make_offer(&plan).await,
        Op::Settle { site, suspects } => return saga.settle(conversation, site, suspects).await,
        Op::Accept { who, offer, reply } => (reply, saga.accept(&who, conversation, offer).await),
        Op::Decline { who, offer, reason, reply } => {
            (reply, saga.decline(&who, conversation, offer, &reason).await)
        }
        Op::TakeOver { who, reply } => (reply, saga.take_over(&who, conversation).await),
    };
    // Who asked may have gone; what was done stays done.
    let _ = reply.send(answer);
    report
}
