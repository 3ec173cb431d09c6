//! `AdminService`: supervisors look into the running system, each into its site.

use crate::accounts;
use crate::audit;
use crate::auth;
use crate::codec::WireFormat;
use crate::figures::figures;
use crate::following;
use crate::metrics::CarrierKind;
use crate::outbox::Outbox;
use crate::peer::Peer;
use crate::privacy;
use crate::recorded;
use crate::registry::{Next, Reader};
use crate::shared::{CALL_DEADLINE, Shared, within};
use crate::standing::Standing;
use crate::verbs::common::{event_push, limit};
use frontdesk_core::audit::Act;
use frontdesk_core::conversation::Summary;
use frontdesk_core::identity::Identity;
use frontdesk_core::ids::{ConnectionId, ConversationId, Seq};
use frontdesk_core::party::{Audience, Principal, Role};
use frontdesk_core::routes::{self, Visit};
use frontdesk_proto::api::{ApiError, EventPage, HistoryQuery, ListFilter};
use frontdesk_proto::convert::{
    agent_view_to_proto, applied_to_proto, explanation_to_proto, phase_of, queue_view_to_proto,
    summary_to_state, timestamp_from_proto,
};
use frontdesk_proto::status::to_status;
use frontdesk_proto::v1::admin_service_server::AdminService;
use frontdesk_proto::v1::{self, server_frame::Frame};
use frontdesk_telemetry::tasks;
use prost::Message as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use uuid::Uuid;

const DEFAULT_LIST: u32 = 100;
const MAX_LIST: u32 = 500;
/// A password of each account that is made is hashed, some 50 ms each.
const APPLY_DEADLINE: Duration = Duration::from_secs(300);
/// Events of `GetConversation` and of one page of a follower.
const PAGE_EVENTS: u32 = 200;
/// Events that wait for a caller who follows.
const FOLLOW_QUEUE: usize = 64;
/// Pages of an export that wait for their caller.
const EXPORT_QUEUE: usize = 4;
/// Pause before a page is asked for again that could not be had.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// The service.
pub(crate) struct Admin {
    shared: Arc<Shared>,
}

impl Admin {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    async fn supervisor<T>(&self, request: &Request<T>) -> Result<Principal, Status> {
        Ok(self.standing_supervisor(request).await?.0)
    }

    async fn standing_supervisor<T>(
        &self,
        request: &Request<T>,
    ) -> Result<(Principal, Standing), Status> {
        let value = request.metadata().get("authorization").and_then(|v| v.to_str().ok());
        let token = auth::bearer(value).map_err(|e| to_status(&e))?;
        let caller = auth::caller(&self.shared, token).await.map_err(|e| to_status(&e))?;
        match caller.0.role {
            Role::Supervisor => Ok(caller),
            _ => Err(Status::permission_denied("only a supervisor may do this")),
        }
    }

    /// Writes down that the caller looks into a conversation, and gives it as it is.
    async fn look(
        &self,
        who: &Principal,
        peer: Peer,
        act: Act,
        id: ConversationId,
    ) -> Result<Summary, ApiError> {
        let asked = self.shared.deps.sessions.summary(id, Some(who));
        let summary = within(CALL_DEADLINE, "sessions", asked).await?;
        audit::look_of(&self.shared, who, peer, act, &summary).await?;
        Ok(summary)
    }

    async fn page(
        &self,
        who: &Principal,
        id: ConversationId,
        after: Seq,
    ) -> Result<EventPage, ApiError> {
        page(&self.shared, who, id, after).await
    }
}

async fn page(
    shared: &Shared,
    who: &Principal,
    conversation: ConversationId,
    after: Seq,
) -> Result<EventPage, ApiError> {
    let who = Some(who.clone());
    let query = HistoryQuery { conversation, who, after, limit: PAGE_EVENTS, backwards: false };
    within(CALL_DEADLINE, "sessions", shared.deps.sessions.history(query)).await
}

#[tonic::async_trait]
impl AdminService for Admin {
    type RecordedArrivalsStream = ReceiverStream<Result<v1::RecordedArrivalsPage, Status>>;
    type ExportVisitorStream = ReceiverStream<Result<v1::ExportVisitorPage, Status>>;
    type FollowConversationStream = ReceiverStream<Result<v1::EventPush, Status>>;

    async fn list_agents(
        &self,
        request: Request<v1::ListAgentsRequest>,
    ) -> Result<Response<v1::ListAgentsResponse>, Status> {
        let who = self.supervisor(&request).await?;
        let asked = self.shared.deps.presence.agents(Some(&who.site));
        let agents = within(CALL_DEADLINE, "presence", asked).await.map_err(|e| to_status(&e))?;
        let agents = agents.iter().map(|a| agent_view_to_proto(a)).collect();
        Ok(Response::new(v1::ListAgentsResponse { agents }))
    }

    async fn list_queues(
        &self,
        request: Request<v1::ListQueuesRequest>,
    ) -> Result<Response<v1::ListQueuesResponse>, Status> {
        let who = self.supervisor(&request).await?;
        let asked = self.shared.deps.queueing.queues(&who.site);
        let queues = within(CALL_DEADLINE, "queueing", asked).await.map_err(|e| to_status(&e))?;
        let queues = queues.iter().map(queue_view_to_proto).collect();
        Ok(Response::new(v1::ListQueuesResponse { queues }))
    }

    async fn list_conversations(
        &self,
        request: Request<v1::AdminListConversationsRequest>,
    ) -> Result<Response<v1::ConversationList>, Status> {
        let who = self.supervisor(&request).await?;
        let request = request.into_inner();
        let limit = limit(request.limit, DEFAULT_LIST, MAX_LIST).map_err(|e| to_status(&e))?;
        let asked = self.shared.deps.sessions.list(Some(&who.site), ListFilter::All, MAX_LIST);
        let all = within(CALL_DEADLINE, "sessions", asked).await.map_err(|e| to_status(&e))?;
        let conversations = all
            .iter()
            .filter(|s| {
                let phase = i32::from(phase_of(&s.phase));
                request.phases.is_empty() || request.phases.contains(&phase)
            })
            .take(limit as usize)
            .map(|s| summary_to_state(s, Audience::Internal))
            .collect();
        Ok(Response::new(v1::ConversationList { conversations }))
    }

    async fn end_sessions(
        &self,
        request: Request<v1::EndSessionsRequest>,
    ) -> Result<Response<v1::EndSessionsResponse>, Status> {
        let who = self.supervisor(&request).await?;
        let account = &request.get_ref().account;
        let ended = accounts::end_sessions(&self.shared, &who, peer(&request), account).await;
        let ended = ended.map_err(|e| to_status(&e))?;
        let (agent_id, email) = (ended.agent.to_string(), ended.email);
        Ok(Response::new(v1::EndSessionsResponse { agent_id, email }))
    }

    async fn unbind_account(
        &self,
        request: Request<v1::UnbindAccountRequest>,
    ) -> Result<Response<v1::UnbindAccountResponse>, Status> {
        let who = self.supervisor(&request).await?;
        let account = &request.get_ref().account;
        let freed = accounts::unbind(&self.shared, &who, peer(&request), account).await;
        let freed = freed.map_err(|e| to_status(&e))?;
        let identity = |Identity { issuer, subject }| v1::ProviderIdentity { issuer, subject };
        Ok(Response::new(v1::UnbindAccountResponse {
            agent_id: freed.agent.to_string(),
            email: freed.email,
            was: freed.was.into_iter().map(identity).collect(),
        }))
    }

    async fn get_conversation(
        &self,
        request: Request<v1::GetConversationRequest>,
    ) -> Result<Response<v1::GetConversationResponse>, Status> {
        let who = self.supervisor(&request).await?;
        let id: ConversationId = parse_id(&request.get_ref().conversation_id)?;
        let looked = self.look(&who, peer(&request), Act::READ, id).await;
        let summary = looked.map_err(|e| to_status(&e))?;
        let page = self.page(&who, id, Seq::ZERO).await.map_err(|e| to_status(&e))?;
        let events: Result<Vec<_>, ApiError> = page.events.iter().map(event_push).collect();
        Ok(Response::new(v1::GetConversationResponse {
            conversation: Some(summary_to_state(&summary, Audience::Internal)),
            events: events.map_err(|e| to_status(&e))?,
        }))
    }

    async fn apply_configuration(
        &self,
        request: Request<v1::ApplyConfigurationRequest>,
    ) -> Result<Response<v1::ApplyConfigurationResponse>, Status> {
        let who = self.supervisor(&request).await?;
        let by = audit::author(&self.shared, &who, peer(&request));
        let v1::ApplyConfigurationRequest { document, dry_run } = request.into_inner();
        let asked = self.shared.deps.desk.apply(&who.site, &document, by.filter(|_| !dry_run));
        let applied = within(APPLY_DEADLINE, "desk", asked).await.map_err(|e| to_status(&e))?;
        if !dry_run && applied.problems.is_empty() {
            let changes = applied.changes.len();
            tracing::info!(site = %who.site, by = %who.id, changes, "configuration applied");
        }
        Ok(Response::new(applied_to_proto(applied)))
    }

    async fn explain_conversation(
        &self,
        request: Request<v1::ExplainConversationRequest>,
    ) -> Result<Response<v1::ExplainConversationResponse>, Status> {
        let who = self.supervisor(&request).await?;
        let id: ConversationId = parse_id(&request.get_ref().conversation_id)?;
        let deps = &self.shared.deps;
        let asked = deps.routing.explain(&who.site, id);
        let explained = within(CALL_DEADLINE, "routing", asked).await.map_err(|e| to_status(&e))?;
        let explained =
            explained.ok_or_else(|| Status::not_found("no decision about it is remembered"))?;
        let asked = deps.presence.agents(Some(&who.site));
        let agents = within(CALL_DEADLINE, "presence", asked).await.map_err(|e| to_status(&e))?;
        Ok(Response::new(explanation_to_proto(&explained, &agents)))
    }

    async fn explain_route(
        &self,
        request: Request<v1::ExplainRouteRequest>,
    ) -> Result<Response<v1::ExplainRouteResponse>, Status> {
        let who = self.supervisor(&request).await?;
        let v1::ExplainRouteRequest { page, language, attributes, text, channel, at } =
            request.into_inner();
        let now = match &at {
            None => self.shared.now(),
            Some(at) => {
                timestamp_from_proto(at).ok_or_else(|| Status::invalid_argument("at is no time"))?
            }
        };
        let asked = self.shared.deps.desk.site(&who.site);
        let site = within(CALL_DEADLINE, "desk", asked).await.map_err(|e| to_status(&e))?;
        let site = site.ok_or_else(|| Status::not_found("site"))?;
        let attributes = attributes.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        let visit = Visit {
            page: &page,
            language: &language,
            attributes: &attributes,
            text: &text,
            channel: &channel,
            now,
            calendars: &site.calendars,
        };
        let routed = routes::decide(&site.routes, &visit);
        let missed = routed.missed.iter().map(|(route, condition)| v1::MissedRule {
            rule: route.name.clone(),
            condition: condition.to_string(),
        });
        Ok(Response::new(v1::ExplainRouteResponse {
            queue: routed.route.map_or(&site.default_queue, |route| &route.queue).to_string(),
            rule: routed.route.map_or_else(String::new, |route| route.name.clone()),
            missed: missed.collect(),
            priority_minutes: routed.route.map_or(0, |route| route.priority_minutes),
        }))
    }

    async fn get_figures(
        &self,
        request: Request<v1::GetFiguresRequest>,
    ) -> Result<Response<v1::GetFiguresResponse>, Status> {
        let who = self.supervisor(&request).await?;
        let answer = figures(&self.shared, &who, request.into_inner()).await;
        answer.map(Response::new).map_err(|e| to_status(&e))
    }

    async fn list_audit(
        &self,
        request: Request<v1::ListAuditRequest>,
    ) -> Result<Response<v1::ListAuditResponse>, Status> {
        let who = self.supervisor(&request).await?;
        let answer = audit::list(&self.shared, &who, request.into_inner()).await;
        answer.map(Response::new).map_err(|e| to_status(&e))
    }

    async fn recorded_arrivals(
        &self,
        request: Request<v1::RecordedArrivalsRequest>,
    ) -> Result<Response<Self::RecordedArrivalsStream>, Status> {
        let who = self.supervisor(&request).await?;
        let (act, details) = (Act::READ_ARRIVALS, recorded::details(request.get_ref()));
        audit::record_of(&self.shared, &who, peer(&request), act, who.site.clone(), details)
            .await
            .map_err(|e| to_status(&e))?;
        let (pages, stream) = mpsc::channel(recorded::PAGES_WAITING);
        // Ends when all is sent, the caller hangs up or the gateway stops.
        let shared = self.shared.clone();
        tasks::spawn_tracked(
            &self.shared.tasks,
            "gateway.recorded",
            recorded::send(shared, who, request.into_inner(), pages),
        );
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn follow_conversation(
        &self,
        request: Request<v1::FollowConversationRequest>,
    ) -> Result<Response<Self::FollowConversationStream>, Status> {
        let (who, standing) = self.standing_supervisor(&request).await?;
        let peer = peer(&request);
        let cursor = request.into_inner().cursor.unwrap_or_default();
        let id = parse_id(&cursor.conversation_id)?;
        self.look(&who, peer, Act::WATCH, id).await.map_err(|e| to_status(&e))?;
        let outbox = Arc::new(Outbox::new(WireFormat::Protobuf));
        let connection = ConnectionId::from_uuid(Uuid::now_v7());
        self.shared.opened(connection, CarrierKind::Grpc, &outbox);
        self.shared.standings.stand(connection, standing);
        let reader = Arc::new(Reader::new(connection, who, outbox));
        let follower = Follower { shared: self.shared.clone(), reader };
        following::follow(&self.shared, &follower.reader, id, Seq::new(cursor.seq))
            .await
            .map_err(|e| to_status(&e))?;
        let (events, stream) = mpsc::channel(FOLLOW_QUEUE);
        // Ends when the caller hangs up or the gateway stops.
        tasks::spawn_tracked(&self.shared.tasks, "gateway.follower", async move {
            follower.run(id, events).await
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn export_visitor(
        &self,
        request: Request<v1::ExportVisitorRequest>,
    ) -> Result<Response<Self::ExportVisitorStream>, Status> {
        let (who, from) = (self.supervisor(&request).await?, peer(&request));
        let (pages, stream) = mpsc::channel(EXPORT_QUEUE);
        privacy::export(&self.shared, &who, from, &request.into_inner().visitor, pages)
            .await
            .map_err(|e| to_status(&e))?;
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn erase_visitor(
        &self,
        request: Request<v1::EraseVisitorRequest>,
    ) -> Result<Response<v1::EraseVisitorResponse>, Status> {
        let (who, from) = (self.supervisor(&request).await?, peer(&request));
        let v1::EraseVisitorRequest { visitor, dry_run } = request.into_inner();
        let erased = privacy::erase(&self.shared, &who, from, &visitor, dry_run).await;
        erased.map(Response::new).map_err(|e| to_status(&e))
    }
}

/// Where a call came from.
fn peer<T>(request: &Request<T>) -> Peer {
    request.extensions().get::<Peer>().copied().unwrap_or_default()
}

fn parse_id(id: &str) -> Result<ConversationId, Status> {
    id.parse().map_err(|e: frontdesk_core::ids::InvalidId| to_status(&e.into()))
}

/// A supervisor who follows one conversation.
struct Follower {
    shared: Arc<Shared>,
    reader: Arc<Reader>,
}

impl Follower {
    async fn run(self, id: ConversationId, events: mpsc::Sender<Result<v1::EventPush, Status>>) {
        let stopping = self.shared.stopping.clone();
        let end = tokio::select! {
            end = self.pump(id, &events) => end,
            () = events.closed() => return,
            () = stopping.cancelled() => Status::unavailable("the gateway is stopping"),
        };
        // Nobody to tell when the caller has hung up.
        let _ = events.try_send(Err(end));
    }

    async fn pump(
        &self,
        id: ConversationId,
        events: &mpsc::Sender<Result<v1::EventPush, Status>>,
    ) -> Status {
        loop {
            for push in self.waiting() {
                if events.send(Ok(push)).await.is_err() {
                    return Status::cancelled("the caller has hung up");
                }
            }
            if let Some(code) = self.reader.outbox.closing() {
                return Status::aborted(code.as_str());
            }
            let next = self.shared.registry.next(id, &self.reader);
            match next {
                Some(Next::Read { after, generation }) => {
                    match page(&self.shared, &self.reader.who, id, after).await {
                        Ok(page) => {
                            let registry = &self.shared.registry;
                            let next = registry.page(id, &self.reader, generation, &page);
                            if next == Some(Next::Retry) {
                                tokio::time::sleep(RETRY_PAUSE).await;
                            }
                        }
                        Err(e) if e.retryable() => tokio::time::sleep(RETRY_PAUSE).await,
                        Err(e) => return to_status(&e),
                    }
                }
                Some(Next::Retry) => tokio::time::sleep(RETRY_PAUSE).await,
                Some(Next::Live) => self.changed().await,
                Some(Next::Ended) | None => return Status::ok("no longer followed"),
            }
        }
    }

    /// The events that were pushed since the last call.
    fn waiting(&self) -> Vec<v1::EventPush> {
        let mut pushes = Vec::new();
        let mut batch = Vec::new();
        while self.reader.outbox.take_batch(&mut batch) > 0 {
            // What this gateway has encoded it can decode.
            let frames = v1::ServerBatch::decode(&*batch).unwrap_or_default().frames;
            pushes.extend(frames.into_iter().filter_map(|f| match f.frame {
                Some(Frame::Event(push)) => Some(push),
                _ => None,
            }));
            batch.clear();
        }
        pushes
    }

    /// Waits until something is pushed or a fill is due.
    async fn changed(&self) {
        let outbox = &self.reader.outbox;
        std::future::poll_fn(|cx| {
            outbox.register(cx.waker());
            let due = outbox.depth() > 0 || outbox.has_signals() || outbox.closing().is_some();
            if due { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        outbox.take_signals();
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.shared.ended(self.reader.connection);
        for id in self.shared.registry.leave_all(&self.reader) {
            following::detach(&self.shared, id);
        }
    }
}
