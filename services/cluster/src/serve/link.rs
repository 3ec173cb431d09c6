//! The owner's end of links: commands come in, are put into their mailboxes in
//! order, and are answered as they are done.

use crate::fabric::{Call, answer, decode_bytes, encode_bytes};
use bytes::Bytes;
use frontdesk_core::conversation::Outcome;
use frontdesk_core::ids::{ConversationId, Epoch};
use frontdesk_core::shard::ShardId;
use frontdesk_core::trace::TraceContext;
use frontdesk_proto::api::{ApiError, Attach, Envelope, HistoryQuery, Sessions};
use frontdesk_proto::convert::{error_to_failure, error_to_status, trace_from_proto};
use frontdesk_proto::internal::link_answer::Answer;
use frontdesk_proto::internal::link_ask::Ask;
use frontdesk_proto::internal::sessions_service_server::SessionsService;
use frontdesk_proto::internal::{
    HistoryEvent, HistoryReply, HistoryRequest, LinkAnswer, LinkAsk, LinkDown, LinkSent, LinkUp,
};
use frontdesk_telemetry::tasks;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

/// Messages of answers that may wait for the network.
const WAITING: usize = 64;
/// Answers in one message.
const BATCH: usize = 256;
/// Asks of one link without an answer yet; beyond it nothing is read, and the
/// stream's window holds the asker back.
const MAX_IN_FLIGHT: usize = 16_384;

pub(super) struct Links {
    sessions: Arc<dyn Sessions>,
}

impl Links {
    pub(super) fn new(sessions: Arc<dyn Sessions>) -> Self {
        Self { sessions }
    }
}

#[tonic::async_trait]
impl SessionsService for Links {
    type LinkStream = ReceiverStream<Result<LinkDown, Status>>;

    async fn link(
        &self,
        request: Request<Streaming<LinkUp>>,
    ) -> Result<Response<Self::LinkStream>, Status> {
        let (out, stream) = mpsc::channel(WAITING);
        // Ends with either direction of the stream.
        tasks::spawn("sessions.link", serve(self.sessions.clone(), request.into_inner(), out));
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn history(
        &self,
        request: Request<HistoryRequest>,
    ) -> Result<Response<HistoryReply>, Status> {
        let read = async {
            let query: HistoryQuery =
                decode_bytes(&request.get_ref().query).map_err(|e| error_to_status(&e))?;
            let page = self.sessions.history(query).await.map_err(|e| error_to_status(&e))?;
            let events = page.events.into_iter().map(|e| HistoryEvent {
                seq: e.seq.get(),
                prev: e.prev.get(),
                event: e.event,
            });
            Ok(HistoryReply { events: events.collect(), more: page.more })
        };
        answer(request.metadata(), Call::HISTORY, read).await
    }
}

type Answering = BoxFuture<'static, LinkAnswer>;

async fn serve(
    sessions: Arc<dyn Sessions>,
    mut asks: Streaming<LinkUp>,
    out: mpsc::Sender<Result<LinkDown, Status>>,
) {
    let mut answering: FuturesUnordered<Answering> = FuturesUnordered::new();
    let mut open = true;
    while open || !answering.is_empty() {
        let has_room = answering.len() < MAX_IN_FLIGHT;
        tokio::select! {
            biased;
            Some(first) = answering.next() => {
                let mut answers = vec![first];
                while answers.len() < BATCH
                    && let Some(Some(more)) = answering.next().now_or_never()
                {
                    answers.push(more);
                }
                if out.send(Ok(LinkDown { answers })).await.is_err() {
                    return;
                }
            }
            message = asks.message(), if open && has_room => match message {
                Ok(Some(up)) => take(&sessions, up, &answering),
                // What is under way is finished; nobody may hear of it.
                Ok(None) | Err(_) => open = false,
            },
            () = out.closed() => return,
        }
    }
}

fn take(sessions: &Arc<dyn Sessions>, up: LinkUp, answering: &FuturesUnordered<Answering>) {
    for LinkAsk { call, ask, epoch, trace } in up.asks {
        let trace = trace.as_ref().and_then(trace_from_proto);
        let epoch = Epoch::new(epoch);
        match ask {
            Some(Ask::Command(command)) => {
                answering.push(submit(sessions, (call, epoch, trace), &command));
            }
            Some(Ask::Attach(request)) => answering.push(attach(sessions, call, epoch, &request)),
            Some(Ask::Detach(detach)) => {
                let Some(conversation) = conversation(&detach.conversation_id) else { continue };
                let Ok(gateway) = detach.gateway.parse() else { continue };
                let sessions = sessions.clone();
                let done = async move {
                    sessions.detach(&gateway, conversation).await;
                    LinkAnswer { call, answer: Some(Answer::Done(true)) }
                };
                answering.push(done.boxed());
            }
            Some(Ask::VisitorLeft(left)) => {
                let Some(conversation) = conversation(&left.conversation_id) else { continue };
                let Ok(gateway) = left.gateway.parse() else { continue };
                let sessions = sessions.clone();
                let done = async move {
                    sessions.visitor_left(&gateway, conversation).await;
                    LinkAnswer { call, answer: Some(Answer::Done(true)) }
                };
                answering.push(done.boxed());
            }
            Some(Ask::Hint(hint)) => {
                if let Some(conversation) = conversation(&hint.conversation_id) {
                    sessions.hint(conversation, hint.internal, hint.frame);
                }
            }
            // Of a newer version.
            None => {
                let error = ApiError::Unimplemented("unknown kind of ask".into());
                answering.push(refused(call, &error));
            }
        }
    }
}

/// Whether the asker means another ownership than this one: what was done under it
/// would be undone unseen when it ends.
fn is_of_another_epoch(sessions: &dyn Sessions, id: ConversationId, epoch: Epoch) -> bool {
    let held = sessions.epoch_of(ShardId::of(id));
    epoch != Epoch::default() && held.is_some_and(|held| held != epoch)
}

fn submit(
    sessions: &Arc<dyn Sessions>,
    (call, epoch, trace): (u64, Epoch, Option<TraceContext>),
    command: &[u8],
) -> Answering {
    let envelope: Envelope = match decode_bytes(command) {
        Ok(envelope) => envelope,
        Err(error) => return refused(call, &error),
    };
    if is_of_another_epoch(&**sessions, envelope.conversation, epoch) {
        return refused(call, &ApiError::Moved);
    }
    // Into the mailbox now: the order of a link's commands is kept.
    let reply = match trace {
        Some(trace) => sessions.submit_traced(envelope, trace),
        None => sessions.submit(envelope),
    };
    reply.map(move |outcome| answer_of(call, outcome)).boxed()
}

fn answer_of(call: u64, outcome: Result<Outcome, ApiError>) -> LinkAnswer {
    let answer = match outcome {
        Ok(Outcome::Done) => Answer::Done(true),
        Ok(Outcome::Sent { seq, at, duplicate }) => {
            Answer::Sent(LinkSent { seq: seq.get(), at_ms: at.as_millis(), duplicate })
        }
        Err(error) => return failure(call, &error),
    };
    LinkAnswer { call, answer: Some(answer) }
}

fn attach(sessions: &Arc<dyn Sessions>, call: u64, epoch: Epoch, request: &[u8]) -> Answering {
    let request: Attach = match decode_bytes(request) {
        Ok(request) => request,
        Err(error) => return refused(call, &error),
    };
    if is_of_another_epoch(&**sessions, request.conversation, epoch) {
        return refused(call, &ApiError::Moved);
    }
    let sessions = sessions.clone();
    let attaching = async move {
        let attached = sessions.attach(request).await;
        match attached.and_then(|attached| encode_bytes(&attached)) {
            Ok(bytes) => LinkAnswer { call, answer: Some(Answer::Attached(Bytes::from(bytes))) },
            Err(error) => failure(call, &error),
        }
    };
    attaching.boxed()
}

fn refused(call: u64, error: &ApiError) -> Answering {
    std::future::ready(failure(call, error)).boxed()
}

fn failure(call: u64, error: &ApiError) -> LinkAnswer {
    LinkAnswer { call, answer: Some(Answer::Failure(error_to_failure(error))) }
}

fn conversation(bytes: &[u8]) -> Option<ConversationId> {
    Uuid::from_slice(bytes).ok().map(ConversationId::from_uuid)
}
