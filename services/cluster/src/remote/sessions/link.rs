//! One stream to one owner: many asks in a message, answers as they come. When it
//! ends, whatever has no answer goes back to its lane.

use super::lane::Lanes;
use super::pending::Pending;
use frontdesk_core::shard::ShardId;
use frontdesk_proto::api::ApiError;
use frontdesk_proto::convert::error_from_status;
use frontdesk_proto::internal::sessions_service_client::SessionsServiceClient;
use frontdesk_proto::internal::{LinkAnswer, LinkAsk, LinkDown, LinkUp};
use std::collections::BTreeMap;
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

/// The sending end; closed when the link has ended.
pub(super) type LinkSender = mpsc::Sender<(ShardId, Pending)>;

/// Starts a link in a task of its own, which ends with the stream or with `stop`.
pub(super) fn start(
    channel: Channel,
    lanes: Arc<Lanes>,
    stop: CancellationToken,
) -> (LinkSender, impl Future<Output = ()> + Send + 'static) {
    let (sender, asks) = mpsc::channel(WAITING);
    let link = Link { lanes, asks, in_flight: BTreeMap::new(), next_call: 1 };
    (sender, link.run(channel, stop))
}

struct Link {
    lanes: Arc<Lanes>,
    asks: mpsc::Receiver<(ShardId, Pending)>,
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
        let mut batch = Vec::with_capacity(BATCH);
        let mut sweep = tokio::time::interval(SWEEP);
        loop {
            tokio::select! {
                biased;
                down = answers.message() => match down.map_err(|s| error_from_status(&s))? {
                    Some(down) => self.take(down),
                    None => return Ok(()),
                },
                // Reserved first: an ask that is taken out is sent.
                permit = out.reserve(), if !self.asks.is_empty() => {
                    let permit = permit.map_err(|_| ApiError::unavailable("the stream ended"))?;
                    if self.asks.recv_many(&mut batch, BATCH).await == 0 {
                        return Ok(());
                    }
                    permit.send(self.pack(&mut batch));
                }
                first = self.asks.recv(), if self.asks.is_empty() => {
                    let Some(first) = first else { return Ok(()) };
                    batch.push(first);
                    while batch.len() < BATCH
                        && let Ok(more) = self.asks.try_recv()
                    {
                        batch.push(more);
                    }
                    let up = self.pack(&mut batch);
                    out.send(up).await.map_err(|_| ApiError::unavailable("the stream ended"))?;
                }
                _ = sweep.tick() => self.in_flight.retain(|_, (_, pending)| pending.is_awaited()),
            }
        }
    }

    fn pack(&mut self, batch: &mut Vec<(ShardId, Pending)>) -> LinkUp {
        let mut asks = Vec::with_capacity(batch.len());
        for (shard, pending) in batch.drain(..) {
            let ask = Some(pending.ask());
            let mut call = 0;
            if pending.is_awaited() {
                call = self.next_call;
                self.next_call += 1;
                self.in_flight.insert(call, (shard, pending));
            }
            asks.push(LinkAsk { call, ask });
        }
        LinkUp { asks }
    }

    fn take(&mut self, down: LinkDown) {
        let mut moved: BTreeMap<ShardId, Vec<Pending>> = BTreeMap::new();
        for LinkAnswer { call, answer } in down.answers {
            let Some((shard, pending)) = self.in_flight.remove(&call) else { continue };
            if let Some(pending) = pending.settle(answer) {
                moved.entry(shard).or_default().push(pending);
            }
        }
        for (shard, pending) in moved {
            self.lanes.give_back(shard, pending, None);
        }
    }

    fn give_all_back(mut self) {
        self.asks.close();
        let mut back: BTreeMap<ShardId, Vec<Pending>> = BTreeMap::new();
        let sent = std::mem::take(&mut self.in_flight).into_values();
        let unsent = std::iter::from_fn(|| self.asks.try_recv().ok());
        for (shard, pending) in sent.chain(unsent) {
            back.entry(shard).or_default().push(pending);
        }
        for (shard, pending) in back {
            self.lanes.give_back(shard, pending, None);
        }
    }
}
