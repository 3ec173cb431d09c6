//! One stream to one owner: many asks in a message, answers as they come. When it
//! ends, or a shard has moved, whatever has no answer goes back to its lane, all of
//! it and in order: what is asked again must not be overtaken.

use super::lane::{Lanes, LinkId, Parcel};
use super::pending::Pending;
use frontdesk_core::shard::{SHARDS, ShardId};
use frontdesk_proto::api::ApiError;
use frontdesk_proto::convert::{error_from_status, trace_to_proto};
use frontdesk_proto::internal::sessions_service_client::SessionsServiceClient;
use frontdesk_proto::internal::{LinkAnswer, LinkAsk, LinkDown, LinkUp};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

/// Asks that may wait for one link.
const WAITING: usize = 8_192;
/// Asks in one message.
const BATCH: usize = 256;
/// Messages that may wait for the network.
const IN_FLIGHT: usize = 16;
/// The longest that opening the stream may take.
const OPEN_DEADLINE: Duration = Duration::from_secs(2);
/// How often what nobody waits for any more is dropped.
const SWEEP: Duration = Duration::from_secs(5);

/// Shards that may wait to be given back: each once.
const RECALLS: usize = SHARDS as usize;

/// The sending end; closed when the link has ended.
pub(super) type LinkSender = mpsc::Sender<Parcel>;

/// Both ends that a link is told by.
pub(super) struct Handles {
    pub(super) asks: LinkSender,
    /// Shards whose asks are to be given back.
    pub(super) recalls: mpsc::Sender<ShardId>,
}

/// Makes a link and the task that runs it, which ends with the stream or with
/// `stop`.
pub(super) fn start(
    id: LinkId,
    channel: Channel,
    lanes: Arc<Lanes>,
    stop: CancellationToken,
) -> (Handles, impl Future<Output = ()> + Send + 'static) {
    let (asks, waiting) = mpsc::channel(WAITING);
    let (recalls, recalled) = mpsc::channel(RECALLS);
    let link = Link {
        id,
        lanes,
        asks: waiting,
        recalled,
        unsent: VecDeque::new(),
        in_flight: BTreeMap::new(),
        next_call: 1,
    };
    (Handles { asks, recalls }, link.run(channel, stop))
}

struct Link {
    id: LinkId,
    lanes: Arc<Lanes>,
    asks: mpsc::Receiver<Parcel>,
    recalled: mpsc::Receiver<ShardId>,
    /// Taken from `asks` and not sent yet; before what is there.
    unsent: VecDeque<Parcel>,
    /// By call, which rises: the order in which they were sent.
    in_flight: BTreeMap<u64, (ShardId, Pending)>,
    next_call: u64,
}

impl Link {
    async fn run(mut self, channel: Channel, stop: CancellationToken) {
        let ended = tokio::select! {
            ended = self.stream(channel) => ended,
            () = stop.cancelled() => Ok(()),
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a link to an owner has ended");
        }
        self.give_all_back();
    }

    async fn stream(&mut self, channel: Channel) -> Result<(), ApiError> {
        let (out, messages) = mpsc::channel::<LinkUp>(IN_FLIGHT);
        let mut client = SessionsServiceClient::new(channel).max_decoding_message_size(usize::MAX);
        let opened = client.link(ReceiverStream::new(messages));
        let opened = tokio::time::timeout(OPEN_DEADLINE, opened).await;
        let opened = opened.map_err(|_| ApiError::unavailable("the owner does not answer"))?;
        let mut answers = opened.map_err(|s| error_from_status(&s))?.into_inner();
        let mut sweep = tokio::time::interval(SWEEP);
        loop {
            tokio::select! {
                biased;
                down = answers.message() => match down.map_err(|s| error_from_status(&s))? {
                    Some(down) => self.take(down),
                    None => return Ok(()),
                },
                Some(shard) = self.recalled.recv() => self.give_shard_back(shard),
                // Reserved first: an ask that is taken out is sent.
                permit = out.reserve(), if self.has_unsent() => {
                    let permit = permit.map_err(|_| ApiError::unavailable("the stream ended"))?;
                    permit.send(self.pack());
                }
                first = self.asks.recv(), if !self.has_unsent() => match first {
                    Some(first) => self.unsent.push_back(first),
                    None => return Ok(()),
                },
                _ = sweep.tick() => self.in_flight.retain(|_, (_, pending)| pending.is_awaited()),
            }
        }
    }

    fn has_unsent(&self) -> bool {
        !self.unsent.is_empty() || !self.asks.is_empty()
    }

    /// The next message, of what has not been sent.
    fn pack(&mut self) -> LinkUp {
        let mut asks = Vec::new();
        while asks.len() < BATCH
            && let Some(Parcel { shard, epoch, pending }) =
                self.unsent.pop_front().or_else(|| self.asks.try_recv().ok())
        {
            let ask = Some(pending.ask());
            let trace = pending.trace.as_deref().map(|trace| trace_to_proto(*trace));
            let mut call = 0;
            if pending.is_awaited() {
                call = self.next_call;
                self.next_call += 1;
                self.in_flight.insert(call, (shard, pending));
            }
            asks.push(LinkAsk { call, epoch: epoch.get(), ask, trace });
        }
        LinkUp { asks }
    }

    fn take(&mut self, down: LinkDown) {
        let mut moved = BTreeSet::new();
        for LinkAnswer { call, answer } in down.answers {
            let Some((shard, pending)) = self.in_flight.remove(&call) else { continue };
            if let Some(pending) = pending.settle(answer) {
                self.in_flight.insert(call, (shard, pending));
                moved.insert(shard);
            }
        }
        moved.into_iter().for_each(|shard| self.give_shard_back(shard));
    }

    /// Gives back all that this link was given for a shard: what it has sent, whatever
    /// becomes of it there, and what it has not.
    fn give_shard_back(&mut self, shard: ShardId) {
        let sent = self.in_flight.extract_if(.., |_, (of, _)| *of == shard);
        let mut back: Vec<Pending> = sent.map(|(_, (_, pending))| pending).collect();
        for parcel in self.take_unsent() {
            if parcel.shard == shard {
                back.push(parcel.pending);
            } else {
                self.unsent.push_back(parcel);
            }
        }
        self.lanes.give_back(shard, back, self.id);
    }

    /// What has been given to this link and not been sent, in order.
    fn take_unsent(&mut self) -> Vec<Parcel> {
        let kept = self.unsent.drain(..).collect::<Vec<_>>();
        kept.into_iter().chain(std::iter::from_fn(|| self.asks.try_recv().ok())).collect()
    }

    fn give_all_back(mut self) {
        self.asks.close();
        let mut back: BTreeMap<ShardId, Vec<Pending>> = BTreeMap::new();
        let unsent = self.take_unsent().into_iter().map(|parcel| (parcel.shard, parcel.pending));
        let sent = std::mem::take(&mut self.in_flight).into_values();
        for (shard, pending) in sent.chain(unsent) {
            back.entry(shard).or_default().push(pending);
        }
        for (shard, pending) in back {
            self.lanes.give_back(shard, pending, self.id);
        }
        self.lanes.ended(self.id);
    }
}
