//! Opening a connection: who it is, what it goes on with.

use super::client::Client;
use super::requests::{Reply, instant_of};
use crate::asked;
use crate::audit;
use crate::auth;
use crate::codec::{self, push_frame};
use crate::following;
use crate::http::origin_allowed;
use crate::outbox::{Class, Outbox};
use crate::peer::Peer;
use crate::registry::Reader;
use crate::shared::{CALL_DEADLINE, Shared, within};
use crate::standing::Standing;
use crate::tokens::{TokenError, Verified};
use frontdesk_core::audit::Act;
use frontdesk_core::conversation::{MAX_TEXT_BYTES, Phase};
use frontdesk_core::ids::{ConnectionId, ConversationId, Seq};
use frontdesk_core::party::{Principal, Role};
use frontdesk_core::presence::{AgentProfile, AgentView};
use frontdesk_proto::api::{ApiError, ListFilter};
use frontdesk_proto::convert::{
    agent_view_to_proto, consent_text_to_proto, duration_to_proto, offer_push,
    participant_to_proto, timestamp_to_proto,
};
use frontdesk_proto::status::CloseCode;
use frontdesk_proto::v1::{self, server_frame::Frame};
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Cursors of one Hello.
const MAX_RESUMED: usize = 100;
/// Conversations resumed at once.
const RESUME_AT_ONCE: usize = 16;
/// Bytes of `Hello.client`.
const MAX_CLIENT_BYTES: usize = 100;
/// Pause before presence is told again that an agent is here.
const CONNECT_PAUSE: Duration = Duration::from_secs(1);
/// Conversations that an agent may have or be offered, at most.
const MAX_WORK: u32 = 200;

/// What a browser says of the page that connects.
#[derive(Debug, Clone)]
pub(crate) struct BrowserOrigin {
    pub(crate) origin: String,
    pub(crate) host: String,
}

/// Why a Hello was refused.
pub(super) struct Refusal {
    pub(super) id: u32,
    pub(super) code: CloseCode,
    pub(super) error: ApiError,
}

/// An open connection.
pub(super) struct Opened {
    pub(super) client: Arc<Client>,
    pub(super) hello_id: u32,
    /// When its token ends.
    pub(super) expires: Instant,
    /// To be sent first.
    pub(super) welcome: Option<Box<v1::Welcome>>,
    /// Conversations that could not be resumed, and why.
    pub(super) not_resumed: Vec<(String, ApiError)>,
    /// What goes on once the connection is open.
    pub(super) work: Vec<BoxFuture<'static, Reply>>,
}

type Refused = (CloseCode, ApiError);

/// Opens a connection, or says with which code it ends.
pub(super) async fn hello(
    shared: Arc<Shared>,
    outbox: Arc<Outbox>,
    connection: ConnectionId,
    (peer, origin): (Peer, Option<BrowserOrigin>),
    hello: v1::Hello,
    hello_id: u32,
) -> Result<Box<Opened>, Refused> {
    check_form(&hello)?;
    let verified = shared.tokens.verify(&hello.token, shared.now()).map_err(token_refused)?;
    let Verified { mut principal, expires_at, attributes, generation, kid } = verified;
    check_origin(&shared, &principal, origin.as_ref()).await?;
    let profile = account(&shared, &mut principal, generation).await?;
    let person = shared
        .admit_person(&principal.site, principal.id)
        .map_err(|(code, why)| (code, ApiError::State(why.into())))?;
    let expires = instant_of(expires_at, shared.now());
    shared.standings.stand(connection, Standing::new(&principal, generation, kid.clone()));
    // Had the key gone before that, nobody would end the connection.
    if !shared.tokens.knows(&kid) {
        return Err(token_refused(TokenError::UnknownKey));
    }
    let reader = Arc::new(Reader::new(connection, principal, outbox));
    let client = Client::new(shared.clone(), reader, peer, profile, attributes, person);
    let mut work = Vec::new();
    let agent = connect(&client, &mut work).await;
    let (resumed, not_resumed) = resume(&client, hello.resume).await;

    let consent = asked_consent(&shared, client.who()).await?;
    let settings = &shared.settings;
    let welcome = Some(Box::new(v1::Welcome {
        session_id: connection.to_string(),
        you: Some(participant_to_proto(&client.who().participant())),
        site: client.who().site.to_string(),
        server_time: Some(timestamp_to_proto(shared.now())),
        ping_interval: Some(duration_to_proto(settings.ping_interval())),
        max_batch_bytes: codec::MAX_BATCH_BYTES as u32,
        max_batch_frames: codec::MAX_BATCH_FRAMES as u32,
        max_text_bytes: MAX_TEXT_BYTES as u32,
        token_expires_at: Some(timestamp_to_proto(expires_at)),
        resumed,
        agent_state: agent.as_ref().map(agent_view_to_proto),
        consent,
    }));
    tracing::debug!(%connection, client = hello.client, "a connection is open");
    Ok(Box::new(Opened { client, hello_id, expires, welcome, not_resumed, work }))
}

fn check_form(hello: &v1::Hello) -> Result<(), Refused> {
    let problem = if hello.resume.len() > MAX_RESUMED {
        "at most 100 conversations can be resumed"
    } else if hello.client.len() > MAX_CLIENT_BYTES {
        "client is at most 100 bytes"
    } else {
        return Ok(());
    };
    Err((CloseCode::Protocol, ApiError::Invalid(problem.into())))
}

fn token_refused(error: TokenError) -> Refused {
    let code = match error {
        TokenError::Expired => CloseCode::TokenExpired,
        _ => CloseCode::TokenRefused,
    };
    (code, ApiError::Unauthenticated(error.to_string()))
}

/// A part that is away: come again later.
fn overloaded(error: ApiError) -> Refused {
    (CloseCode::Overloaded, error)
}

fn refused(why: &str) -> Refused {
    (CloseCode::TokenRefused, ApiError::Unauthenticated(why.into()))
}

/// A page may connect for a site only from where the site allows it.
async fn check_origin(
    shared: &Shared,
    who: &Principal,
    origin: Option<&BrowserOrigin>,
) -> Result<(), Refused> {
    let Some(BrowserOrigin { origin, host }) = origin else {
        return Ok(());
    };
    let site = within(CALL_DEADLINE, "desk", shared.deps.desk.site(&who.site))
        .await
        .map_err(overloaded)?
        .ok_or_else(|| refused("the site is not known"))?;
    if origin_allowed(&site, origin, host) {
        Ok(())
    } else {
        Err(refused("this page may not connect to this site"))
    }
}

/// What a visitor has to agree to before it starts a conversation.
async fn asked_consent(
    shared: &Shared,
    who: &Principal,
) -> Result<Option<v1::ConsentText>, Refused> {
    if who.role != Role::Visitor {
        return Ok(None);
    }
    let site = within(CALL_DEADLINE, "desk", shared.deps.desk.site(&who.site));
    let site = site.await.map_err(overloaded)?;
    Ok(site.and_then(|site| site.privacy.consent.as_ref().map(consent_text_to_proto)))
}

/// The account behind an agent's token; it may have been disabled since.
async fn account(
    shared: &Shared,
    who: &mut Principal,
    generation: u32,
) -> Result<Option<AgentProfile>, Refused> {
    let Some(agent) = who.agent_id() else {
        return Ok(None);
    };
    let account = within(CALL_DEADLINE, "desk", shared.deps.desk.agent(&who.site, agent))
        .await
        .map_err(overloaded)?
        .filter(|account| auth::stands(account, who, generation))
        .ok_or_else(|| refused("the account is disabled or has changed"))?;
    who.name = account.profile.name.clone();
    Ok(Some(account.profile.clone()))
}

/// Tells presence, now or as soon as it is there again: open chats go on without.
async fn connect(
    client: &Arc<Client>,
    work: &mut Vec<BoxFuture<'static, Reply>>,
) -> Option<AgentView> {
    client.who().agent_id()?;
    work.push(offers(client.clone()));
    work.push(asked_for(client.clone()));
    match client.connect().await {
        Ok(view) => view,
        Err(error) => {
            tracing::warn!(%error, "presence does not know yet that an agent is here");
            work.push(connect_later(client.clone()));
            None
        }
    }
}

fn connect_later(client: Arc<Client>) -> BoxFuture<'static, Reply> {
    Box::pin(async move {
        let answer = loop {
            tokio::time::sleep(CONNECT_PAUSE).await;
            match client.connect().await {
                Ok(view) => {
                    break Ok(view.map(|v| Frame::AgentState(agent_view_to_proto(&v))));
                }
                Err(error) if error.retryable() => {}
                Err(error) => break Err(error),
            }
        };
        if let Ok(Some(frame)) = &answer {
            push(&client, frame.clone());
        }
        Reply { id: 0, answer: answer.map(|_| None), conversation: None, is_recorded: false }
    })
}

/// Shows an agent the offers that were open before it connected.
fn offers(client: Arc<Client>) -> BoxFuture<'static, Reply> {
    Box::pin(async move {
        let answer = match client.who().agent_id() {
            Some(agent) => {
                let filter = ListFilter::OfAgent { agent, closed: false };
                let site = Some(&client.who().site);
                let list = client.shared.deps.sessions.list(site, filter, MAX_WORK);
                within(CALL_DEADLINE, "sessions", list).await
            }
            None => Ok(Vec::new()),
        };
        for summary in answer.iter().flatten() {
            if let Phase::Offered(offer) = &summary.phase
                && offer.agent.id == client.who().id
            {
                push(&client, Frame::Offer(offer_push(summary, offer)));
            }
        }
        Reply { id: 0, answer: answer.map(|_| None), conversation: None, is_recorded: false }
    })
}

/// Shows an agent what colleagues have asked of it before it connected.
fn asked_for(client: Arc<Client>) -> BoxFuture<'static, Reply> {
    Box::pin(async move {
        if let Some(agent) = client.who().agent_id() {
            for frame in asked::frames(&client.shared, &client.who().site, agent).await {
                push(&client, frame);
            }
        }
        Reply { id: 0, answer: Ok(None), conversation: None, is_recorded: false }
    })
}

fn push(client: &Client, frame: Frame) {
    let outbox = &client.reader.outbox;
    outbox.push(&codec::piece(outbox.format(), &push_frame(frame)), Class::Durable);
}

/// Goes on with the conversations that the client names.
async fn resume(
    client: &Arc<Client>,
    cursors: Vec<v1::Cursor>,
) -> (Vec<v1::ConversationState>, Vec<(String, ApiError)>) {
    let results: Vec<_> = stream::iter(cursors)
        .map(|cursor| async move {
            let state = resume_one(client, &cursor).await;
            (cursor.conversation_id, state)
        })
        .buffered(RESUME_AT_ONCE)
        .collect()
        .await;
    let (mut resumed, mut failed) = (Vec::new(), Vec::new());
    for (id, result) in results {
        match result {
            Ok(state) => resumed.push(state),
            Err(error) => failed.push((id, error)),
        }
    }
    (resumed, failed)
}

async fn resume_one(
    client: &Arc<Client>,
    cursor: &v1::Cursor,
) -> Result<v1::ConversationState, ApiError> {
    let id: ConversationId = cursor.conversation_id.parse()?;
    let (shared, reader) = (&client.shared, &client.reader);
    audit::look(client, Act::WATCH, id).await?;
    let attached = following::follow(shared, reader, id, Seq::new(cursor.seq)).await?;
    Ok(client.state(&attached.summary).await)
}
