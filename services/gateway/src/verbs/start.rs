//! Opening a conversation.

use super::{Answer, submit_as};
use crate::connection::Client;
use crate::following;
use crate::shared::{CALL_DEADLINE, within};
use frontdesk_core::conversation::{Command, MAX_NAME_CHARS, Phase, StartRequest, is_channel};
use frontdesk_core::ids::{ClientMsgId, ConversationId, QueueId, Seq, VisitorId};
use frontdesk_core::party::{Origin, Principal};
use frontdesk_core::routes::{self, Visit};
use frontdesk_core::time::{Millis, Timestamp};
use frontdesk_proto::api::{ApiError, Envelope, ListFilter, SiteConfig};
use frontdesk_proto::v1::{self, server_frame::Frame};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// Open conversations of one visitor.
const MAX_OPEN: usize = 5;
/// A visitor's conversations that are looked at for that.
const LISTED: u32 = 100;
/// How far the time in a client's UUIDv7 may be from the server's.
const MAX_SKEW: Millis = Millis::from_mins(24 * 60);

/// A well-formed wish to open a conversation.
pub(super) struct Start {
    id: ConversationId,
    /// `None` for what the site's rules say.
    queue: Option<QueueId>,
    attributes: BTreeMap<Arc<str>, Arc<str>>,
    page: Arc<str>,
    language: Arc<str>,
    channel: Option<Arc<str>>,
    /// The version of the site's text that the visitor has agreed to.
    consent: Option<Arc<str>>,
    /// The caller, under the name it wants to show.
    who: Principal,
    first_message: Option<(ClientMsgId, Arc<str>)>,
}

impl Start {
    pub(super) fn parse(client: &Client, r: v1::StartConversation) -> Result<Self, ApiError> {
        let id = if r.conversation_id.is_empty() {
            ConversationId::from_uuid(Uuid::now_v7())
        } else {
            chosen_id(&r.conversation_id, client.shared.now())?
        };
        if r.visitor_name.chars().count() > MAX_NAME_CHARS {
            return Err(ApiError::Invalid("visitor_name is at most 80 characters".into()));
        }
        let mut who = client.who().clone();
        if !r.visitor_name.is_empty() {
            who.name = r.visitor_name.into();
        }
        if !r.channel.is_empty() && !is_channel(&r.channel) {
            return Err(ApiError::Invalid("channel is 1 to 32 of a-z, 0-9 and -".into()));
        }
        let queue = if r.queue.is_empty() { None } else { Some(r.queue.parse()?) };
        let first_message = match r.first_message {
            Some(m) if !m.attachment_ids.is_empty() => {
                return Err(ApiError::Invalid(
                    "a first message has no attachments: upload to the open conversation".into(),
                ));
            }
            Some(m) => Some((m.client_msg_id.parse()?, m.text.into())),
            None => None,
        };
        Ok(Self {
            id,
            queue,
            attributes: r.attributes.into_iter().map(|(k, v)| (k.into(), v.into())).collect(),
            page: r.page.into(),
            language: r.language.into(),
            channel: (!r.channel.is_empty()).then(|| r.channel.into()),
            consent: (!r.consent_version.is_empty()).then(|| r.consent_version.into()),
            who,
            first_message,
        })
    }
}

/// An id that the client chose must say when, so that ids stay in order of time.
fn chosen_id(id: &str, now: Timestamp) -> Result<ConversationId, ApiError> {
    let id: ConversationId = id.parse()?;
    let uuid = id.as_uuid();
    let at = uuid
        .get_timestamp()
        .filter(|_| uuid.get_version_num() == 7)
        .ok_or_else(|| ApiError::Invalid("conversation_id is not a UUIDv7".into()))?;
    let (seconds, nanos) = at.to_unix();
    let at = Timestamp::from_millis(seconds * 1_000 + u64::from(nanos) / 1_000_000);
    if at.since(now) > MAX_SKEW || now.since(at) > MAX_SKEW {
        return Err(ApiError::Invalid("conversation_id is more than a day off".into()));
    }
    Ok(id)
}

/// Opens the conversation and follows it. What happens before the owner has
/// attached this gateway is in the history, which is read from the beginning.
pub(super) async fn open(client: &Arc<Client>, start: Start) -> Answer {
    let id = start.id;
    check_open(client, id).await?;
    let attributes = with_signed(client, start.attributes);
    let text = start.first_message.as_ref().map_or("", |(_, text)| text);
    let asked = client.shared.deps.desk.site(&client.who().site);
    let site = within(CALL_DEADLINE, "desk", asked)
        .await?
        .ok_or_else(|| ApiError::NotFound("site".into()))?;
    let consent = agreed(&site, start.consent)?;
    let visit = Visit {
        page: &start.page,
        language: &start.language,
        attributes: &attributes,
        text,
        channel: start.channel.as_deref().unwrap_or_default(),
        now: client.shared.now(),
        calendars: &site.calendars,
    };
    let (queue, extra_minutes) = queue(&site, start.queue, &visit)?;
    let command = Command::Start(StartRequest {
        queue,
        attributes,
        page: start.page,
        language: start.language,
        channel: start.channel,
        consent,
        extra_minutes,
        first_message: start.first_message,
    });
    let envelope = Envelope { conversation: id, origin: Origin::Client(start.who), command };
    submit_as(client, envelope).await?;
    let attached = following::follow(&client.shared, &client.reader, id, Seq::ZERO).await?;
    Ok(Some(Frame::Conversation(client.state(&attached.summary).await)))
}

/// A retry of a conversation that is open already does not count.
async fn check_open(client: &Client, id: ConversationId) -> Result<(), ApiError> {
    let who = client.who();
    let filter = ListFilter::OfVisitor(VisitorId::from_uuid(who.id));
    let list = client.shared.deps.sessions.list(Some(&who.site), filter, LISTED);
    let own = within(CALL_DEADLINE, "sessions", list).await?;
    let open = own.iter().filter(|s| !matches!(s.phase, Phase::Closed { .. })).count();
    if open >= MAX_OPEN && own.iter().all(|s| s.id != id) {
        return Err(ApiError::State("5 conversations are open already".into()));
    }
    Ok(())
}

/// What the visitor has agreed to, which is what the site asks for or nothing.
fn agreed(site: &SiteConfig, said: Option<Arc<str>>) -> Result<Option<Arc<str>>, ApiError> {
    match &site.privacy.consent {
        None => Ok(None),
        Some(asked) if said.as_ref() == Some(&asked.version) => Ok(said),
        Some(asked) => Err(ApiError::State(format!(
            "the visitor has to agree to version {} of the site's text first (consent_version)",
            asked.version
        ))),
    }
}

/// What the client names, else what the site's rules say: the queue, and the minutes
/// that a rule adds to its priority.
fn queue(
    site: &SiteConfig,
    wanted: Option<QueueId>,
    visit: &Visit<'_>,
) -> Result<(QueueId, i32), ApiError> {
    match wanted {
        None => {
            let Some(route) = routes::decide(&site.routes, visit).route else {
                return Ok((site.default_queue.clone(), 0));
            };
            // Some 1,440 at most.
            let minutes = i32::try_from(route.priority_minutes).unwrap_or(i32::MAX);
            Ok((route.queue.clone(), minutes))
        }
        Some(queue) if site.queues.iter().any(|q| q.id == queue) => Ok((queue, 0)),
        Some(queue) => Err(ApiError::Invalid(format!("there is no queue {queue}"))),
    }
}

/// What the token vouches for wins over what the page says.
fn with_signed(
    client: &Client,
    mut attributes: BTreeMap<Arc<str>, Arc<str>>,
) -> BTreeMap<Arc<str>, Arc<str>> {
    for (key, value) in &client.signed {
        attributes.insert(key.as_str().into(), value.as_str().into());
    }
    attributes
}
