//! From a request to the one who carries it out.

use super::hello::{self, Opened, Refusal};
use super::{Connection, End, Stage};
use crate::carriers::Carrier;
use crate::limits::BucketRate;
use crate::settings::Settings;
use crate::tokens::Grant;
use crate::verbs::{self, Handling};
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_proto::api::ApiError;
use frontdesk_proto::convert::timestamp_to_proto;
use frontdesk_proto::status::CloseCode;
use frontdesk_proto::v1::{self, ClientFrame, client_frame::Request, server_frame::Frame};
use frontdesk_telemetry::traces::{self, Span};
use futures::future::BoxFuture;
use std::collections::VecDeque;
use tokio::time::Instant;

/// Typing frames at once and a second; clients repeat them every 3 s for each of
/// a few conversations.
const TYPING_BURST: f32 = 10.0;
const TYPING_PER_SECOND: f32 = 5.0;

/// The answer to one request.
pub(super) struct Reply {
    pub(super) id: u32,
    /// `None` when there is nothing to say.
    pub(super) answer: Result<Option<Frame>, ApiError>,
    /// Named in an error.
    pub(super) conversation: Option<String>,
    /// A failure has been told to a trace.
    pub(super) is_recorded: bool,
}

/// What a request that others wait for has come to.
pub(super) enum Ready {
    Reply(Box<Reply>),
    /// Begun in its turn; the answer comes later.
    Wait(BoxFuture<'static, Reply>),
    Opened(Box<Opened>),
    Refused(Refusal),
}

pub(super) fn rate(settings: &Settings) -> BucketRate {
    BucketRate::new(settings.requests_per_second as f32, settings.request_burst as f32)
}

pub(super) fn typing_rate() -> BucketRate {
    BucketRate::new(TYPING_PER_SECOND, TYPING_BURST)
}

impl<C: Carrier> Connection<C> {
    /// Begins the next request of the backlog; `Some` ends the connection.
    pub(super) fn next_request(&mut self) -> Option<End> {
        let frame = self.backlog.pop_front()?;
        if self.backlog.is_empty() {
            // Between batches a connection holds no memory for them.
            self.backlog = VecDeque::new();
        }
        self.request(frame)
    }

    fn request(&mut self, frame: ClientFrame) -> Option<End> {
        let ClientFrame { id, request } = frame;
        match (&self.stage, request) {
            (Stage::Open(_), Some(Request::Pong(_))) => None,
            (Stage::Open(_), Some(Request::Typing(typing))) => {
                let now = Instant::now();
                if self.typing.take(typing_rate(), now).is_ok() {
                    self.carry_out(id, Request::Typing(typing));
                } else {
                    self.shared.metrics.typing_dropped.increment(1);
                }
                None
            }
            (Stage::Open(_), request) => {
                self.limited(id, request);
                None
            }
            (Stage::AwaitingHello { .. }, Some(Request::Hello(hello))) => {
                self.stage = Stage::Opening;
                self.outbox.hold();
                self.preparing = Some(self.say_hello(id, hello));
                self.set_timer();
                None
            }
            (Stage::AwaitingHello { .. } | Stage::Opening, _) => {
                let error = ApiError::Invalid("the first request must be Hello".into());
                self.push_error(id, &error, None);
                Some(End::Close(CloseCode::Protocol, "the first request must be Hello"))
            }
        }
    }

    fn say_hello(&self, id: u32, hello: v1::Hello) -> BoxFuture<'static, Ready> {
        let page = (self.arrival.peer, self.arrival.origin.clone());
        let (shared, outbox) = (self.shared.clone(), self.outbox.clone());
        let connection = self.id;
        Box::pin(async move {
            match hello::hello(shared, outbox, connection, page, hello, id).await {
                Ok(opened) => Ready::Opened(opened),
                Err((code, error)) => Ready::Refused(Refusal { id, code, error }),
            }
        })
    }

    fn limited(&mut self, id: u32, request: Option<Request>) {
        let now = Instant::now();
        if let Err(retry_after) = self.requests.take(rate(&self.shared.settings), now) {
            self.shared.metrics.rate_limited.increment(1);
            return self.refuse(id, &ApiError::RateLimited { retry_after });
        }
        let refusal = match request {
            None => ApiError::Unimplemented("this kind of request is not known here".into()),
            Some(Request::Hello(_)) => ApiError::Invalid("Hello comes only once".into()),
            Some(Request::RefreshToken(refresh)) => match self.refresh(&refresh.token) {
                Ok(frame) => {
                    let answer = Ok(Some(frame));
                    let (conversation, is_recorded) = (None, false);
                    return self.reply(Reply { id, answer, conversation, is_recorded });
                }
                Err(error) => error,
            },
            Some(Request::Send(send)) if send.attachment_ids.is_empty() => {
                return self.say(id, send, now);
            }
            Some(request) => return self.carry_out(id, request),
        };
        self.refuse(id, &refusal);
    }

    /// Begins a request, when it is to be recorded.
    fn begin_frame(&self, request: &'static str) -> Option<Span> {
        let mut frame = traces::begin("gateway.frame", traces::Kind::Server, self.arrival.trace)?;
        frame.set("request", request);
        frame.set("carrier", self.arrival.kind.as_str());
        frame.set("connection", self.id.to_string());
        Some(frame)
    }

    fn refuse(&mut self, id: u32, error: &ApiError) {
        self.record_failure(error);
        self.push_error(id, error, None);
    }

    /// What nearly every request is.
    fn say(&mut self, id: u32, send: v1::SendMessage, now: Instant) {
        let Stage::Open(open) = &self.stage else {
            return;
        };
        let conversation = send.conversation_id.parse();
        let frame = self.begin_frame("send");
        let trace = frame.as_ref().map(Span::context);
        let begun = conversation.map_err(ApiError::from).and_then(|conversation| {
            let after = &*send.after_client_msg_id;
            let after = (!after.is_empty()).then_some(after);
            verbs::say(
                &open.client,
                conversation,
                &send.client_msg_id,
                send.text.into(),
                vec![],
                after,
                trace,
            )
        });
        match begun {
            Ok(saying) => {
                if self.in_flight.push_message(id, saying.received_as(frame), now) {
                    self.set_timer();
                }
            }
            Err(error) => {
                match frame {
                    Some(frame) => frame.fail(error.as_str()),
                    None => self.record_failure(&error),
                }
                self.push_error(id, &error, Some(send.conversation_id));
            }
        }
    }

    fn carry_out(&mut self, id: u32, request: Request) {
        let Stage::Open(open) = &self.stage else {
            return;
        };
        let conversation = verbs::conversation_of(&request).map(str::to_owned);
        let frame = self.begin_frame(verbs::name_of(&request));
        let is_recorded = frame.is_some();
        let name = move |answer| Reply { id, answer, conversation, is_recorded };
        let handling = match frame {
            None => verbs::handle(&open.client, request),
            Some(frame) => verbs::recorded(frame, || verbs::handle(&open.client, request)),
        };
        match handling {
            Handling::Done(answer) => self.reply(name(*answer)),
            Handling::Concurrent(future) => {
                self.in_flight.push(Box::pin(async move { name(future.await) }));
            }
            Handling::Ordered(future) => {
                self.preparing = Some(Box::pin(async move {
                    match future.await {
                        verbs::Prepared::Answer(answer) => Ready::Reply(Box::new(name(*answer))),
                        verbs::Prepared::Wait(rest) => {
                            Ready::Wait(Box::pin(async move { name(rest.await) }))
                        }
                    }
                }));
            }
        }
    }

    /// Goes on with another token of the same subject.
    fn refresh(&mut self, token: &str) -> Result<Frame, ApiError> {
        let now = self.shared.now();
        let Stage::Open(open) = &mut self.stage else {
            return Err(ApiError::Invalid("not open".into()));
        };
        let who = open.client.who();
        let standing = self.shared.standings.of(self.id);
        let account = standing.and_then(|standing| standing.account);
        // As it was: a new token outlives no sign-out.
        let generation = account.map_or(0, |account| account.2);
        let (token, expires_at, kid) = if token.is_empty() {
            let life = token_life(&self.shared.settings, who.role);
            let grant = Grant { who, attributes: &open.client.signed, generation };
            let issued = self
                .shared
                .tokens
                .issue(grant, now, life)
                .map_err(|e| ApiError::Internal(e.to_string()))?;
            (issued.token, issued.expires_at, issued.kid)
        } else {
            let verified = self
                .shared
                .tokens
                .verify(token, now)
                .map_err(|e| ApiError::Unauthenticated(e.to_string()))?;
            let theirs = &verified.principal;
            if (&theirs.site, theirs.role, theirs.id) != (&who.site, who.role, who.id) {
                return Err(ApiError::Unauthenticated("the token is somebody else's".into()));
            }
            if verified.generation < generation {
                return Err(ApiError::Unauthenticated("the account has been signed out".into()));
            }
            (token.to_owned(), verified.expires_at, verified.kid)
        };
        self.shared.standings.signed_by(self.id, kid);
        open.expires = instant_of(expires_at, now);
        self.set_timer();
        let expires_at = Some(timestamp_to_proto(expires_at));
        Ok(Frame::TokenRefreshed(v1::TokenRefreshed { token, expires_at }))
    }
}

/// How long a new token of this role lives.
pub(crate) fn token_life(settings: &Settings, role: frontdesk_core::party::Role) -> Millis {
    let hours = match role {
        frontdesk_core::party::Role::Visitor => settings.visitor_token_hours,
        _ => settings.agent_token_hours,
    };
    Millis::from_mins(hours * 60)
}

/// The point on this process's clock at which a token ends.
pub(super) fn instant_of(expires_at: Timestamp, now: Timestamp) -> Instant {
    // No connection lives for a year; the bound keeps the addition from overflowing.
    let left = expires_at.since(now).to_duration();
    Instant::now() + left.min(std::time::Duration::from_secs(365 * 24 * 3_600))
}
